// Real servers, as they stand before most sites: nginx, Apache, HAProxy and lighttpd. Each program
// must say of each URL what this table says, and so must curl.
//
// The servers have the same paths. /hop/, /near/ and /far/ redirect once for each x at their end:
// to a path, to a relative one, to a whole URL. Below /proxy/ are the routes of our test server,
// which each of them asks for on behalf of the client.

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <list>
#include <map>
#include <regex>

#include "catch.hpp"
#include "fetchers.hpp"
#include "server.hpp"
#include "socket.hpp"
#include "test_server.hpp"

namespace {

const std::vector<Software> all_software{
    {"nginx", "/usr/sbin/nginx",
     geteuid() == 0 ? Lines{"-e", "stderr", "-c", "@folder@/nginx.conf", "-g", "user root;"}
                    : Lines{"-e", "stderr", "-c", "@folder@/nginx.conf"},
     SIGHUP},
    {"apache", "/usr/sbin/apache2", {"-f", "@folder@/apache.conf", "-DFOREGROUND"}, SIGUSR1},
    {"haproxy", "/usr/sbin/haproxy", {"-W", "-f", "@folder@/haproxy.conf"}, SIGUSR2},
    {"lighttpd",
     "/usr/sbin/lighttpd",
     {"-D", "-f", "@folder@/lighttpd.conf", "-m", "@prefix@/usr/lib/lighttpd"},
     SIGUSR1},
};

// In a URL, {http} is the server's base URL; {closing} that of a port that closes after each
// answer; {tls}, {tls12}, {tls13}, {ecdsa} and {client} that of its https ports, the last of which
// demands a certificate of the client; {port} that of {tls}.
struct Row {
  std::string name, servers, url;
  const char* reason;  // of a Bad: a regular expression for its words, in any case. OK has none.

  bool is_ok() const { return !reason; }
};

constexpr const char* over_https = ", over https";
constexpr const char* OK = nullptr;
constexpr const char* too_many = "redirect";
constexpr const char* cut_short = "clos|end of|transfer|partial|remaining";
constexpr const char* another_name = "certificate|mismatch|host";
// In TLS 1.3 the alert comes after the handshake, and may be lost with the connection.
constexpr const char* no_certificate =
    "certificate|alert|end of the answer|reset|broken pipe|HTTP status 400";
const std::string all = "nginx apache haproxy lighttpd";
const std::string with_files = "nginx apache lighttpd";  // HAProxy is a proxy alone
const std::string passing_interim = "apache haproxy lighttpd";
const std::string ten = "xxxxxxxxxx";

const std::vector<Row> table{
    {"a page", all, "{http}/file", OK},
    {"no such page", with_files, "{http}/nowhere", "HTTP status 404"},
    {"gone", "nginx apache haproxy", "{http}/gone", "HTTP status 410"},
    {"busy", "nginx apache haproxy", "{http}/busy", "HTTP status 503"},
    {"busy behind it", all, "{http}/proxy/status/503", "HTTP status 503"},

    {"10 redirects", all, "{http}/hop/" + ten, OK},
    {"11 redirects", all, "{http}/hop/x" + ten, too_many},
    {"10 relative redirects", all, "{http}/near/" + ten, OK},
    {"11 relative redirects", all, "{http}/near/x" + ten, too_many},
    {"10 absolute redirects", all, "{http}/far/" + ten, OK},
    {"11 absolute redirects", all, "{http}/far/x" + ten, too_many},
    {"10 redirects, each closes", all, "{closing}/hop/" + ten, OK},

    {"gzip", with_files, "{http}/zip", OK},
    {"gzip from behind it", all, "{http}/proxy/gzip", OK},
    {"chunked", all, "{http}/proxy/stream/1000", OK},
    {"no length", all, "{http}/proxy/no-length", OK},
    {"1 MB from behind it", all, "{http}/proxy/bytes/1000000", OK},

    {"nobody behind it", all, "{http}/dead", "HTTP status 50[23]"},
    {"it closes", all, "{http}/proxy/close", "HTTP status 50[023]"},
    {"it resets", all, "{http}/proxy/rst", "HTTP status 50[023]"},
    {"it sends no HTTP", "nginx haproxy lighttpd", "{http}/proxy/garbage",
     "HTTP status (50[023]|0)|HTTP/0.9|bad version|end of the answer"},
    {"Apache takes that for a page", "apache", "{http}/proxy/garbage", OK},
    {"it dies in the body", all, "{http}/proxy/truncate", cut_short},
    // lighttpd takes that for the end of the body, unless it has sent the beginning already.
    {"it dies in a chunk", "nginx apache haproxy", "{http}/proxy/truncate-chunked", cut_short},

    {"103 before the answer", "haproxy", "{http}/hints", OK},
    {"102 from behind it", passing_interim,
     "{http}/proxy/raw?send=HTTP/1.1%20102%20Processing%0D%0A%0D%0A"
     "HTTP/1.1%20200%20OK%0D%0AContent-Length:%202%0D%0A%0D%0Aok",
     OK},
    {"103 from behind it", passing_interim,
     "{http}/proxy/raw?send=HTTP/1.1%20103%20Early%20Hints%0D%0ALink:%20%3C/x%3E%0D%0A%0D%0A"
     "HTTP/1.1%20200%20OK%0D%0AContent-Length:%202%0D%0A%0D%0Aok",
     OK},

    {"TLS 1.2 only", all, "{tls12}/file", OK},
    {"TLS 1.3 only", all, "{tls13}/file", OK},
    {"10 redirects, TLS 1.2", all, "{tls12}/hop/" + ten, OK},
    {"10 redirects, TLS 1.3", all, "{tls13}/hop/" + ten, OK},
    {"ECDSA", all, "{ecdsa}/file", OK},
    {"SNI: the first of two", all, "https://one.test:{port}/file", OK},
    {"SNI: the second of two", all, "https://two.test:{port}/file", OK},
    {"SNI: the default", all, "https://localhost:{port}/file", OK},
    {"SNI: none of them", all, "https://other.test:{port}/file", another_name},

    {"a client certificate demanded", all, "{client}/file", no_certificate},
    {"asked for by path", "apache", "{tls13}/asked", "HTTP status 404"},
    {"demanded by path", "apache", "{tls13}/demanded", no_certificate},
};

// The rows for which some engines say the opposite.
const std::map<std::string, std::string> exceptions{
    // It accepts no interim answer but 100.
    {"103 before the answer", "cpp-httplib"},
    {"102 from behind it", "cpp-httplib"},
    {"103 from behind it", "cpp-httplib"},
};

bool is_exception(const std::string& engine, const Row& row) {
  const auto found = exceptions.find(row.name.substr(0, row.name.rfind(over_https)));
  return found != exceptions.end() && found->second.find(engine) != std::string::npos;
}

void replace(std::string& text, const std::string& what, const std::string& by) {
  if (const auto at = text.find(what); at != std::string::npos) text.replace(at, what.size(), by);
}

// A server, and what is behind it.
class Site {
 public:
  explicit Site(const Software& software)
      : server_(software, certificates_,
                {{"backend", std::to_string(behind_.port())},
                 {"slow", std::to_string(slow_.port())},
                 {"dead", std::to_string(dead_.port())},
                 {"generation", "first"}}),
        name_(software.name) {}

  // The table's rows for it, with whole URLs. Those over http are there over https as well.
  std::vector<Row> rows() const {
    std::vector<Row> rows;
    for (Row row : table) {
      if (row.servers.find(name_) == std::string::npos) continue;
      if (sanitized && row.url.find(".test") != std::string::npos) continue;
      rows.push_back(row);
      replace(row.url, "{http}", "{tls}");
      row.name += over_https;
      if (row.url != rows.back().url) rows.push_back(row);
    }
    for (auto& row : rows) row.url = whole(row.url);
    return rows;
  }

  std::string whole(std::string url) const {
    for (const char* port : {"http", "closing"})
      replace(url, '{' + std::string(port) + '}', base("http", port));
    for (const char* port : {"tls", "tls12", "tls13", "ecdsa", "client"})
      replace(url, '{' + std::string(port) + '}', base("https", port));
    replace(url, "{port}", std::to_string(server_.port("tls")));
    return url;
  }

  // A command with the servers' authority to be trusted, and names that end in .test.
  Lines trusting(const Lines& command) const {
    Lines words{"env", "SSL_CERT_FILE=" + certificates_.authority_file()};
    if (!sanitized) words.push_back("LD_PRELOAD=" NAMES);
    words.insert(words.end(), command.begin(), command.end());
    return words;
  }

  // The reference. In HTTP/2 it could not see that HAProxy 2.6 cut a chunked answer short. It
  // closes each connection itself, because 7.88 gives up a URL for which it met five that the
  // server had closed, and a busy Apache closes some.
  Lines curl(const std::string& url) const {
    return trusting({"curl", "-q", "--http1.1", "-H", "Connection: close", "-sS", "--noproxy", "*",
                     "-o", "/dev/null", "--cacert", certificates_.authority_file(), "-L",
                     "--max-redirs", "10", "-m", "10", "--fail", url});
  }

  RealServer& server() { return server_; }
  Listener& slow() { return slow_; }

 private:
  std::string base(const std::string& scheme, const std::string& port) const {
    return scheme + "://127.0.0.1:" + std::to_string(server_.port(port));
  }

  const Certificates certificates_;
  Server behind_;
  Listener slow_;
  RefusedPort dead_;
  RealServer server_;
  std::string name_;
};

// `coexist` gives every second URL to another engine.
std::string engine_of(const Fetcher& fetcher, std::size_t nth) {
  const bool other = fetcher.program.ends_with("/coexist") && nth % 2 == 1;
  return other ? "Boost.Beast" : fetcher.engine;
}

bool matches(const std::string& reason, const char* pattern) {
  return std::regex_search(reason, std::regex(pattern, std::regex::icase));
}

// curl, on each row; up to 8 at once.
Lines problems_of_curl(const Site& site, const std::vector<Row>& rows) {
  Lines problems;
  std::list<std::pair<const Row&, Process>> under_way;
  const auto await_first = [&] {
    auto& [row, process] = under_way.front();
    const Result result = process.finish();
    const bool ok = result.status == 0, expected = row.is_ok() != is_exception("curl", row);
    if (ok != expected) problems.push_back(row.name + ", " + row.url + ' ' + result.err);
    under_way.pop_front();
  };
  for (const auto& row : rows) {
    if (under_way.size() == 8) await_first();
    under_way.emplace_back(std::piecewise_construct, std::forward_as_tuple(row),
                           std::forward_as_tuple(site.curl(row.url)));
  }
  while (!under_way.empty()) await_first();
  return problems;
}

Lines urls_of(const std::vector<Row>& rows) {
  Lines urls;
  for (const auto& row : rows) urls.push_back(row.url);
  return urls;
}

// A fetcher, on all rows at once.
Lines problems_of(const Fetcher& fetcher, const Result& result, const std::vector<Row>& rows) {
  Lines problems;
  count_ok(result, urls_of(rows));
  CHECK(result.orphans == 0);
  const Lines out = lines(result.out), err = lines(result.err);
  for (std::size_t nth = 0; nth < rows.size(); ++nth) {
    const Row& row = rows[nth];
    const std::string start = row.url + ": ";
    const bool ok = std::ranges::count(out, row.url + " OK") > 0;
    const bool expected = row.is_ok() != is_exception(engine_of(fetcher, nth), row);
    const auto line = std::ranges::find_if(
        err, [&start](const std::string& some) { return some.starts_with(start); });
    const std::string reason = line == err.end() ? "" : line->substr(start.size());
    if (ok != expected || (!ok && !row.is_ok() && !matches(reason, row.reason)))
      problems.push_back(row.name + ", " + row.url + (ok ? " OK" : " Bad: " + reason));
  }
  return problems;
}

// Whether it is here. If not, the test is not run.
bool is_here(const Software& software) {
  const bool is = find(software).has_value();
  if (!is) not_run("there is no " + software.name + "; ./learn test all fetches it");
  return is;
}

// One fetcher after the other: on a busy machine all of them together might take their 10 s.
void check(const Software& software) {
  if (!is_here(software)) return;
  const Site site(software);
  const std::vector<Row> rows = site.rows();
  CHECK(problems_of_curl(site, rows) == Lines());
  for (const auto& fetcher : fetchers()) {
    INFO(fetcher.program);
    const Result result = run(site.trusting(command(fetcher, urls_of(rows))));
    CHECK(problems_of(fetcher, result, rows) == Lines());
  }
}

void check_huge(const Software& software) {
  if (sanitized) return not_run("the sanitizers' programs are too slow");
  if (!is_here(software)) return;
  const Site site(software);
  for (const auto& fetcher : fetchers())
    for (const char* base : {"{http}", "{tls}"}) {
      INFO(fetcher.program << ", " << base);
      const std::string url = site.whole(base + std::string("/huge"));
      const Result result = run(site.trusting(command(fetcher, {url})));
      CHECK(result.out == url + " OK\n");
      CHECK(result.err == "");
      CHECK(result.peak_kib < 100 * 1024);
    }
}

// The server reads its configuration again while each fetcher has half of an answer.
void check_reload(const Software& software) {
  if (!is_here(software)) return;
  Site site(software);
  const std::string slow = site.whole("{tls}/slow");
  for (const auto& fetcher : fetchers()) {
    INFO(fetcher.program);
    std::string next = fetcher.program;
    std::ranges::replace(next, '/', '-');
    const std::string renewed = site.whole("{http}/" + next);
    const auto is_renewed = [&] { return run(site.curl(renewed)).status == 0; };
    REQUIRE(!is_renewed());

    Process process(site.trusting(command(fetcher, {slow})));
    Socket answer = site.slow().accept();
    answer.receive_until("\r\n\r\n");
    answer.send("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf");
    site.server().reload("generation", next);
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!is_renewed()) REQUIRE(std::chrono::steady_clock::now() < give_up);
    answer.send("done");
    const Result result = process.finish();
    CHECK(result.out == slow + " OK\n");
    CHECK(result.err == "");
  }
}

}  // namespace

TEST_CASE("real: nginx") { check(all_software[0]); }
TEST_CASE("real: Apache") { check(all_software[1]); }
TEST_CASE("real: HAProxy") { check(all_software[2]); }
TEST_CASE("real: lighttpd") { check(all_software[3]); }

TEST_CASE("real: nginx is reloaded") { check_reload(all_software[0]); }
TEST_CASE("real: Apache is reloaded") { check_reload(all_software[1]); }
TEST_CASE("real: HAProxy is reloaded") { check_reload(all_software[2]); }
// Not lighttpd: its old process may end before the answers that it passes on.

TEST_CASE("real: 1 GB from nginx") { check_huge(all_software[0]); }
TEST_CASE("real: 1 GB from Apache") { check_huge(all_software[1]); }
TEST_CASE("real: 1 GB from lighttpd") { check_huge(all_software[3]); }
