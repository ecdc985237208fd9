// The contract of `fetch` as a table: each row is one URL and what every chapter must say to it.

#include <algorithm>
#include <chrono>
#include <list>
#include <optional>
#include <regex>

#include "catch.hpp"
#include "fetchers.hpp"
#include "server.hpp"
#include "socket.hpp"

namespace {

enum Pace { quick, slow };  // slow is what takes seconds

// In a URL, {server} is the server's base URL and {port} its port, {v6} the base URL of one on
// [::1], {refused} that of a port that refuses, {unasked} that of a server that must see no
// request.
struct Row {
  const char* name;
  std::string url;
  const char* reason;  // of a Bad: a regular expression for its words, in any case. OK has none.
  Pace pace = quick;

  bool is_ok() const { return !reason; }
  std::string line() const { return url + (is_ok() ? " OK\n" : " Bad\n"); }
};

constexpr const char* OK = nullptr;
constexpr const char* timed_out = "timed out";
constexpr const char* too_many = "redirect";
constexpr const char* unsupported = "protocol|scheme|supported";
constexpr const char* malformed = "url|malformed|format|invalid|port";
constexpr const char* cut_short = "clos|end of|transfer|partial|incomplete|truncated|remaining";
constexpr const char* no_answer = "empty reply|clos|end of stream|reset";
constexpr const char* any = "\\w";

const std::vector<Row> table{
    // Exactly 200 is OK.
    {"status 200", "{server}/status/200", OK},
    {"status 201", "{server}/status/201", "HTTP status 201"},
    {"status 202", "{server}/status/202", "HTTP status 202"},
    {"status 204", "{server}/status/204", "HTTP status 204"},
    {"status 206", "{server}/status/206", "HTTP status 206"},
    {"status 299", "{server}/status/299", "HTTP status 299"},
    {"status 304", "{server}/status/304", "HTTP status 304"},
    {"status 400", "{server}/status/400", "HTTP status 400"},
    {"status 401", "{server}/status/401", "HTTP status 401"},
    {"status 404", "{server}/status/404", "HTTP status 404"},
    {"status 500", "{server}/status/500", "HTTP status 500"},
    {"status 503", "{server}/status/503", "HTTP status 503"},
    {"redirect without Location", "{server}/status/301", "HTTP status 301"},
    {"no such page", "{server}/nowhere", "HTTP status 404"},
    {"the talk's four sites: twitter", "{server}/twitter", OK},
    {"google", "{server}/google", OK},
    {"yahoo", "{server}/yahoo", OK},
    {"facebook", "{server}/facebook", OK},

    // Redirects.
    {"redirect 301", "{server}/redirect-to?url=/status/200&status_code=301", OK},
    {"redirect 302", "{server}/redirect-to?url=/status/200&status_code=302", OK},
    {"redirect 303", "{server}/redirect-to?url=/status/200&status_code=303", OK},
    {"redirect 307", "{server}/redirect-to?url=/status/200&status_code=307", OK},
    {"redirect 308", "{server}/redirect-to?url=/status/200&status_code=308", OK},
    {"status 300 is no redirect", "{server}/status/300", "HTTP status 300"},
    {"300 with a Location is none", "{server}/redirect-to?url=/gzip&status_code=300", "status 300"},
    {"304 with a Location is none", "{server}/redirect-to?url=/gzip&status_code=304", "status 304"},
    {"305 with a Location is none", "{server}/redirect-to?url=/gzip&status_code=305", "status 305"},
    {"399 with a Location is none", "{server}/redirect-to?url=/gzip&status_code=399", "status 399"},
    {"redirect to a 404", "{server}/redirect-to?url=/status/404", "HTTP status 404"},
    {"10 redirects", "{server}/redirect/10", OK},
    {"11 redirects", "{server}/redirect/11", too_many},
    {"relative redirects", "{server}/relative-redirect/3", OK},
    {"10 relative redirects", "{server}/relative-redirect/10", OK},
    {"11 relative redirects", "{server}/relative-redirect/11", too_many},
    {"absolute redirects", "{server}/absolute-redirect/10", OK},
    {"11 absolute redirects", "{server}/absolute-redirect/11", too_many},
    {"redirect to another host", "{server}/redirect-to?url=http://localhost:{port}/gzip", OK},
    {"redirect to //host", "{server}/redirect-to?url=//localhost:{port}/gzip", OK},
    {"redirect to ?query", "{server}/redirect-to?url=?url=/status/200", OK},
    {"redirect loop", "{server}/redirect-loop", too_many},
    {"slow redirect", "{server}/redirect-to?url=/delay/3&delay=3", OK, slow},
    {"one deadline for all hops", "{server}/redirect-to?url=/delay/6&delay=6", timed_out, slow},
    {"redirect to file:", "{server}/redirect-to?url=file:///etc/hostname", unsupported},
    {"redirect to ftp:", "{server}/redirect-to?url=ftp://127.0.0.1:{port}/", unsupported},
    {"redirect to a refused port", "{server}/redirect-to?url={refused}/", "connect|refused"},

    // Bodies.
    {"empty body", "{server}/bytes/0", OK},
    {"1 byte", "{server}/bytes/1", OK},
    {"1 MB", "{server}/bytes/1000000", OK},
    {"100 MB", "{server}/bytes/100000000", OK},
    {"chunked", "{server}/stream/20", OK},
    {"chunked, long", "{server}/stream/2000", OK},
    {"chunked, empty", "{server}/stream/0", OK},
    {"gzip", "{server}/gzip", OK},
    {"no length", "{server}/no-length", OK},
    {"slow, but within the deadline", "{server}/drip?numbytes=5&duration=3&delay=1", OK, slow},
    {"late, but within the deadline", "{server}/delay/7.5", OK, slow},
    {"dripping beyond the deadline", "{server}/drip?numbytes=60&duration=30", timed_out, slow},
    {"truncated", "{server}/truncate", cut_short},
    {"truncated chunks", "{server}/truncate-chunked", cut_short},
    {"endless body", "{server}/endless-body", timed_out, slow},

    // Hostile servers.
    {"hang", "{server}/hang", timed_out, slow},
    {"later than the deadline", "{server}/delay/15", timed_out, slow},
    {"slow headers", "{server}/slow-headers", timed_out, slow},
    {"endless headers", "{server}/endless-headers", any},
    {"garbage", "{server}/garbage", any},
    {"closed without an answer", "{server}/close", no_answer},
    {"reset", "{server}/rst", "reset"},
    {"port that refuses", "{refused}/", "connect|refused"},
    {"name that does not exist", "http://nope.invalid/", "resolve|host"},

    // URLs.
    {"a query without a path", "{server}?query", OK},
    {"no path", "{server}", OK},
    {"a name that resolves", "http://localhost:{port}/status/200", OK},
    {"a fragment", "{server}/status/200#fragment", OK},
    {"a percent code", "{server}/status/2%30%30", OK},
    {"percent-encoded CR LF", "{server}/status/200?%0D%0AX-Header:%20x", OK},
    {"a scheme in upper case", "HTTP://127.0.0.1:{port}/status/200", OK},
    {"IPv6", "{v6}/status/200", OK},
    {"empty", "", any},
    {"blank", " ", any},
    {"no scheme", "127.0.0.1:{port}/status/200", any},
    {"a word", "nonsense", any},
    {"only a scheme", "http://", malformed},
    {"a scheme without a host", "http:///", malformed},
    {"unknown scheme", "gopher://127.0.0.1:{port}/", unsupported},
    {"ftp:", "ftp://127.0.0.1:{port}/", unsupported},
    {"file:", "file:///etc/hostname", unsupported},
    {"port that is no number", "http://127.0.0.1:http/", malformed},
    {"port beyond 65535", "http://127.0.0.1:65536/", malformed},
    {"IPv6 unclosed", "http://[::1/", any},
    {"space", "{unasked}/status/200 x", any},
    {"space at the end", "{unasked}/status/200 ", any},
    {"space at the start", " {unasked}/status/200", any},
    {"tab", "{unasked}/status/200\t", any},
    {"control character", "{unasked}/status/200?\x01", any},
    {"DEL", "{unasked}/status/200?\x7f", any},
    {"CR LF", "{unasked}/status/200?\r\nX-Header: x", any},
    {"CR LF and a second request", "{unasked}/ HTTP/1.1\r\nHost: x\r\n\r\nGET /status/200", any},
    {"LF at the end", "{unasked}/status/200\n", any},
    {"CR", "{unasked}/status/200?\rx", any},
    {"LF in the query", "{unasked}/status/200?x=\ny", any},
    {"CR LF in the fragment", "{unasked}/status/200#\r\nX-Header: x", any},
    {"LF in the host", "http://127.0.0.1\n/", any},
    {"space in the host", "http://127.0.0.1 /", any},
};

// The servers that a table's URLs lead to.
class Places {
 public:
  Places() {
    if (has_ipv6()) v6_.emplace(std::vector<std::string>{"--host", "::1"});
  }

  // The table's rows that this machine can have, with whole URLs.
  std::vector<Row> rows() const {
    std::vector<Row> all;
    for (Row row : table) {
      if (!v6_ && row.url.find("{v6}") != std::string::npos) continue;
      replace(row.url, "{server}", server_.url());
      replace(row.url, "{port}", std::to_string(server_.port()));
      replace(row.url, "{v6}", v6_ ? v6_->url() : "");
      replace(row.url, "{refused}", refused_.url(""));
      replace(row.url, "{unasked}", unasked_.url());
      all.push_back(row);
    }
    return all;
  }

  unsigned requests_to_unasked() const { return unasked_.stats().requests; }

 private:
  static void replace(std::string& text, const std::string& name, const std::string& value) {
    if (const auto at = text.find(name); at != std::string::npos)
      text.replace(at, name.size(), value);
  }

  Server server_, unasked_;
  std::optional<Server> v6_;
  RefusedPort refused_;
};

// One fetcher on one row.
struct Case {
  const Fetcher& fetcher;
  const Row& row;
  Process process;

  Case(const Fetcher& its_fetcher, const Row& its_row)
      : fetcher(its_fetcher),
        row(its_row),
        process(command(fetcher, {row.url}), {.time_limit = std::chrono::seconds(25)}) {}

  void check() {
    const Result result = process.finish();
    INFO(fetcher.program << ": " << row.name << ": " << row.url);
    INFO("stderr: " << result.err);
    CHECK(!result.timed_out);
    CHECK(result.out == row.line());
    CHECK(result.status == (row.is_ok() ? 0 : 1));
    CHECK(result.orphans == 0);
    if (!sanitized) CHECK(result.peak_kib <= 40'000);
    if (row.is_ok()) {
      CHECK(result.err == "");
    } else {
      check_reason(result.err);
    }
  }

 private:
  void check_reason(const std::string& err) const {
    const std::string start = row.url + ": ";
    CHECK(err.substr(0, start.size()) == start);
    const std::string reason = err.substr(std::min(start.size(), err.size()));
    CHECK(reason.find('\n') == reason.size() - 1);
    CHECK(std::regex_search(reason, std::regex(row.reason, std::regex::icase)));
  }
};

// The cases under way, at most so many at once.
class Window {
 public:
  explicit Window(std::size_t width) : width_(width) {}

  void add(const Fetcher& fetcher, const Row& row) {
    if (cases_.size() == width_) check_first();
    cases_.emplace_back(fetcher, row);
  }

  void check_all() {
    while (!cases_.empty()) check_first();
  }

 private:
  void check_first() {
    cases_.front().check();
    cases_.pop_front();
  }

  std::size_t width_;
  std::list<Case> cases_;
};

}  // namespace

TEST_CASE("conformance: every fetcher says to every row of the table what it must") {
  const Places places;
  const std::vector<Row> rows = places.rows();
  Window of_slow(rows.size() * fetchers().size()), of_quick(24);
  for (const Pace pace : {slow, quick})
    for (const auto& row : rows)
      for (const auto& fetcher : fetchers())
        if (row.pace == pace) (pace == slow ? of_slow : of_quick).add(fetcher, row);
  of_quick.check_all();
  of_slow.check_all();
  CHECK(places.requests_to_unasked() == 0);
}

TEST_CASE("conformance: every fetcher says the same when all rows are on one command line") {
  const Places places;
  Lines urls, expected;
  for (const auto& row : places.rows()) {
    if (row.pace == slow) continue;
    for (int twice = 0; twice < 2; ++twice) {
      urls.push_back(row.url);
      for (const auto& line : lines(row.line())) expected.push_back(line);
    }
  }
  for (const auto& fetcher : fetchers()) {
    INFO(fetcher.program);
    const Result result = fetch(fetcher, urls);
    CHECK(result.status == 1);
    CHECK(result.orphans == 0);
    CHECK(difference(lines(result.out), expected) == Lines());
  }
  CHECK(places.requests_to_unasked() == 0);
}
