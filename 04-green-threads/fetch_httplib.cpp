// Fetches the URLs all at once, on one OS thread: fetch.cpp on another blocking library,
// cpp-httplib. It knows no more of green threads than libcurl does. Redirects and a deadline for
// all of it are ours here: cpp-httplib limits the time of each read only.

#include <httplib.h>

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
// A URL in two: https://host:port, and /path?query.
struct Address {
  std::string origin, host, target;

  // With percent codes for what is beyond ASCII.
  static std::string escaped(const std::string& text) {
    std::string all;
    for (const unsigned char c : text) {
      char code[4] = {static_cast<char>(c)};
      if (c > 0x7f) std::snprintf(code, sizeof code, "%%%02X", c);
      all += code;
    }
    return all;
  }

  // Throws std::invalid_argument when cpp-httplib would make something else of the URL.
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

  // Where a Location header leads to.
  std::string resolve(std::string location) const {
    for (auto i = location.npos; (i = location.find(' ')) != location.npos;)
      location.replace(i, 1, "%20");
    if (location.find("://") < location.find_first_of("/?#")) return location;
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

// #region versions
// Newer versions of cpp-httplib know other TLS libraries as well, and have other names for these.
SSL_CTX* tls_context(const auto& client) {
  if constexpr (requires { client.tls_context(); })
    return static_cast<SSL_CTX*>(client.tls_context());
  else
    return client.ssl_context();
}

long verify_result(const auto& client, const auto& result) {
  if constexpr (requires { result.ssl_backend_error(); })
    return static_cast<long>(result.ssl_backend_error());
  else
    return client.get_openssl_verify_result();
}
// #endregion versions

// #region is_ok
std::string explain(const httplib::Client& client, const httplib::Result& result) {
  const long fault = verify_result(client, result);
  switch (result.error()) {  // beyond that, cpp-httplib knows no more than this
    case httplib::Error::Connection:
      return "cannot resolve the host, or connect to it";
    case httplib::Error::Read:
      return "connection closed or reset before the end of the answer";
    case httplib::Error::SSLServerVerification:
      return std::string("certificate verify failed: ") +
             (fault == X509_V_OK ? "another host's" : X509_verify_cert_error_string(fault));
    case httplib::Error::SSLConnection:
      return "TLS handshake failed";
    case httplib::Error::ConnectionTimeout:
      return "timed out";
    default:
      return "no complete answer";
  }
}

struct Visit {
  std::string url;
  Verdict verdict{false, "more than 10 redirects"};
};

void visit(const std::shared_ptr<Visit>& it) try {
  for (int hop = 0; hop <= 10; ++hop) {
    const Address address(it->url);
    httplib::Client client(address.origin);
    client.set_connection_timeout(10);
    client.set_read_timeout(10);
    client.set_url_encode(false);
    client.set_decompress(false);
    if (address.host == "localhost" || address.host.ends_with(".localhost"))  // by RFC 6761
      client.set_hostname_addr_map({{address.host, "127.0.0.1"}});
    if (SSL_CTX* const tls = tls_context(client))
      SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
    const auto discard = [](const char*, size_t) { return true; };
    const auto answer = client.Get(address.target, {{"User-Agent", USER_AGENT}}, discard);
    const int status = answer ? answer->status : 0;
    const bool redirected = status >= 301 && status <= 308 && status != 304 && status != 305 &&
                            status != 306 && !answer->get_header_value("Location").empty();
    it->verdict = {status == 200,
                   answer ? "HTTP status " + std::to_string(status) : explain(client, answer)};
    if (!redirected) return;
    it->url = address.resolve(answer->get_header_value("Location"));
  }
  it->verdict = {false, "more than 10 redirects"};
} catch (const std::exception& error) {
  it->verdict = {false, error.what()};
}

// Whether `url` answers 200 and sends its whole body, over at most 10 redirects and within 10 s in
// all. A thread could not be ended from outside; a green thread can, where it waits.
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
} catch (const std::exception& error) {  // it costs this URL, not the others
  print(url, error);
}

int main(int argc, char* argv[]) {
  const auto urls = arguments(argc, argv);
  green::patch_all();
  green::stack_size = 8 << 20;  // as an OS thread's: cpp-httplib has regular expressions at work
  std::vector<green::Thread> fetches;
  for (const auto& url : urls) try {
      fetches.push_back(green::spawn(fetch, url));
    } catch (const std::exception& error) {  // no memory for its stack
      print(url, error);
    }
  green::join_all(fetches);
  return exit_status;
}
