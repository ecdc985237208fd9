// 05-coroutines: what the table of URLs cannot test, its parts from inside, and its smaller
// programs.

#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <csignal>
#include <filesystem>
#include <future>
#include <map>
#include <optional>

#include "../05-coroutines/http/url.hpp"
#include "../05-coroutines/http_get.hpp"
#include "catch.hpp"
#include "fetchers.hpp"
#include "socket.hpp"
#include "test_server.hpp"

namespace asio = boost::asio;

namespace {

// While one of these lives, the look-up of a name that starts with "slow" does not end.
class SlowNames {
 public:
  SlowNames() { over_ = ended_.get_future(); }
  ~SlowNames() {
    ended_.set_value();
    over_ = {};
  }
  static void wait() {
    if (const auto over = over_; over.valid()) over.wait();
  }

 private:
  std::promise<void> ended_;
  static std::shared_future<void> over_;
};
std::shared_future<void> SlowNames::over_;

}  // namespace

// In place of libc's, for this program: "slow..." takes its time, "quick..." is 127.0.0.1.
extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints,
                           addrinfo** list) {
  const std::string host = name ? name : "";
  if (host.starts_with("slow")) SlowNames::wait();
  const bool ours = host.starts_with("slow") || host.starts_with("quick");
  static const auto real =
      reinterpret_cast<decltype(&getaddrinfo)>(dlsym(RTLD_NEXT, "getaddrinfo"));
  return real(ours ? "127.0.0.1" : name, service, hints, list);
}

namespace {

Lines operator+(Lines one, const Lines& other) {
  one.insert(one.end(), other.begin(), other.end());
  return one;
}

std::string program(const std::string& name) { return BUILD_DIR "/05-coroutines/" + name; }

// What becomes of each URL: "200", or the reason why there is no answer.
using Outcomes = std::map<std::string, std::string>;

awaitable<void> note_outcome(std::string url, Outcomes* outcomes) try {
  const Response response = co_await http_get(url);
  outcomes->emplace(url, std::to_string(response.status));
} catch (const std::exception& error) {
  outcomes->emplace(url, error.what());
}

// Fetches all at once, in this process, and returns when all of them are done.
Outcomes outcomes_of(asio::io_context& loop, const Lines& urls) {
  Outcomes outcomes;
  for (const auto& url : urls)
    co_spawn(loop, note_outcome(url, &outcomes), [](std::exception_ptr) {});
  while (outcomes.size() < urls.size() && loop.run_one()) continue;
  return outcomes;
}

std::string outcome_of(const std::string& url) {
  asio::io_context loop;
  const auto outcomes = outcomes_of(loop, {url});
  loop.run();
  return outcomes.at(url);
}

}  // namespace

TEST_CASE("05-coroutines: the deadline frees the request, whichever step it is suspended in") {
  const Server server;
  const SilentPort full;
  const Listener silent;  // the kernel accepts for it, and it never reads
  asio::io_context loop;
  std::optional<SlowNames> slow(std::in_place);
  const Lines urls{
      "http://slow.test/",                                      // resolve
      full.url("/"),                                            // connect
      "http://localhost:" + std::to_string(full.port()) + "/",  // race
      "https" + silent.url("/").substr(4),                      // handshake
      silent.url("/" + std::string(20'000'000, 'x')),           // write
      server.url("/hang"),                                      // read_header
      server.url("/slow-headers"),
      server.url("/endless-body"),  // read_body
      server.url("/redirect-to?url=/hang"),
  };
  for (const auto& [url, outcome] : outcomes_of(loop, urls)) {
    INFO(url.substr(0, 100));
    CHECK(outcome == "timed out after 10 s");
  }
  slow.reset();
  loop.run();  // the look-up that was left behind ends, and nothing comes of it
}

TEST_CASE("05-coroutines: a name that is slow to look up does not hold up other names") {
  const Server server;
  const std::string port = std::to_string(server.port());
  asio::io_context loop;
  Outcomes slow_outcome;
  {
    const SlowNames slow;
    co_spawn(loop, note_outcome("http://slow.test:" + port + "/status/200", &slow_outcome),
             [](std::exception_ptr) {});
    const std::string quick = "http://quick.test:" + port + "/status/200";
    CHECK(outcomes_of(loop, {quick}).at(quick) == "200");
    CHECK(slow_outcome.empty());
  }
  loop.run();
  CHECK(slow_outcome.size() == 1);
  CHECK(slow_outcome.begin()->second == "200");
}

TEST_CASE("05-coroutines: a loop that is destroyed takes its fetches along") {
  const Server server;
  const Listener silent;
  const SilentPort full;
  Outcomes outcomes;
  {
    asio::io_context loop;
    for (const auto& url : {"http://localhost:" + std::to_string(full.port()) + "/",
                            server.url("/hang"), server.url("/endless-body"), silent.url("/"),
                            "https" + silent.url("/").substr(4), server.url("/status/200")})
      co_spawn(loop, note_outcome(url, &outcomes), [](std::exception_ptr) {});
    while (outcomes.empty()) loop.run_one();
  }
  CHECK(outcomes.size() == 1);
}

TEST_CASE("05-coroutines: the request says what the URL says, and nothing that it must not") {
  const auto request_of = [](const std::string& start, const std::string& end) {
    Listener listener;
    const std::string url = start + "127.0.0.1:" + std::to_string(listener.port()) + end;
    auto outcome = std::async(std::launch::async, outcome_of, url);
    Socket client = listener.accept();
    const std::string request = client.receive_until("\r\n\r\n");
    client.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    CHECK(outcome.get() == "200");
    return request;
  };
  CHECK(request_of("http://", "").starts_with("GET / HTTP/1.1\r\nHost: 127.0.0.1:"));
  CHECK(request_of("HTTP://", "?a#b").starts_with("GET /?a HTTP/1.1\r\n"));
  CHECK(request_of("http://", "/a/../../b%20c").starts_with("GET /b%20c "));
  CHECK(request_of("http://", "/\xc3\xbc?{}").starts_with("GET /%C3%BC?%7B%7D "));
  CHECK(request_of("http://Aladdin:open%20sesame@", "/")
            .find("\r\nAuthorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n") !=
        std::string::npos);
  CHECK(request_of("http://", "/").find("Authorization") == std::string::npos);
  CHECK(request_of("http://", "/").find("\r\nUser-Agent: sync-desert/05-coroutines\r\n") !=
        std::string::npos);
}

TEST_CASE("05-coroutines: a body without a length ends with the connection") {
  Listener listener;
  auto outcome = std::async(std::launch::async, outcome_of, listener.url("/"));
  {
    Socket client = listener.accept();
    client.receive_until("\r\n\r\n");
    client.send("HTTP/1.0 200 OK\r\n\r\nhello");
  }
  CHECK(outcome.get() == "200");
}

TEST_CASE("05-coroutines: a link is resolved as RFC 3986 says, what no URL may hold is encoded") {
  const auto text = [](const Url& url) {
    return (url.is_https ? "https://" : "http://") + url.authority + url.target;
  };
  const Url base("http://a/b/c?q");
  const auto joined = [&](const std::string& link) { return text(base.join(link)); };
  CHECK(joined("d") == "http://a/b/d");
  CHECK(joined("/d?e#f") == "http://a/d?e");
  CHECK(joined("?x") == "http://a/b/c?x");
  CHECK(joined("#f") == "http://a/b/c?q");
  CHECK(joined("../d") == "http://a/d");
  CHECK(joined("//h/x") == "http://h/x");
  CHECK(joined("HTTPS://h") == "https://h/");
  CHECK(joined("d e|") == "http://a/b/d%20e%7C");
  CHECK_THROWS_AS(joined("d\te"), std::invalid_argument);
  CHECK(joined("http://[::1]:80/a[]?b[]=%zz") == "http://[::1]:80/a%5B%5D?b%5B%5D=%25zz");
  const auto after = [](const std::string& link) {
    return Url("http://u:p@a/b").join(link).authorization;
  };
  CHECK(after("http://x:y@a/c") == "Basic eDp5");  // its own, which the link has
  CHECK(after("/c") == "Basic dTpw");
  CHECK(after("http://a/c") == "Basic dTpw");
  CHECK(after("http://b/c") == "");
  CHECK(Url("http://a/../b/../../c").target == "/c");
  CHECK(Url("http://a/x/%2e%2E/./%2F").target == "/x/%2e%2E/%2F");
  for (const auto* bad :
       {"mailto:x", "a:b", "ftp://h/", "http://", "http:///x", "http://[::1", "http://h:65536/",
        "http://h:99999999999999999999/", "http://a%00b/", "http://a%0d%0ab/", "http://a%20b/",
        "http://.h/", "http://%2eh/", "http://h:http/", "http://h:8x/y", "http://[::1]x/"}) {
    INFO(bad);
    CHECK_THROWS_AS(base.join(bad), std::invalid_argument);
  }
  for (const auto* bad : {"", "x", "/x", "http://h/ x", "http://h/\r\n", "http://h/\x7f"})
    CHECK_THROWS_AS(Url(bad), std::invalid_argument);
}

TEST_CASE("05-coroutines: what a URL means") {
  const Url url("HTTPS://u@[::1]:0443/p?q#f");
  CHECK(url.is_https);
  CHECK(!url.has_name);
  CHECK(url.host == "::1");
  CHECK(url.port == 443);
  CHECK(url.authority == "[::1]:0443");
  CHECK(url.target == "/p?q");
  CHECK(url.authorization == "Basic dTo=");
  const Url other("http://Name.test.");
  CHECK(other.has_name);
  CHECK(other.port == 80);
  CHECK(other.host == "name.test.");
  CHECK(other.certified() == "name.test");
  CHECK(Url("http://127.1/").host == "127.0.0.1");
}

TEST_CASE("05-coroutines: fetch needs one thread, however many URLs it has") {
  const Server server;
  Process process(Lines{program("fetch")} + Lines(500, server.url("/hang")));
  REQUIRE(server.come_in_flight(500));
  const auto tasks =
      std::filesystem::directory_iterator("/proc/" + std::to_string(process.pid()) + "/task");
  CHECK(std::distance(begin(tasks), end(tasks)) == 1);
  process.signal(SIGKILL);
  process.finish();
}

TEST_CASE("05-coroutines: fetch says which URLs there were too few descriptors for") {
  if (sanitized) return not_run("UBSan needs a pipe of its own to look at a vtable");
  const Server server;
  Lines urls;
  for (int i = 0; i < 10; ++i) urls.push_back(server.url("/delay/0.1?" + std::to_string(i)));
  const Result result =
      run(Lines{"sh", "-c", "ulimit -n 9; exec \"$@\"", "sh", program("fetch")} + urls);
  // Three are stdio's, three are the loop's.
  CHECK(count_ok(result, urls) == 3);
  CHECK(lines(result.err) == each({urls.begin() + 3, urls.end()}, ": Too many open files"));
}

TEST_CASE("05-coroutines: libcurl and native coroutines are in one barrier, from one loop") {
  const Server server;
  const Lines urls(8, server.url("/barrier/8"));
  CHECK(count_ok(run(Lines{program("coexist")} + urls), urls) == 8);
  CHECK(server.stats().most_in_flight == 8);
}

TEST_CASE("05-coroutines: coexist fetches on where the loop cannot watch a socket") {
  if (sanitized) return not_run("the sanitizers load no module");
  const Server server;
  for (int number = 0; number < 4; ++number) {
    const Lines urls{server.url("/delay/0.3?0"), server.url("/delay/0.3?1"),
                     server.url("/delay/0.3?2")};
    const Result result = run(Lines{"env", "LD_PRELOAD=" NO_WATCH,
                                    "NO_WATCH=" + std::to_string(number), program("coexist")} +
                              urls);
    INFO(result.err);
    CHECK(count_ok(result, urls) == (number < 3 ? 2 : 3));
    const bool is_told = result.err.ends_with(": No space left on device\n");
    CHECK(is_told == (number < 3));
  }
}

TEST_CASE("05-coroutines: from_scratch fetches at once, with its deadline") {
  const Server server;
  const RefusedPort refused;
  const Lines good(4, server.url("/barrier/4"));
  const Lines bad{server.url("/status/404"),
                  server.url("/hang"),
                  server.url("/close"),
                  server.url("/truncate"),
                  server.url("/redirect/1"),
                  server.url("/rst"),
                  server.url("/garbage"),
                  refused.url("/"),
                  server.url("/ x"),
                  "http://localhost/",
                  "nonsense"};
  const Result result = run(Lines{program("from_scratch")} + good + bad);
  CHECK(result.status == 1);
  CHECK(difference(lines(result.out), each(good, " OK") + each(bad, " Bad")) == Lines());
  CHECK(lines(result.err).size() == bad.size());
  CHECK(run({program("from_scratch")}).status == 2);
}

TEST_CASE("05-coroutines: from_scratch sends all of a URL, and reads no further than the head") {
  const auto request_of = [](const std::string& path, const std::string& answer, int status) {
    Listener listener;
    Process process({program("from_scratch"), listener.url(path)});
    Socket client = listener.accept();
    const std::string request = client.receive_until("\r\n\r\n");
    client.send(answer).shut_down();
    CHECK(process.finish().status == status);
    return request.substr(0, request.find(" HTTP/1.0\r\n"));
  };
  const std::string ok = "HTTP/1.0 200 OK\r\n\r\n";
  for (const std::size_t size : {2046, 2047, 2048, 100'000}) {
    std::string path(size + 1, 'x');
    path[0] = '/';
    CHECK((request_of(path, ok, 0) == "GET " + path));
  }
  for (const auto* good : {"content-length:\t2 ", "Content-Length: 2\r\nContent-Length: 2",
                           "X: Content-Length: 3", "X-Content-Length: 3"}) {
    INFO(good);
    request_of("/", "HTTP/1.0 200 OK\r\n" + std::string(good) + "\r\n\r\nok", 0);
  }
  for (const auto* bad :
       {"Content-Length: two", "Content-Length: -2", "Content-Length: +2", "Content-Length: 2x",
        "Content-Length:", "Content-Length", "Content-Length: 2, 2", "Content-Length: 0x2",
        "Content-Length: 2\r\nContent-Length: 1", "Content-Length: 18446744073709551615",
        "Content-Length: 18446744073709551618", "Content-Length: 99999999999999999999999999",
        "Transfer-Encoding: chunked", "transfer-encoding: identity, chunked"}) {
    INFO(bad);
    request_of("/", "HTTP/1.0 200 OK\r\n" + std::string(bad) + "\r\n\r\nok", 1);
  }
  request_of("/", "HTTP/1.\r\n\r\n200 hello", 1);
  request_of("/", "HTTP/1.0\r\n\r\n200 hello", 1);
  request_of("/", "HTTP/1.0 2000 OK\r\n\r\n", 1);
  request_of("/", "HTTP/1.0 200x\r\n\r\n", 1);
  request_of("/", "HTTP/1.0x200 OK\r\n\r\n", 1);
  request_of("/", "HTTP/1.0 200 \r\n\r\n", 0);
  for (const auto* bad : {"http://127.0.0.1:65617/", "http://127.0.0.1:/", "http://127.0.0.1:-1/",
                          "http://127.0.0.1:8x/", "http://127.0.0.1x/", "http:///", "http://"})
    CHECK(run({program("from_scratch"), bad}).err.find("not http://") != std::string::npos);
}

TEST_CASE("05-coroutines: strategies says the same by each of the four") {
  const Result result = run({program("strategies")});
  CHECK(result.status == 0);
  CHECK(result.out == "A CALLBACK\nA FUTURE\nA STACKFUL YIELD\nCO_AWAIT\n");
}

TEST_CASE("05-coroutines: cores has a line for each URL, all at once, on a thread for each core") {
  const Server server({"--tls-port", "0"});
  for (const char* const cores : {"1", "2", "3", "9"}) {
    Lines urls(8, server.url("/barrier/8"));
    urls.insert(urls.end(), {server.url("/status/404"), "nonsense", server.tls_url("")});
    Lines all{"env", "SSL_CERT_FILE=" + server.ca_file(), program("cores"), cores};
    all.insert(all.end(), urls.begin(), urls.end());
    const Result result = run(all);
    INFO(cores << " cores: " << result.err);
    CHECK(result.status == 1);
    Lines expected = each(Lines(8, urls[0]), " OK");
    expected.insert(expected.end(), {urls[8] + " Bad", "nonsense Bad", urls[10] + " OK"});
    CHECK(difference(lines(result.out), expected) == Lines());
    CHECK(lines(result.err).size() == 2);
  }
  // These take a while, so the threads can be counted.
  int threads = 0;
  run({program("cores"), "3", server.url("/delay/1"), server.url("/delay/1"),
       server.url("/delay/1")},
      {.go_on = [&](pid_t pid, const Result&) {
        const auto tasks =
            std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task");
        threads = std::max(threads, int(std::distance(begin(tasks), end(tasks))));
        return true;
      }});
  if (!sanitized) CHECK(threads == 3);
}

TEST_CASE("05-coroutines: cores wants a number of cores, and URLs") {
  for (const Lines& words : {Lines{},
                             {"2"},
                             {"0", "http://localhost/"},
                             {"2x", "u"},
                             {"-1", "u"},
                             {"u", "u"},
                             {"", "u"}}) {
    Lines all{program("cores")};
    all.insert(all.end(), words.begin(), words.end());
    const Result result = run(all);
    CHECK(result.status == 2);
    CHECK(result.out == "");
    CHECK(result.err.starts_with("usage: "));
  }
}

TEST_CASE("05-coroutines: echo says what 04's says") {
  const Result result = run({program("echo")});
  CHECK(result.status == 0);
  CHECK(lines(result.out).size() > 5);
  if (std::filesystem::exists(BUILD_DIR "/04-green-threads/echo"))
    CHECK(result.out == run({BUILD_DIR "/04-green-threads/echo"}).out);
}
