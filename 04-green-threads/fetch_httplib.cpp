// Fetches all URLs at once, on one OS thread: fetch.cpp with another blocking library, cpp-httplib,
// which does not know of green threads either. This file follows the redirects and keeps the
// deadline, because cpp-httplib only limits the time of each read.

#include <arpa/inet.h>
#include <fcntl.h>
#include <httplib.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "cli.hpp"
#include "green/green.hpp"

// #region address
// A URL in two parts: https://host:port, and /path?query.
struct Address {
  std::string origin, host, target;

  // With percent codes for characters beyond ASCII.
  static std::string escaped(const std::string& text) {
    std::string all;
    for (const unsigned char c : text) {
      char code[4] = {static_cast<char>(c)};
      if (c > 0x7f) std::snprintf(code, sizeof code, "%%%02X", c);
      all += code;
    }
    return all;
  }

  // Throws std::invalid_argument if cpp-httplib would read the URL in another way.
  explicit Address(const std::string& text) {
    const std::string url = escaped(text);
    const auto npos = url.npos, start = url.find("://"), end = url.find_first_of("/?#", start + 3);
    if (start == npos ||
        std::any_of(url.begin(), url.end(), [](char c) { return c < '!' || c > '~'; }))
      throw std::invalid_argument("malformed URL");
    origin = url.substr(0, end);
    std::transform(origin.begin(), origin.end(), origin.begin(), ::tolower);
    if (!origin.starts_with("http://") && !origin.starts_with("https://"))
      throw std::invalid_argument("unsupported scheme");
    const std::string authority = origin.substr(start + 3);
    const auto colon = authority.find(':', authority.find(']') + 1);
    const std::string port = colon == npos ? "80" : authority.substr(colon + 1);
    if (authority.empty() || authority.size() > 255 || colon == 0 || port.empty() ||
        port.size() > 9 || port.find_first_not_of("0123456789") != npos || std::stoi(port) > 65535)
      throw std::invalid_argument("malformed URL");
    host = authority.substr(0, colon);
    if (end != npos) target = url.substr(end, url.find('#') - end);
    if (!target.starts_with('/')) target = std::string(1, '/').append(target);
  }

  // Returns where a Location header leads to.
  std::string resolve(std::string location) const {
    for (auto i = location.npos; (i = location.find(' ')) != location.npos;)
      location.replace(i, 1, "%20");
    if (location.find(':') < location.find_first_of("/?#")) return location;  // has a scheme
    if (location.starts_with("//")) return origin.substr(0, origin.find('/')) + location;
    if (location.starts_with("/")) return origin + location;
    std::filesystem::path path(target.substr(0, target.find('?')));
    if (location.starts_with('?')) return origin + path.string() + location;
    const auto query = std::min(location.find('?'), location.size());
    path.replace_filename(location.substr(0, query));
    return origin + path.lexically_normal().string() + location.substr(query);
  }
};
// #endregion address

// #region verify
// The client's TLS context; null for http. Newer versions of cpp-httplib have another name for it.
template <typename Client>
SSL_CTX* tls_of(const Client& client) {
  if constexpr (requires { client.tls_context(); })
    return static_cast<SSL_CTX*>(client.tls_context());
  else
    return client.ssl_context();
}

// Without a descriptor OpenSSL takes its store for empty.
bool can_open_files() {
  const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  return fd >= 0 && close(fd) == 0;
}

// OpenSSL calls this for each certificate. It keeps the fault for explain().
int keep_fault(int accepted, X509_STORE_CTX* check) {
  const int ssl = SSL_get_ex_data_X509_STORE_CTX_idx();
  const SSL_CTX* tls = SSL_get_SSL_CTX(static_cast<SSL*>(X509_STORE_CTX_get_ex_data(check, ssl)));
  if (!accepted)
    *static_cast<int*>(SSL_CTX_get_app_data(tls)) =
        can_open_files() ? X509_STORE_CTX_get_error(check) : X509_V_ERR_STORE_LOOKUP;
  return accepted;
}

// Makes the handshake fail unless the certificate is the host's. cpp-httplib's own check is not
// strict: it accepts a common name, and `*` in the middle of a name. So OpenSSL checks instead.
void verify_host(httplib::Client& client, std::string host, int& fault) {
  SSL_CTX* const tls = tls_of(client);
  if (!tls) return;
  client.enable_server_certificate_verification(false);
  SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
  SSL_CTX_set_post_handshake_auth(tls, 1);  // a server may ask for a certificate later
  SSL_CTX_set_app_data(tls, &fault);
  SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, keep_fault);
  if (!can_open_files()) throw std::runtime_error("cannot read the trusted certificates");
  const char* const file = std::getenv("SSL_CERT_FILE");
  if (file && !std::filesystem::is_regular_file(file))  // to read a pipe has no deadline
    throw std::runtime_error("SSL_CERT_FILE is not a regular file");
  if (file)
    SSL_CTX_load_verify_locations(tls, file, nullptr);
  else
    SSL_CTX_set_default_verify_paths(tls);
  ERR_clear_error();  // without certificates to trust, no server is trusted

  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  if (host.ends_with('.')) host.pop_back();  // it has a meaning only in DNS
  in_addr v4;
  in6_addr v6;
  if (inet_aton(host.c_str(), &v4)) host = inet_ntoa(v4);  // 127.1, too
  const bool is_address = inet_aton(host.c_str(), &v4) || inet_pton(AF_INET6, host.c_str(), &v6);
  X509_VERIFY_PARAM* const wanted = SSL_CTX_get0_param(tls);
  X509_VERIFY_PARAM_set_hostflags(
      wanted, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const int set = is_address ? X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str())
                             : X509_VERIFY_PARAM_set1_host(wanted, host.data(), host.size());
  if (set != 1 || host.empty() || host.starts_with('.'))  // which would be any host
    throw std::invalid_argument("TLS cannot ask for this host");
}
// #endregion verify

// #region is_ok
std::string explain(httplib::Error error, int fault) {
  if (fault != X509_V_OK)
    return std::string("certificate verify failed: ") + X509_verify_cert_error_string(fault);
  switch (error) {  // cpp-httplib has no other details
    case httplib::Error::Connection:
      return "cannot resolve the host, or connect to it";
    case httplib::Error::Read:
      return "connection closed or reset before the end of the answer";
    case httplib::Error::SSLConnection:
      return "TLS handshake failed";
    case httplib::Error::ConnectionTimeout:
      return "timed out";
    default:
      return "no complete answer";
  }
}

// Makes cpp-httplib send a path as it is in the URL. Newer versions have another name for this.
template <typename Client>
void send_as_it_is(Client& client) {
  if constexpr (requires { client.set_path_encode(false); })
    client.set_path_encode(false);
  else
    client.set_url_encode(false);
}

// How many bytes may come before the body, and between two pieces of it. cpp-httplib matches the
// status line with a regular expression that recurses for each character, and takes up to 350 bytes
// of stack for it. It keeps the line of a chunk whole, however long that is.
constexpr std::size_t most_between = 32 * 1024, enough_stack = 16 << 20;

struct Visit {
  std::string url;
  Verdict verdict{false, "more than 10 redirects"};
};

void visit(const std::shared_ptr<Visit>& it) try {
  for (int hop = 0; hop <= 10; ++hop) {
    const Address address(it->url);
    int fault = X509_V_OK;  // of the server's certificate
    httplib::Client client(address.origin);
    if (!client.is_valid() || address.origin.starts_with("https:") != (tls_of(client) != nullptr))
      throw std::invalid_argument("malformed URL");
    client.set_connection_timeout(10);
    client.set_read_timeout(10);
    send_as_it_is(client);
    client.set_decompress(false);
    if (address.host == "localhost" || address.host.ends_with(".localhost"))  // by RFC 6761
      client.set_hostname_addr_map({{address.host, "127.0.0.1"}});
    verify_host(client, address.host, fault);
    std::size_t& may_receive = green::may_receive() = most_between;
    const auto discard = [&](const char*, size_t) { return (may_receive = most_between) > 0; };
    const auto answer = client.Get(address.target, {{"User-Agent", USER_AGENT}}, discard);
    const int status = answer ? answer->status : 0;
    const std::string location = answer ? answer->get_header_value("Location") : "";
    const bool redirected = status >= 301 && status <= 308 && status != 304 && status != 305 &&
                            status != 306 && !location.empty() && !location.starts_with('#');
    it->verdict = {status == 200, answer             ? "HTTP status " + std::to_string(status)
                                  : may_receive == 0 ? "more than 32 KB without a piece of the body"
                                                     : explain(answer.error(), fault)};
    if (!redirected) return;
    it->url = address.resolve(location);
  }
  it->verdict = {false, "more than 10 redirects"};
} catch (const std::exception& error) {
  it->verdict = {false, error.what()};
}

// Whether `url` answers 200 and sends its whole body, with at most 10 redirects and within 10 s in
// all. At the deadline the green thread is killed, which makes its next wait fail.
Verdict is_ok(const std::string& url) {
  const auto it = std::make_shared<Visit>(Visit{.url = url});
  const auto visitor = green::spawn(visit, it);
  if (green::join(visitor, std::chrono::seconds(10))) return it->verdict;
  green::kill(visitor);
  green::join(visitor);
  return {false, "timed out after 10 s"};
}
// #endregion is_ok

void fetch(const std::string& url) try {
  print(url, is_ok(url));
} catch (const std::exception& error) {  // an error costs only this URL
  print(url, error);
}

int main(int argc, char* argv[]) {
  const auto urls = arguments(argc, argv);
  green::patch_all();
  green::stack_size = enough_stack;
  std::vector<green::Thread> fetches;
  for (const auto& url : urls) try {
      fetches.push_back(green::spawn(fetch, url));
    } catch (const std::exception& error) {  // no memory for its stack
      print(url, error);
    }
  green::join_all(fetches);
  return exit_status;
}
