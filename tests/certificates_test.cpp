// A table of certificates. Each row has the host that is asked for, the names in the server's
// certificate, and whether they match by a strict reading of RFC 9525: no common name; an address
// only as an address; a wildcard only for the whole first label.

#include "server/certificates.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <functional>
#include <list>
#include <memory>
#include <regex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "fetchers.hpp"
#include "folder.hpp"
#include "socket.hpp"
#include "test_server.hpp"

namespace {

using namespace std::string_literals;

// A subject alternative name.
struct Name {
  int kind;           // GEN_DNS, …
  std::string value;  // of an address: its bytes
};
using Names = std::vector<Name>;

Name dns(const std::string& name) { return {GEN_DNS, name}; }
Name uri(const std::string& name) { return {GEN_URI, name}; }
Name email(const std::string& name) { return {GEN_EMAIL, name}; }
Name service(const std::string& name) { return {GEN_OTHERNAME, name}; }
Name directory(const std::string& name) { return {GEN_DIRNAME, name}; }
Name bytes(const std::string& address) { return {GEN_IPADD, address}; }

Name ip(const char* address) {
  in6_addr parsed;
  const int family = std::string(address).find(':') == std::string::npos ? AF_INET : AF_INET6;
  if (inet_pton(family, address, &parsed) != 1) throw std::invalid_argument(address);
  return bytes({reinterpret_cast<const char*>(&parsed), family == AF_INET ? 4u : 16u});
}

Names many(const Name& last) {
  Names all;
  for (int i = 0; i < 100; ++i) all.push_back(dns("host" + std::to_string(i) + ".test"));
  all.push_back(last);
  return all;
}

struct Row {
  std::string name;
  std::string host;         // as it stands in the URL
  std::string common_name;  // the certificate's; it has none if this is empty
  Names names;
  bool ok;
};

constexpr bool OK = true, Bad = false;

const std::vector<Row> table{
    // A name.
    {"the name", "site.test", "", {dns("site.test")}, OK},
    {"another name", "site.test", "", {dns("other.test")}, Bad},
    {"the second of two", "site.test", "", {dns("other.test"), dns("site.test")}, OK},
    {"the last of 101", "site.test", "", many(dns("site.test")), OK},
    {"none of 101", "site.test", "", many(dns("another.test")), Bad},
    {"after an address", "site.test", "", {ip("127.0.0.1"), dns("site.test")}, OK},
    {"the name below", "site.test", "", {dns("www.site.test")}, Bad},
    {"the name above", "www.site.test", "", {dns("site.test")}, Bad},
    {"the name above, with a dot", "www.site.test", "", {dns(".site.test")}, Bad},
    {"the name's end", "website.test", "", {dns("site.test")}, Bad},
    {"the name's start", "site.test", "", {dns("site.te")}, Bad},
    {"its first label", "site.test", "", {dns("site")}, Bad},
    {"a name of one label", "localhost", "", {dns("localhost")}, OK},
    {"63 letters", std::string(63, 'x') + ".test", "", {dns(std::string(63, 'x') + ".test")}, OK},
    {"upper case in the certificate", "site.test", "", {dns("SITE.Test")}, OK},
    {"upper case in the URL", "SITE.Test", "", {dns("site.test")}, OK},
    {"a dot at the end of the URL's", "site.test.", "", {dns("site.test")}, OK},
    {"another name, and a dot", "site.test.", "", {dns("other.test")}, Bad},
    {"a dot at the certificate's end", "site.test", "", {dns("site.test.")}, Bad},
    {"a dot at both ends", "site.test.", "", {dns("site.test.")}, Bad},
    {"localhost with a dot", "localhost.", "", {dns("localhost")}, OK},
    {"an empty name", "site.test", "", {dns("")}, Bad},
    {"an empty name, and the name", "site.test", "", {dns(""), dns("site.test")}, OK},
    {"a NUL behind the name", "site.test", "", {dns("site.test\0"s)}, Bad},
    {"a NUL and another name behind it", "site.test", "", {dns("site.test\0.evil.test"s)}, Bad},
    {"a NUL before the name", "site.test", "", {dns("\0site.test"s)}, Bad},
    {"a space before the name", "site.test", "", {dns(" site.test")}, Bad},
    {"a space behind the name", "site.test", "", {dns("site.test ")}, Bad},
    {"two names in one", "site.test", "", {dns("site.test,other.test")}, Bad},
    {"with a port", "site.test", "", {dns("site.test:443")}, Bad},

    // A name beyond ASCII is asked for, and certified, by its A-labels.
    {"IDN", "xn--bcher-kva.test", "", {dns("xn--bcher-kva.test")}, OK},
    {"IDN in upper case", "xn--bcher-kva.test", "", {dns("XN--BCHER-KVA.test")}, OK},
    {"IDN in UTF-8",
     "xn--bcher-kva.test",
     "",
     {dns("b\xc3\xbc"
          "cher.test")},
     Bad},
    {"IDN in Latin-1",
     "xn--bcher-kva.test",
     "",
     {dns("b\xfc"
          "cher.test")},
     Bad},
    {"IDN and a wildcard in its label", "xn--bcher-kva.test", "", {dns("xn--b*.test")}, Bad},
    {"a wildcard for an IDN", "xn--bcher-kva.site.test", "", {dns("*.site.test")}, OK},
    {"a wildcard in an IDN", "xn--bcher-kva.site.test", "", {dns("xn--*.site.test")}, Bad},
    {"below an IDN", "www.xn--bcher-kva.test", "", {dns("*.xn--bcher-kva.test")}, OK},

    // Wildcards.
    {"*", "www.site.test", "", {dns("*.site.test")}, OK},
    {"* in upper case", "www.site.test", "", {dns("*.SITE.TEST")}, OK},
    {"* for a name with a dot", "www.site.test.", "", {dns("*.site.test")}, OK},
    {"* two labels deep", "a.b.site.test", "", {dns("*.b.site.test")}, OK},
    {"* for no label", "site.test", "", {dns("*.site.test")}, Bad},
    {"* for two labels", "a.b.site.test", "", {dns("*.site.test")}, Bad},
    {"* of another name", "www.site.test", "", {dns("*.other.test")}, Bad},
    {"* before the end of a label", "www.website.test", "", {dns("*.site.test")}, Bad},
    {"* twice", "a.b.site.test", "", {dns("*.*.site.test")}, Bad},
    {"**", "www.site.test", "", {dns("**.site.test")}, Bad},
    {"* for the end of a label", "www.site.test", "", {dns("w*.site.test")}, Bad},
    {"* for the start of a label", "www.site.test", "", {dns("*w.site.test")}, Bad},
    {"* in the middle of a label", "www.site.test", "", {dns("w*w.site.test")}, Bad},
    {"* for nothing", "www.site.test", "", {dns("www*.site.test")}, Bad},
    {"* in the second label", "www.site.test", "", {dns("www.*.test")}, Bad},
    {"* in the last label", "www.site.test", "", {dns("www.site.*")}, Bad},
    {"* without its dot", "www.site.test", "", {dns("*site.test")}, Bad},
    {"* right below the top", "site.test", "", {dns("*.test")}, Bad},
    {"* right below localhost", "www.localhost", "", {dns("*.localhost")}, Bad},
    {"* two labels below localhost", "a.b.localhost", "", {dns("*.localhost")}, Bad},
    {"* below a name below localhost", "a.b.localhost", "", {dns("*.b.localhost")}, OK},
    {"* for localhost", "localhost", "", {dns("*.localhost")}, Bad},
    {"* alone", "localhost", "", {dns("*")}, Bad},
    {"* alone, for a name with dots", "site.test", "", {dns("*")}, Bad},
    {"*.", "localhost", "", {dns("*.")}, Bad},
    {"* and a dot at the end", "www.site.test", "", {dns("*.site.test.")}, Bad},
    {"* and two dots", "www.site.test", "", {dns("*..site.test")}, Bad},
    {"* and a NUL", "www.site.test", "", {dns("*.site.test\0.evil.test"s)}, Bad},
    {"the name beside a *", "site.test", "", {dns("*.site.test"), dns("site.test")}, OK},

    // An address.
    {"the address", "127.0.0.1", "", {ip("127.0.0.1")}, OK},
    {"another address", "127.0.0.1", "", {ip("127.0.0.2")}, Bad},
    {"the second of two addresses", "127.0.0.1", "", {ip("127.0.0.2"), ip("127.0.0.1")}, OK},
    {"the address in short", "127.1", "", {ip("127.0.0.1")}, OK},
    {"another in short", "127.1", "", {ip("127.0.0.2")}, Bad},
    {"in short, as a name", "127.1", "", {dns("127.1")}, Bad},
    {"the address as a name", "127.0.0.1", "", {dns("127.0.0.1")}, Bad},
    {"as a name, beside another", "127.0.0.1", "", {dns("127.0.0.1"), ip("127.0.0.2")}, Bad},
    {"as a wildcard", "127.0.0.1", "", {dns("*.0.0.1")}, Bad},
    {"as a wildcard at the end", "127.0.0.1", "", {dns("127.0.0.*")}, Bad},
    {"as text", "127.0.0.1", "", {bytes("127.0.0.1")}, Bad},
    {"as an address of version 6", "127.0.0.1", "", {ip("::ffff:127.0.0.1")}, Bad},
    {"its first bytes", "127.0.0.1", "", {bytes("\x7f\0"s)}, Bad},
    {"with a mask", "127.0.0.1", "", {bytes("\x7f\0\0\0\xff\0\0\0"s)}, Bad},
    {"as a URI", "127.0.0.1", "", {uri("https://127.0.0.1/")}, Bad},
    {"the name for its address", "127.0.0.1", "", {dns("localhost")}, Bad},
    {"the address for a name", "localhost", "", {ip("127.0.0.1")}, Bad},
    {"a name as an address", "sixteenbyte.test", "", {bytes("sixteenbyte.test")}, Bad},
    {"IPv6", "[::1]", "", {ip("::1")}, OK},
    {"another of IPv6", "[::1]", "", {ip("::2")}, Bad},
    {"IPv6 in full", "[0:0:0:0:0:0:0:1]", "", {ip("::1")}, OK},
    {"IPv6 as a name", "[::1]", "", {dns("::1")}, Bad},
    {"IPv6 as a name in brackets", "[::1]", "", {dns("[::1]")}, Bad},
    {"IPv4 for IPv6", "[::1]", "", {ip("127.0.0.1")}, Bad},
    {"a name that starts with an address", "127.0.0.1.test", "", {dns("127.0.0.1.test")}, OK},
    {"an address for such a name", "127.0.0.1.test", "", {ip("127.0.0.1")}, Bad},

    // The common name says nothing.
    {"CN alone", "site.test", "site.test", {}, Bad},
    {"CN with a wildcard", "www.site.test", "*.site.test", {}, Bad},
    {"CN with a NUL", "site.test", "site.test\0.evil.test"s, {}, Bad},
    {"CN beside another name", "site.test", "site.test", {dns("other.test")}, Bad},
    {"CN beside an address", "site.test", "site.test", {ip("127.0.0.1")}, Bad},
    {"CN beside an email", "site.test", "site.test", {email("a@site.test")}, Bad},
    {"CN beside a URI", "site.test", "site.test", {uri("https://site.test/")}, Bad},
    {"another CN beside the name", "site.test", "other.test", {dns("site.test")}, OK},
    {"an address as CN", "127.0.0.1", "127.0.0.1", {}, Bad},
    {"an address as CN, beside a name", "127.0.0.1", "127.0.0.1", {dns("site.test")}, Bad},
    {"an address as CN, beside another", "127.0.0.1", "127.0.0.1", {ip("127.0.0.2")}, Bad},
    {"an IPv6 address as CN", "[::1]", "::1", {}, Bad},

    // Nor do others.
    {"nothing at all", "site.test", "", {}, Bad},
    {"a URI", "site.test", "", {uri("https://site.test/")}, Bad},
    {"a bare URI", "site.test", "", {uri("site.test")}, Bad},
    {"an email", "site.test", "", {email("a@site.test")}, Bad},
    {"a bare email", "site.test", "", {email("site.test")}, Bad},
    {"a service", "site.test", "", {service("_https.site.test")}, Bad},
    {"a directory's name", "site.test", "", {directory("site.test")}, Bad},
};

template <typename T>
T* checked(T* made) {
  if (!made) throw std::runtime_error("OpenSSL has no memory");
  return made;
}

void set(ASN1_STRING* string, const std::string& value) {
  REQUIRE(ASN1_STRING_set(string, value.data(), int(value.size())) == 1);
}

GENERAL_NAME* general_name(const Name& name) {
  GENERAL_NAME* const made = checked(GENERAL_NAME_new());
  if (name.kind == GEN_DIRNAME) {
    X509_NAME* const directory_name = checked(X509_NAME_new());
    X509_NAME_add_entry_by_txt(directory_name, "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(name.value.data()),
                               int(name.value.size()), -1, 0);
    GENERAL_NAME_set0_value(made, GEN_DIRNAME, directory_name);
    return made;
  }
  ASN1_STRING* const text = checked(
      ASN1_STRING_type_new(name.kind == GEN_IPADD ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING));
  set(text, name.value);
  if (name.kind == GEN_OTHERNAME) {
    ASN1_TYPE* const value = checked(ASN1_TYPE_new());
    ASN1_TYPE_set(value, V_ASN1_IA5STRING, text);
    GENERAL_NAME_set0_othername(made, OBJ_txt2obj("1.3.6.1.5.5.7.8.7", 1), value);  // an SRV name
  } else {
    GENERAL_NAME_set0_value(made, name.kind, text);
  }
  return made;
}

void add_names(X509* certificate, const Names& names) {
  const auto free_all = [](GENERAL_NAMES* all) { GENERAL_NAMES_free(all); };
  const std::unique_ptr<GENERAL_NAMES, decltype(free_all)> all(checked(GENERAL_NAMES_new()));
  for (const auto& name : names) sk_GENERAL_NAME_push(all.get(), general_name(name));
  REQUIRE(X509_add1_ext_i2d(certificate, NID_subject_alt_name, all.get(), 0, 0) == 1);
}

// An https port on the loopback with a certificate of its own. It answers `200` to clients that
// accept the certificate.
class Site {
 public:
  Site(const Authority& authority, EVP_PKEY* key, const Row& row)
      : context_(checked(SSL_CTX_new(TLS_server_method()))) {
    const Certificate certificate = make_certificate(row.common_name, key);
    if (!row.names.empty()) add_names(certificate.get(), row.names);
    authority.certify(certificate.get());
    REQUIRE(SSL_CTX_use_certificate(context_.get(), certificate.get()) == 1);
    REQUIRE(SSL_CTX_use_PrivateKey(context_.get(), key) == 1);

    const bool v6 = row.host.starts_with('[');
    sockaddr_in6 of6{};
    sockaddr_in of4{};
    of6.sin6_family = AF_INET6;
    of6.sin6_addr = in6addr_loopback;
    of4.sin_family = AF_INET;
    if (inet_pton(AF_INET, row.host.c_str(), &of4.sin_addr) != 1)
      of4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* const address =
        v6 ? reinterpret_cast<sockaddr*>(&of6) : reinterpret_cast<sockaddr*>(&of4);
    socklen_t size = v6 ? sizeof of6 : sizeof of4;
    listener_ = Descriptor(socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(bind(listener_.get(), address, size) == 0);
    REQUIRE(listen(listener_.get(), 100) == 0);
    REQUIRE(getsockname(listener_.get(), address, &size) == 0);
    url_ = "https://" + row.host + ':' + std::to_string(ntohs(v6 ? of6.sin6_port : of4.sin_port)) +
           '/';
  }

  int listener() const { return listener_.get(); }
  const std::string& url() const { return url_; }

  Descriptor accept() const {
    return Descriptor(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  }

  // One connection, from its start to its end.
  void serve(const Descriptor& connection) const {
    const timeval patience{60, 0};  // beyond any client's deadline
    setsockopt(connection.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    const std::unique_ptr<SSL, Free<SSL_free>> tls(checked(SSL_new(context_.get())));
    SSL_set_fd(tls.get(), connection.get());
    if (SSL_accept(tls.get()) != 1) return;
    std::string request;
    for (char piece[4096]; request.find("\r\n\r\n") == std::string::npos;) {
      const int size = SSL_read(tls.get(), piece, sizeof piece);
      if (size <= 0) return;
      request.append(piece, std::size_t(size));
    }
    // Some servers ask for the client's own certificate once they know what it wants. (TLS 1.3 lets
    // them, if the client has said that it may be asked.) This one can do without.
    SSL_set_verify(tls.get(), SSL_VERIFY_PEER, nullptr);
    const bool fine =
        !request.starts_with("GET /who-are-you ") ||
        (SSL_verify_client_post_handshake(tls.get()) == 1 && SSL_do_handshake(tls.get()) == 1);
    const std::string answer = std::string("HTTP/1.1 ") + (fine ? "200 OK" : "403 Forbidden") +
                               "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    SSL_write(tls.get(), answer.data(), int(answer.size()));
    SSL_shutdown(tls.get());
    for (char rest[4096]; read(connection.get(), rest, sizeof rest) > 0;) {
    }
  }

 private:
  std::unique_ptr<SSL_CTX, Free<SSL_CTX_free>> context_;
  Descriptor listener_;
  std::string url_;
};

// A site for each row, and a thread for each connection: a client that is slow holds up no other.
class Sites {
 public:
  explicit Sites(const std::vector<Row>& rows) {
    const Key key = make_key();
    for (const auto& row : rows) sites_.emplace_back(authority_, key.get(), row);
    thread_ = std::jthread([this] { serve(); });
  }
  ~Sites() { stop_.write_end.close(); }

  const std::list<Site>& all() const { return sites_; }
  std::string authority() const { return authority_.pem(); }

 private:
  void serve() const {
    std::list<std::jthread> connections;
    std::vector<pollfd> fds{{stop_.read_end.get(), POLLIN, 0}};
    for (const auto& site : sites_) fds.push_back({site.listener(), POLLIN, 0});
    while (poll(fds.data(), fds.size(), -1) > 0 && !fds[0].revents) {
      auto site = sites_.begin();
      for (std::size_t i = 1; i < fds.size(); ++i, ++site)
        if (fds[i].revents)
          connections.emplace_back(
              [site, connection = site->accept()] { site->serve(connection); });
    }
  }

  const Authority authority_;
  std::list<Site> sites_;
  Pipe stop_;
  std::jthread thread_;  // the first to go
};

// The fetcher's command, with the authorities in `file` to be trusted, and names that end in .test.
Lines trusting(const std::string& file, const Fetcher& fetcher, const Lines& urls) {
  Lines all{"env", "SSL_CERT_FILE=" + file};
  if (!sanitized) all.push_back("LD_PRELOAD=" NAMES);
  for (const auto& word : command(fetcher, urls)) all.push_back(word);
  return all;
}

// The rows that this machine can have. Sanitized programs do not load what makes names known.
std::vector<Row> possible(std::vector<Row> rows) {
  std::erase_if(rows, [](const Row& row) {
    return (row.host.starts_with('[') && !has_ipv6()) ||
           (sanitized && (row.host.find("test") != std::string::npos || row.host.ends_with('.') ||
                          row.host.find("Test") != std::string::npos));
  });
  return rows;
}

void check(const Fetcher& fetcher, const std::string& what, const std::string& url, bool ok,
           const Result& result) {
  static const std::regex reason(".*(certificate|mismatch|another host|subject name|cert name).*\n",
                                 std::regex::icase);
  INFO(fetcher.program << ": " << what << ": " << url << ": " << result.err);
  CHECK(result.out == url + (ok ? " OK\n" : " Bad\n"));
  CHECK((ok ? result.err.empty() : std::regex_match(result.err, reason)));
}

}  // namespace

TEST_CASE("certificates: every fetcher takes those of the host that it asks, and no others") {
  CHECK(table.size() >= 50);
  const std::vector<Row> rows = possible(table);
  const Sites sites(rows);
  const Folder folder;
  const std::string authorities = folder.write("ca.pem", sites.authority());
  std::list<std::function<void()>> checks;  // of those under way
  auto site = sites.all().begin();
  for (const auto& row : rows) {
    for (const auto& fetcher : fetchers()) {
      const std::string url = site->url();
      const auto process =
          std::make_shared<Process>(trusting(authorities, fetcher, {url}),
                                    Process::Options{.time_limit = std::chrono::seconds(30)});
      checks.push_back(
          [=, &row, &fetcher] { check(fetcher, row.name, url, row.ok, process->finish()); });
      if (checks.size() < 12) continue;
      checks.front()();
      checks.pop_front();
    }
    ++site;
  }
  for (const auto& check_it : checks) check_it();
}

TEST_CASE("certificates: where a redirect leads to, that host's is asked for") {
  if (sanitized) return not_run("the sanitizers load no module");
  const Sites sites(
      {{"its own", "site.test", "", {dns("site.test")}, OK},
       {"the first host's", "site.test", "", {dns("localhost"), ip("127.0.0.1")}, Bad},
       {"the first address's", "127.0.0.2", "", {ip("127.0.0.1")}, Bad}});
  const Server server({"--tls-port", "0"});
  std::ofstream(server.ca_file(), std::ios::app) << sites.authority();
  for (const auto& site : sites.all()) {
    const bool ok = &site == &sites.all().front();
    for (const auto& from : {server.url(), server.tls_url()}) {
      const std::string url = from + "/redirect-to?url=" + site.url();
      for (const auto& fetcher : fetchers())
        check(fetcher, "redirected", url, ok, run(trusting(server.ca_file(), fetcher, {url})));
    }
  }
}

TEST_CASE(
    "certificates: a client that is asked for its own after the handshake may go on without") {
  const Sites sites({{"the name", "localhost", "", {dns("localhost")}, OK}});
  const Folder folder;
  const std::string authorities = folder.write("ca.pem", sites.authority());
  const std::string url = sites.all().front().url() + "who-are-you";
  for (const auto& fetcher : fetchers())
    check(fetcher, "asked who it is", url, true, run(trusting(authorities, fetcher, {url})));
}

// Each host must match its own certificate, not that of another URL.
TEST_CASE("certificates: each of many URLs is held to its own host") {
  const std::vector<Row> rows = possible(table);
  const Sites sites(rows);
  const Folder folder;
  const std::string authorities = folder.write("ca.pem", sites.authority());
  // Each URL has its 10 s however busy the machine is: not all of them can be on one command line.
  const std::size_t part = 20;
  auto site = sites.all().begin();
  for (std::size_t from = 0; from < rows.size(); from += part) {
    Lines urls, expected;
    for (std::size_t i = from; i < std::min(from + part, rows.size()); ++i, ++site) {
      urls.push_back(site->url());
      expected.push_back(site->url() + (rows[i].ok ? " OK" : " Bad"));
    }
    for (const auto& fetcher : fetchers()) {
      INFO(fetcher.program);
      const Result result = run(trusting(authorities, fetcher, urls));
      CHECK(difference(lines(result.out), expected) == Lines());
    }
  }
}
