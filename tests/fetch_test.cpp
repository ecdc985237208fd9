// Tests of the fetchers that the table of URLs cannot contain: many URLs at once, their order, and
// a machine that lacks something.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <list>
#include <map>
#include <optional>
#include <regex>
#include <thread>

#include "catch.hpp"
#include "fetchers.hpp"
#include "folder.hpp"
#include "socket.hpp"
#include "test_server.hpp"

namespace fs = std::filesystem;

namespace {

// `count` URLs that differ in their query.
Lines numbered(const std::string& url, int count) {
  Lines all;
  for (int i = 0; i < count; ++i) all.push_back(url + "?" + std::to_string(i));
  return all;
}

Lines operator+(Lines one, const Lines& other) {
  one.insert(one.end(), other.begin(), other.end());
  return one;
}

// Runs `check` for the fetchers that do everything at once, or for those that do not.
void for_each(bool concurrent, const std::function<void(const Fetcher&)>& check) {
  for (const auto& fetcher : fetchers()) {
    INFO(fetcher.program);
    if (fetcher.concurrent == concurrent) check(fetcher);
  }
}

void for_each(const std::function<void(const Fetcher&)>& check) {
  for (const bool concurrent : {false, true}) for_each(concurrent, check);
}

Lines children_of(pid_t pid) {
  const auto id = std::to_string(pid);
  std::ifstream file("/proc/" + id + "/task/" + id + "/children");
  return {std::istream_iterator<std::string>(file), {}};
}

// The fetcher's command in a shell that first limits or redirects something.
Lines shell(const std::string& setting, const Fetcher& fetcher, const Lines& urls) {
  return Lines{"sh", "-c", setting + "; exec \"$@\"", "sh"} + command(fetcher, urls);
}

void answer_ok(Socket& client) { client.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"); }

}  // namespace

TEST_CASE("fetch: without a URL it tells its usage") {
  for_each([](const Fetcher& fetcher) {
    const Result result = fetch(fetcher, {});
    CHECK(result.status == 2);
    CHECK(result.out == "");
    CHECK(std::regex_match(result.err,
                           std::regex("usage: \\S*" + fetcher.program + " URL\\.\\.\\.\n")));
  });
}

TEST_CASE("fetch: a concurrent one passes a barrier of four") {
  for_each(true, [](const Fetcher& fetcher) {
    const Server server;
    const Lines urls(4, server.url("/barrier/4?timeout=8"));
    CHECK(count_ok(fetch(fetcher, urls), urls) == 4);
    CHECK(server.stats().requests == 4);
    CHECK(server.stats().most_in_flight == 4);
  });
}

TEST_CASE("fetch: one after the other none passes a barrier of four") {
  for_each(false, [](const Fetcher& fetcher) {
    const Server server;
    const Lines urls(4, server.url("/barrier/4?timeout=0.2"));
    const Result result = fetch(fetcher, urls);
    CHECK(count_ok(result, urls) == 0);
    CHECK(lines(result.err) == each(urls, ": HTTP status 503"));
    CHECK(server.stats().requests == 4);
    CHECK(server.stats().most_in_flight == 1);
  });
}

TEST_CASE("fetch: a concurrent one prints each line as soon as its answer is there") {
  for_each(true, [](const Fetcher& fetcher) {
    Listener listener;
    const Lines urls{listener.url("/0"), listener.url("/1"), listener.url("/2")};
    Process process(command(fetcher, urls));
    std::map<char, Socket> clients;
    while (clients.size() < urls.size()) {
      Socket client = listener.accept();
      const std::string request = client.receive_until("\r\n\r\n");
      clients.emplace(request.at(sizeof "GET /" - 1), std::move(client));
    }
    for (const std::size_t last_to_first : {2, 1, 0}) {
      answer_ok(clients.at(char('0' + last_to_first)));
      CHECK(process.read_line() == urls[last_to_first] + " OK");
    }
    CHECK(process.finish().status == 0);
  });
}

TEST_CASE("fetch: one after the other the lines come in the order of the list") {
  const Server server;
  for_each(false, [&](const Fetcher& fetcher) {
    const Lines urls{server.url("/delay/0.3"), server.url("/status/200"), server.url("/delay/0.1")};
    CHECK(lines(fetch(fetcher, urls).out) == each(urls, " OK"));
  });
}

TEST_CASE("fetch: a line is there while the next URL still waits") {
  for_each(false, [](const Fetcher& fetcher) {
    Listener listener;
    Process process(command(fetcher, {listener.url("/0"), listener.url("/1")}));
    for (const char* path : {"/0", "/1"}) {
      Socket client = listener.accept();
      client.receive_until("\r\n\r\n");
      answer_ok(client);
      CHECK(process.read_line() == listener.url(path) + " OK");
    }
    CHECK(process.finish().status == 0);
  });
}

TEST_CASE("fetch: the request is what it should be") {
  for_each([](const Fetcher& fetcher) {
    Listener listener;
    Process process(command(fetcher, {listener.url("/path?query#fragment")}));
    Socket client = listener.accept();
    const std::string request = client.receive_until("\r\n\r\n");
    INFO(request);
    CHECK(request.rfind("GET /path?query HTTP/1.1\r\n", 0) == 0);
    const auto has = [&](const std::string& name, const std::string& value) {
      const std::regex field("\r\n" + name + ": *" + value + "\r\n", std::regex::icase);
      return std::regex_search(request, field);
    };
    CHECK(has("User-Agent", fetcher.agent));
    CHECK(has("Host", "127.0.0.1:" + std::to_string(listener.port())));
    answer_ok(client);
    CHECK(process.finish().status == 0);
  });
}

TEST_CASE("fetch: a proxy in the environment changes nothing") {
  const Server server;
  const RefusedPort refused;
  for_each([&](const Fetcher& fetcher) {
    const std::string proxy = refused.url("");
    const Lines urls{server.url("/status/200")};
    CHECK(run(Lines{"env", "http_proxy=" + proxy, "ALL_PROXY=" + proxy} + command(fetcher, urls))
              .status == 0);
  });
}

TEST_CASE("fetch: ten redirects over connections that the server closes without a word") {
  for_each([](const Fetcher& fetcher) {
    Listener listener;
    Process process(command(fetcher, {listener.url("/")}));
    const auto answer = [&](const std::string& response) {
      Socket client = listener.accept();
      client.receive_until("\r\n\r\n");
      client.send(response + "\r\nContent-Length: 0\r\n\r\n");
      // Only now does it close: after a second request or because there will be none.
      client.receive_until("\r\n\r\n");
    };
    for (int i = 0; i < 10; ++i) answer("HTTP/1.1 302 Found\r\nLocation: /");
    answer("HTTP/1.1 200 OK");
    const Result result = process.finish();
    INFO(result.err);
    CHECK(result.out == listener.url("/") + " OK\n");
  });
}

TEST_CASE("fetch: SSL_CERT_FILE stands for all of the system's store") {
  if (sanitized) return not_run("the sanitizers load no module");
  const Server server({"--tls-port", "0"}), other({"--tls-port", "0"});
  const Lines with_store{"env",
                         "-u",
                         "SSL_CERT_FILE",
                         "-u",
                         "SSL_CERT_DIR",
                         "LD_PRELOAD=" SYSTEM_STORE,
                         "SYSTEM_CERTIFICATE=" + server.ca_file()};
  const Lines urls{server.tls_url() + "/status/200"};
  for_each([&](const Fetcher& fetcher) {
    const Lines with_file{"SSL_CERT_FILE=" + server.ca_file()};
    const Lines with_other{"SSL_CERT_FILE=" + other.ca_file()};
    CHECK(run(with_store + command(fetcher, urls)).status == 0);
    CHECK(run(with_store + with_file + command(fetcher, urls)).status == 0);
    CHECK(run(with_store + with_other + command(fetcher, urls)).status == 1);
  });
}

TEST_CASE("fetch: SSL_CERT_FILE must be a file; http needs none") {
  const Server server({"--tls-port", "0"});
  const Lines urls{server.url("/status/200"), server.tls_url() + "/status/200",
                   server.url("/redirect-to?url=" + server.tls_url() + "/status/200")};
  const Folder folder;
  const std::string pipe = (folder.path() / "pipe").string();
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  for_each([&](const Fetcher& fetcher) {
    for (const std::string& file : {pipe, folder.path().string(), pipe + "-that-is-none"}) {
      INFO(file);
      const Result result = run(Lines{"env", "SSL_CERT_FILE=" + file} + command(fetcher, urls),
                                {.time_limit = std::chrono::seconds(8)});
      CHECK(!result.timed_out);
      CHECK(difference(lines(result.out), {urls[0] + " OK", urls[1] + " Bad", urls[2] + " Bad"}) ==
            Lines());
      for (const auto& line : lines(result.err))
        CHECK(line.ends_with("SSL_CERT_FILE is not a regular file"));
    }
  });
}

TEST_CASE("fetch: without a descriptor to read the system's store with, the reason says so") {
  if (sanitized) return not_run("the sanitizers load no module");
  const Server server({"--tls-port", "0"});
  const Lines urls{server.tls_url() + "/status/200"};
  for_each([&](const Fetcher& fetcher) {
    std::size_t ok = 0;
    for (int files = 4; files < 16; ++files) {
      INFO(files << " files");
      const Lines limited{"env",
                          "-u",
                          "SSL_CERT_FILE",
                          "-u",
                          "SSL_CERT_DIR",
                          "LD_PRELOAD=" SYSTEM_STORE,
                          "SYSTEM_CERTIFICATE=" + server.ca_file(),
                          "prlimit",
                          "--nofile=" + std::to_string(files)};
      const Result result = run(limited + command(fetcher, urls));
      ok += count_ok(result, urls);
      INFO(result.err);
      CHECK(result.err.find("unable to get") == std::string::npos);
    }
    CHECK(ok > 0);
  });
}

TEST_CASE("fetch: a file for stderr that may not grow costs the reasons, not the lines") {
  const Server server;
  const Lines urls{server.url("/status/404"), server.url("/status/200")};
  for_each([&](const Fetcher& fetcher) {
    const Folder folder;
    const Lines limited{"sh", "-c", "ulimit -f 0; exec \"$@\" 2>" + folder.path().string() + "/err",
                        "sh"};
    const Result result = run(limited + command(fetcher, urls));
    CHECK(result.status == 1);
    CHECK(difference(lines(result.out), {urls[0] + " Bad", urls[1] + " OK"}) == Lines());
  });
}

TEST_CASE("fetch: 1,000 URLs on one command line") {
  const Server server;
  const Lines urls = numbered(server.url("/status/200"), 1000);
  for_each([&](const Fetcher& fetcher) {
    const Result result = fetch(fetcher, urls);
    CHECK(count_ok(result, urls) == urls.size());
    CHECK(result.orphans == 0);
  });
}

TEST_CASE("fetch: lines are never torn") {
  const Server server;
  const RefusedPort refused;
  const std::string long_path = "/status/200" + std::string(600, '/');
  const Lines urls = numbered(server.url("/status/200?" + std::string(600, 'x')), 1000) +
                     numbered(refused.url(long_path), 1000);
  for_each([&](const Fetcher& fetcher) { CHECK(count_ok(fetch(fetcher, urls), urls) == 1000); });
}

TEST_CASE("fetch: Bad ones do not disturb the others") {
  const Server server;
  const Lines good(10, server.url("/delay/0.01"));
  const Lines bad = {server.url("/rst"), server.url("/close"), "", server.url("/garbage"),
                     server.url("/rst")};
  for_each([&](const Fetcher& fetcher) {
    const Result result = fetch(fetcher, bad + good + bad);
    CHECK(difference(lines(result.out), each(bad + good + bad, " Bad")).size() == 20);
    CHECK(difference(lines(result.out), each(good, " OK") + each(bad + bad, " Bad")) == Lines());
    CHECK(result.status == 1);
  });
}

TEST_CASE("fetch: it stops quietly when nobody reads its output") {
  const Server server;
  Pipe nobody;
  nobody.read_end.close();
  const Descriptor full(open("/dev/full", O_WRONLY | O_CLOEXEC));
  // To wait for the second one would take longer than this test does.
  const Lines urls{server.url("/status/200"), server.url("/hang")};
  for_each([&](const Fetcher& fetcher) {
    for (const int out : {nobody.write_end.get(), full.get()}) {
      const Result result =
          fetch(fetcher, urls, {.out = out, .time_limit = std::chrono::seconds(8)});
      CHECK(!result.timed_out);
      CHECK(result.status == 1);
      CHECK(result.err == "");
      CHECK(!result.left_some);
    }
  });
}

TEST_CASE("fetch: it stops quietly when its reader leaves in the middle") {
  const Server server;
  for_each([&](const Fetcher& fetcher) {
    Pipe pipe;
    const Lines urls = Lines{server.url("/status/200")} + numbered(server.url("/delay/1"), 20);
    Process process(command(fetcher, urls),
                    {.out = pipe.write_end.get(), .time_limit = std::chrono::seconds(8)});
    pipe.write_end.close();
    char first = 0;
    CHECK(read(pipe.read_end.get(), &first, 1) == 1);
    pipe.read_end.close();
    const Result result = process.finish();
    CHECK(!result.timed_out);
    CHECK(result.status == 1);
    CHECK(result.err == "");
    CHECK(!result.left_some);
  });
}

TEST_CASE("fetch: a non-blocking pipe that is full costs neither lines nor reasons") {
  const RefusedPort refused;
  const Lines urls = numbered(refused.url("/" + std::string(600, 'x')), 300);
  for_each([&](const Fetcher& fetcher) {
    Pipe pipe;
    const int in = pipe.write_end.get();
    REQUIRE(fcntl(in, F_SETFL, O_NONBLOCK) == 0);
    std::string expected;  // as much as it holds: there is no room for the first line
    while (write(in, "filled\n", 7) == 7) expected += "filled\n";
    Process process(shell("exec 2>&1", fetcher, urls), {.out = in});
    pipe.write_end.close();
    std::this_thread::sleep_for(std::chrono::milliseconds(300));  // so that it finds no room
    std::string found;
    char data[4096];
    for (ssize_t size; (size = read(pipe.read_end.get(), data, sizeof data)) > 0;)
      found.append(data, std::size_t(size));
    CHECK(process.finish().status == 1);
    Lines out = lines(found), err;
    const auto reasons = std::stable_partition(out.begin(), out.end(), [](const std::string& line) {
      return line == "filled" || line.ends_with(" Bad");
    });
    std::transform(reasons, out.end(), std::back_inserter(err),
                   [](const std::string& line) { return line.substr(0, line.find(": ")); });
    out.erase(reasons, out.end());
    CHECK(difference(out, lines(expected) + each(urls, " Bad")) == Lines());
    CHECK(difference(err, urls) == Lines());
  });
}

TEST_CASE("fetch: a server that dies costs what it was at; back again, it is asked again") {
  for_each([](const Fetcher& fetcher) {
    std::optional<Server> server(std::in_place);
    const std::string port = std::to_string(server->port());
    const Lines lost = numbered(server->url("/hang"), fetcher.concurrent ? 20 : 1);
    const Lines others = numbered(server->url("/status/200"), 3);
    Process process(command(fetcher, lost + others));
    CHECK(server->come_in_flight(unsigned(lost.size())));
    server->kill();
    server.emplace(Lines{"--port", port});
    const Result result = process.finish();
    CHECK(count_ok(result, lost + others) <= others.size());
    CHECK(difference(lines(result.out), each(lost, " Bad") + each(others, " OK")).size() <= 6);
    CHECK(result.orphans == 0);
    CHECK(fetch(fetcher, others).status == 0);
  });
}

TEST_CASE("fetch: it stops quietly when it has no output, and takes no socket for it") {
  const Server server;
  for_each([&](const Fetcher& fetcher) {
    Lines urls = numbered(server.url("/hang"), 4);
    urls.insert(fetcher.concurrent ? urls.end() : urls.begin(), server.url("/status/200"));
    const Result result =
        run(shell("exec >&-", fetcher, urls), {.time_limit = std::chrono::seconds(8)});
    CHECK(!result.timed_out);
    CHECK(result.status == 1);
    CHECK(result.err == "");
  });
}

TEST_CASE("fetch: few open files cost URLs, not the program") {
  if (sanitized) return not_run("LeakSanitizer needs descriptors of its own");
  const Server server;
  const Lines urls = numbered(server.url("/delay/0.02"), 30);
  for_each([&](const Fetcher& fetcher) {
    CHECK(count_ok(run(shell("ulimit -n 16", fetcher, urls)), urls) > 0);
    CHECK(count_ok(run(shell("ulimit -n 12", fetcher, urls)), urls) > 0);
    count_ok(run(shell("ulimit -n 4", fetcher, urls)), urls);
  });
  const Lines many = numbered(server.url("/status/200"), 1000);
  for_each([&](const Fetcher& fetcher) {
    const Result result = run(shell("ulimit -n 64", fetcher, many));
    CHECK(count_ok(result, many) > 0);
    CHECK(result.orphans == 0);
  });
}

TEST_CASE("fetch: little address space costs URLs, not the program") {
  if (sanitized) return not_run("AddressSanitizer takes terabytes of it");
  const Server server;
  for_each([&](const Fetcher& fetcher) {
    const Lines urls = numbered(server.url(fetcher.concurrent ? "/delay/1" : "/status/200"), 2000);
    const Result result = run(shell("ulimit -v 524288", fetcher, urls));
    CHECK(count_ok(result, urls) > 0);
    CHECK(result.orphans == 0);
  });
}

namespace {

// The results of fetching `urls` with one allocation failing: `count` times, each `step` later.
std::vector<Result> without_memory(const Fetcher& fetcher, const Lines& urls, int count,
                                   int step = 1, const Lines& environment = {}) {
  std::vector<Result> results;
  std::list<Process> processes;  // many at once, since a coroutine that is lost takes its 10 s
  for (int i = 0; i < count || !processes.empty();) {
    if (i < count && processes.size() < 240) {
      const std::string number = std::to_string(step * i++);
      processes.emplace_back(
          Lines{"env", "LD_PRELOAD=" NO_MEMORY " " NAMES, "NO_MEMORY=" + number} + environment +
              command(fetcher, urls),
          Process::Options{.time_limit = std::chrono::seconds(60)});
    } else {
      results.push_back(processes.front().finish());
      processes.pop_front();
    }
  }
  return results;
}

}  // namespace

TEST_CASE("fetch: an allocation that fails costs its URL, and no other") {
  if (sanitized) return not_run("the sanitizers have an allocator of their own");
  const Server server;
  const Lines urls = numbered(server.url("/status/200"), 3);
  for_each([&](const Fetcher& fetcher) {
    // Where each URL has a process, each of these has its failure; 03 fetches all or, if the memory
    // fails while it starts, none; libcurl's multi interface gives up all of its transfers.
    const bool may_cost_all = fetcher.program == "02-threads/processes" ||
                              fetcher.program == "03-callbacks/fetch" ||
                              fetcher.program == "05-coroutines/coexist";
    std::size_t bad = 0;
    for (const auto& result : without_memory(fetcher, urls, 120)) {
      const std::size_t ok = count_ok(result, urls);
      CHECK((ok >= 2 || may_cost_all));
      bad += urls.size() - ok;
    }
    CHECK(bad > 10);  // so they did fail
  });
}

TEST_CASE("fetch: an allocation that fails loses no line of a URL that is Bad") {
  if (sanitized) return not_run("the sanitizers have an allocator of their own");
  const Server server;
  const RefusedPort refused;
  // The name is one of our own module's: glibc aborts when memory fails in its look-up.
  const Lines urls{"nonsense",
                   server.url("/status/200"),
                   refused.url("/"),
                   "http://name.test:" + std::to_string(server.port()) + "/status/404",
                   server.url("/status/404"),
                   server.url("/truncate"),
                   server.url("/close"),
                   server.url("/redirect/11"),
                   server.url("/redirect-to?url=ftp://x/")};
  for_each([&](const Fetcher& fetcher) {
    const Lines with_memory =
        lines(run(Lines{"env", "LD_PRELOAD=" NAMES} + command(fetcher, urls)).err);
    std::size_t ok = 0, disturbed = 0, aborted = 0;
    for (const auto& result : without_memory(fetcher, urls, 400)) {
      // cpp-httplib 0.41 has a thread_local, and glibc aborts if it has no memory to register that.
      if (fetcher.engine == std::string("cpp-httplib") &&
          result.err.find("Fatal glibc error") != std::string::npos) {
        ++aborted;
        continue;
      }
      ok += count_ok(result, urls);
      disturbed += difference(lines(result.err), with_memory) != Lines();
    }
    CHECK(ok > 200);
    CHECK(disturbed > 10);  // so they did fail
    CHECK(aborted <= 2);
  });
}

// OpenSSL makes up to 20,000 of them for these URLs.
TEST_CASE("fetch: an allocation that fails in TLS loses no line, and makes nothing OK") {
  if (sanitized) return not_run("the sanitizers have an allocator of their own");
  const Server server({"--tls-port", "0", "--bad-tls"});
  const std::string good = server.tls_url() + "/status/200";
  const Lines urls{good, server.tls_url() + "/status/404",
                   server.tls_url("expired") + "/status/200"};
  const Lines trusting{"SSL_CERT_FILE=" + server.ca_file()};
  for_each([&](const Fetcher& fetcher) {
    const Lines with_memory = lines(run(Lines{"env"} + trusting + command(fetcher, urls)).err);
    std::size_t disturbed = 0;
    for (const auto& result : without_memory(fetcher, urls, 60, 331, trusting)) {
      count_ok(result, urls);
      for (const auto& line : lines(result.out))
        if (line.ends_with(" OK")) CHECK(line == good + " OK");
      disturbed += difference(lines(result.err), with_memory) != Lines();
    }
    CHECK(disturbed > 3);  // so they did fail
  });
}

namespace {

// The fetchers that let the addresses of a name race.
void for_each_racer(const std::function<void(const Fetcher&)>& check) {
  if (sanitized) return not_run("the sanitizers load no module");
  for_each(true, [&](const Fetcher& fetcher) {
    if (fetcher.engine == std::string("Boost.Beast")) check(fetcher);
  });
}

// http://NAME.test/PATH, where the name tells its addresses (names.cpp).
std::string url_of(const std::string& name, std::uint16_t port, const std::string& path = "/") {
  return "http://" + name + ".test:" + std::to_string(port) + path;
}

Lines with_names(const Fetcher& fetcher, const Lines& urls) {
  return Lines{"env", "LD_PRELOAD=" NAMES} + command(fetcher, urls);
}

// How many sockets a process has open.
std::size_t sockets_of(pid_t pid) {
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator("/proc/" + std::to_string(pid) + "/fd")) {
    std::error_code has_gone;
    count += fs::read_symlink(entry, has_gone).string().starts_with("socket:");
  }
  return count;
}

// How many sockets on this machine wait for a connection to that port.
std::size_t connecting_to(std::uint16_t port) {
  char pattern[64];
  std::snprintf(pattern, sizeof pattern, "0100007F:%04X 02 ", port);  // 02 is SYN_SENT
  std::ifstream table("/proc/net/tcp");
  std::size_t count = 0;
  for (std::string line; std::getline(table, line);) count += line.find(pattern) != line.npos;
  return count;
}

}  // namespace

TEST_CASE("fetch: dead addresses do not cost a name its URL") {
  const Server server;
  const SilentPort dead("127.0.0.2", server.port()), dead_too("127.0.0.3", server.port());
  const Lines urls{
      url_of("127-0-0-2.127-0-0-3.127-0-0-1", server.port(), "/status/200"),
      url_of("127-0-0-4.127-0-0-2.127-0-0-1", server.port(), "/status/200"),
      url_of("127-0-0-2.127-0-0-4.127-0-0-1", server.port(), "/redirect/1"),
      // If each that refuses got 250 ms all the same, there would be no time left.
      url_of("127-0-0-4x39.127-0-0-1", server.port(), "/delay/1"),
  };
  for_each_racer([&](const Fetcher& fetcher) {
    const Result result = run(with_names(fetcher, urls));
    INFO(result.err);
    CHECK(count_ok(result, urls) == urls.size());
  });
}

TEST_CASE("fetch: IPv4 and IPv6 take turns") {
  if (!has_ipv6()) return not_run("there is no IPv6");
  const Server server({"--host", "::1"});
  const SilentPort dead("127.0.0.2", server.port());
  const Lines urls{url_of("127-0-0-2x45.v6", server.port(), "/status/200")};
  for_each_racer([&](const Fetcher& fetcher) {
    const Result result = run(with_names(fetcher, urls));
    INFO(result.err);
    CHECK(count_ok(result, urls) == 1);
  });
}

TEST_CASE("fetch: of several addresses that fail, the reason is the first one's") {
  const RefusedPort refused;
  const SilentPort dead("127.0.0.2", refused.port());
  const std::vector<std::pair<std::string, std::string>> table{
      {"127-0-0-1.127-0-0-4", "Connection refused"},
      {"127-0-0-1.255-255-255-255", "Connection refused"},
      {"255-255-255-255.127-0-0-1", "Network is unreachable"},
      {"127-0-0-2.127-0-0-1.127-0-0-2", "timed out after 10 s"},
      {"127-0-0-1.127-0-0-2", "timed out after 10 s"},
  };
  Lines urls, reasons;
  for (const auto& [name, reason] : table) {
    urls.push_back(url_of(name, refused.port()));
    reasons.push_back(urls.back() + ": " + reason);
  }
  for_each_racer([&](const Fetcher& fetcher) {
    const Result result = run(with_names(fetcher, urls));
    CHECK(count_ok(result, urls) == 0);
    CHECK(difference(lines(result.err), reasons) == Lines());
  });
}

TEST_CASE("fetch: a refusal that comes while it waits for the connection is told as one") {
  for_each([](const Fetcher& fetcher) {
    std::optional<SilentPort> port(std::in_place);
    const std::string url = "http://127.0.0.1:" + std::to_string(port->port()) + "/";
    const std::size_t others = connecting_to(port->port());
    Process process(command(fetcher, {url}));
    while (connecting_to(port->port()) == others && !process.has_ended())
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    port.reset();  // the first packet has got no answer; the second is refused
    const Result result = process.finish();
    CHECK(result.out == url + " Bad\n");
    CHECK(std::regex_search(result.err, std::regex("connect|refused", std::regex::icase)));
    CHECK(result.err.find("timed out") == std::string::npos);
  });
}

TEST_CASE("fetch: the first connection wins, and the others are closed") {
  for_each_racer([](const Fetcher& fetcher) {
    Listener quick;
    SilentPort slow("127.0.0.2", quick.port());
    for (const bool is_slow_awake : {false, true}) {
      INFO(is_slow_awake);
      const SilentPort dead("127.0.0.3", quick.port());
      const std::string url =
          url_of(is_slow_awake ? "127-0-0-2.127-0-0-3" : "127-0-0-2.127-0-0-1", quick.port());
      Process process(with_names(fetcher, {url}));
      if (is_slow_awake) {  // after the second attempt has begun, the first one succeeds
        while (sockets_of(process.pid()) < 2)
          std::this_thread::sleep_for(std::chrono::milliseconds(5));
        slow.wake();
      }
      Socket client = is_slow_awake ? slow.accept() : quick.accept();
      client.receive_until("\r\n\r\n");
      CHECK(sockets_of(process.pid()) == 1);
      answer_ok(client);
      CHECK(process.finish().out == url + " OK\n");
    }
  });
}

TEST_CASE("fetch: an allocation that fails in a race loses no line") {
  const Server server;
  const SilentPort dead("127.0.0.2", server.port());
  const Lines urls{url_of("127-0-0-2.127-0-0-4.127-0-0-1", server.port(), "/status/200"),
                   url_of("127-0-0-4.127-0-0-4", server.port()), server.url("/status/200")};
  for_each_racer([&](const Fetcher& fetcher) {
    std::size_t ok = 0;
    for (const auto& result : without_memory(fetcher, urls, 240)) ok += count_ok(result, urls);
    CHECK(ok > 240);
    CHECK(ok < 480);  // so they did fail
  });
}

TEST_CASE("fetch: a body of 1 GB takes no more memory than a small one") {
  if (sanitized) return not_run("the sanitizers take memory themselves");
  const Server server;
  for_each([&](const Fetcher& fetcher) {
    const Lines urls{server.url("/bytes/1000000000")};
    const Result result = fetch(fetcher, urls);
    count_ok(result, urls);  // a busy machine may need more than the 10 s
    CHECK(result.peak_kib <= 40'000);
  });
}

TEST_CASE("fetch: bodies without an end keep nobody beyond the deadline") {
  const Server server;
  const Lines urls = numbered(server.url("/endless-body"), 12);
  std::list<Process> processes;
  for (const auto& fetcher : fetchers())
    if (fetcher.on_one_thread)
      processes.emplace_back(command(fetcher, urls),
                             Process::Options{.time_limit = std::chrono::seconds(30)});
  for (auto& process : processes) {
    const Result result = process.finish();
    INFO(result.err);
    CHECK(!result.timed_out);
    CHECK(count_ok(result, urls) == 0);
  }
}

// Hardly any read ends where a chunk does, and the next bytes are always there. So a library may
// read on in one operation that never sees the deadline.
TEST_CASE("fetch: chunks that are nearly all extension keep nobody beyond the deadline") {
  std::string chunks;
  for (int i = 0; i < 20; ++i) chunks += "1;" + std::string(8000, 'x') + "\r\nx\r\n";
  std::list<Listener> listeners;
  std::list<Process> processes;
  for (const auto& fetcher : fetchers())
    if (fetcher.on_one_thread && fetcher.engine != "cpp-httplib")  // which gives up at once
      processes.emplace_back(command(fetcher, {listeners.emplace_back().url("/")}),
                             Process::Options{.time_limit = std::chrono::seconds(20)});
  std::list<std::jthread> servers;
  for (auto& listener : listeners)
    servers.emplace_back([&](std::stop_token stop) {
      Socket client = listener.accept();
      client.receive_until("\r\n\r\n");
      client.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      while (!stop.stop_requested()) client.send(chunks);
    });
  for (auto& process : processes) {
    const Result result = process.finish();
    servers.pop_front();
    INFO(result.err);
    CHECK(!result.timed_out);
    CHECK(count_ok(result, {listeners.front().url("/")}) == 0);
    listeners.pop_front();
  }
}

TEST_CASE("fetch: few threads or processes cost URLs, not the program") {
  const Server server;
  const Lines urls = numbered(server.url("/delay/1"), 20);
  const bool is_root = geteuid() == 0;  // whom no limit binds
  const std::string user = std::to_string(100'000 + getpid());
  const Lines as_user{"setpriv", "--reuid=" + user, "--regid=" + user, "--clear-groups"};
  const fs::path folder = "/tmp/few-threads-" + user;  // which that user may enter
  for_each(true, [&](const Fetcher& fetcher) {
    fs::create_directory(folder);
    fs::copy(BUILD_DIR "/" + fetcher.program, folder / "fetch");
    const Lines limited =
        Lines{"prlimit", is_root ? "--nproc=8" : "--nproc=1", folder / "fetch"} + urls;
    const Result result = run(is_root ? as_user + limited : limited);
    fs::remove_all(folder);
    const auto ok = count_ok(result, urls);
    INFO(result.err);
    CHECK((ok < urls.size()) == !fetcher.on_one_thread);
    if (is_root) CHECK(ok > 0);
    CHECK(result.orphans == 0);
  });
}

TEST_CASE("fetch: without a thread for its name, a URL is Bad, and that is the end of it") {
  if (sanitized) return not_run("LeakSanitizer needs a thread of its own");
  if (geteuid() != 0) return not_run("only root can become a user who has no processes");
  const Server server;
  const Lines urls{"http://name.invalid/", server.url("/hang")};
  const std::string user = std::to_string(200'000 + getpid());
  const fs::path folder = "/tmp/no-thread-" + user;
  for (const std::string chapter : {"03-callbacks", "05-coroutines"}) {
    INFO(chapter);
    fs::create_directory(folder);
    fs::copy(BUILD_DIR "/" + chapter + "/fetch", folder / "fetch");
    const Result result = run(Lines{"setpriv", "--reuid=" + user, "--regid=" + user,
                                    "--clear-groups", "prlimit", "--nproc=1", folder / "fetch"} +
                              urls);
    fs::remove_all(folder);
    CHECK(count_ok(result, urls) == 0);
    CHECK(result.err ==
          urls[0] + ": Resource temporarily unavailable\n" + urls[1] + ": timed out after 10 s\n");
  }
}

TEST_CASE("fetch: a child that is killed is Bad") {
  const Server server;
  const Fetcher processes{"02-threads/processes", "", "libcurl", true};
  const std::string hang = server.url("/hang"), other = server.url("/status/200");
  Process process(command(processes, {hang, other}));
  CHECK(process.read_line() == other + " OK");
  const Lines children = children_of(process.pid());
  REQUIRE(children.size() == 1);
  kill(pid_t(std::stoi(children[0])), SIGKILL);
  const Result result = process.finish();
  CHECK(result.out == hang + " Bad\n");
  CHECK(std::regex_match(result.err, std::regex(hang + ": .*[Kk]illed.*\n")));
  CHECK(result.status == 1);
  CHECK(result.orphans == 0);
}

TEST_CASE("fetch: it leaves nothing behind when it is ended from outside") {
  const Server server;
  const Lines urls = numbered(server.url("/hang"), 100);
  for_each([&](const Fetcher& fetcher) {
    for (const int number : {SIGINT, SIGTERM, SIGKILL}) {
      Process process(command(fetcher, urls));
      CHECK(server.come_in_flight(fetcher.concurrent ? 100 : 1));
      const auto start = std::chrono::steady_clock::now();
      process.signal(number);
      const Result result = process.finish();
      if (!sanitized) CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(1));
      CHECK(result.status == 128 + number);
      CHECK(!result.left_some);
      CHECK(server.come_in_flight(0));
    }
  });
}
