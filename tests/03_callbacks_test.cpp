// Chapter 03 from outside: what the contract's table does not test, or only for this chapter.

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <regex>
#include <string>
#include <thread>

#include "catch.hpp"
#include "fetchers.hpp"
#include "socket.hpp"
#include "test_server.hpp"

namespace {

const Fetcher fetcher{"03-callbacks/fetch", "sync-desert/03-callbacks", "Boost.Beast", true};

constexpr const char* ok_answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

// What the fetcher says of the listener's `path` to a server that answers `answers`, one to each
// connection, and closes. Collects the requests.
std::string verdict(const std::string& path, const Lines& answers, Lines& requests,
                    const std::string& user = "") {
  Listener listener;
  std::string url = listener.url(path);
  url.insert(std::string("http://").size(), user);
  Process process(command(fetcher, {url}));
  for (const auto& answer : answers) {
    Socket client = listener.accept();
    requests.push_back(client.receive_until("\r\n\r\n"));
    client.send(answer).shut_down();
    client.receive();
  }
  const Result result = process.finish();
  CHECK((result.out == url + " OK\n") == result.err.empty());
  return result.err.empty() ? "OK" : result.err.substr(url.size() + 2);
}

std::string verdict(const std::string& answer) {
  Lines requests;
  return verdict("/", {answer}, requests);
}

bool has(const std::string& request, const std::string& line) {
  return request.find(line + "\r\n") != std::string::npos;
}

// The first lines of the requests to `path`, which is redirected to `location`.
std::string follow(const std::string& path, const std::string& location) {
  Lines requests;
  CHECK(verdict(path, {"HTTP/1.1 302 Found\r\nLocation: " + location + "\r\n\r\n", ok_answer},
                requests) == "OK");
  const std::string& last = requests.back();
  return requests.size() == 2 ? last.substr(4, last.find(' ', 4) - 4) : "";
}

}  // namespace

TEST_CASE("03: a thousand at once are on one thread") {
  const Server server;
  const Lines urls(1000, server.url("/barrier/1001?timeout=60"));
  Process process(command(fetcher, urls));
  for (int tries = 0; tries < 2000 && server.stats().in_flight < 1000; ++tries)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  const std::filesystem::directory_iterator tasks("/proc/" + std::to_string(process.pid()) +
                                                  "/task");
  CHECK(std::distance(begin(tasks), end(tasks)) == 1);
  run({"curl", "-s", server.url("/barrier/1001?timeout=60")});
  CHECK(count_ok(process.finish(), urls) == 1000);
}

TEST_CASE("03: a fetch in flight takes at most 8 KB") {
  const Server server;
  const auto peak = [&](std::size_t count) {
    const Lines urls(count, server.url("/barrier/" + std::to_string(count) + "?timeout=60"));
    const Result result = fetch(fetcher, urls);
    CHECK((result.status == 0 && lines(result.out).size() == count));
    return result.peak_kib;
  };
  const long few = peak(10), many = peak(5010);
  if (!sanitized) CHECK(many - few <= 8 * 5000);
}

TEST_CASE("03: answers as servers give them") {
  CHECK(verdict(ok_answer) == "OK");
  CHECK(verdict("HTTP/1.0 200 OK\r\n\r\nuntil the end") == "OK");
  CHECK(verdict("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" +
                std::string(ok_answer)) == "OK");
  CHECK(verdict("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more") == "OK");
  CHECK(verdict("HTTP/1.1 200 OK\r\nX: " + std::string(20'000, 'x') +
                "\r\nContent-Length: 0\r\n\r\n") == "OK");
  CHECK(verdict("HTTP/1.1 200 OK\r\nX: " + std::string(200'000, 'x') +
                "\r\nContent-Length: 0\r\n\r\n") != "OK");
  CHECK(verdict("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok") ==
        "the server closed within its answer\n");
  CHECK(verdict("HTTP/1.1 200 OK\r\nContent-Len") == "the server closed within its answer\n");
  CHECK(verdict("HTTP/1.1 100 Continue\r\n\r\n") == "the server closed without an answer\n");
  CHECK(verdict("HTTP/1.1 302 Found\r\nLocation:\r\n\r\n") == "HTTP status 302\n");
}

TEST_CASE("03: an answer that is there before the request does no harm") {
  Listener listener;
  const std::string url = listener.url("/");
  Process process(command(fetcher, {url}));
  listener.accept().send(ok_answer).shut_down();
  const Result result = process.finish();
  CHECK(count_ok(result, {url}) <= 1);  // one line, OK or Bad: the reset may overtake the answer
}

TEST_CASE("03: where a Location leads") {
  CHECK(follow("/a/b?c", "/d/e") == "/d/e");
  CHECK(follow("/a/b?c", "d") == "/a/d");
  CHECK(follow("/a/b?c", "?d") == "/a/b?d");
  CHECK(follow("/a/b/c", "../d/./e") == "/a/d/e");
  CHECK(follow("/a/b", "../../../d") == "/d");
  CHECK(follow("/a", "/b c?d e") == "/b%20c?d%20e");
  CHECK(follow("/a", "/b#c") == "/b");
  CHECK(follow("/a", "/b?url=http://x/[1]") == "/b?url=http://x/%5B1%5D");
  CHECK(follow("/a", "/%2Fb") == "/%2Fb");
}

TEST_CASE("03: the target of a URL") {
  const auto target = [](const std::string& path) {
    Lines requests;
    CHECK(verdict(path, {ok_answer}, requests) == "OK");
    return requests[0].substr(4, requests[0].find(' ', 4) - 4);
  };
  CHECK(target("") == "/");
  CHECK(target("?x=1") == "/?x=1");
  CHECK(target("/a/../b/./c/..") == "/b/");
  CHECK(target("//a//b/") == "//a//b/");
  CHECK(target("/%2f/%zz?[1]=\"<>\\^`{|}\"") ==
        "/%2f/%25zz?%5B1%5D=%22%3C%3E%5C%5E%60%7B%7C%7D%22");
  CHECK(target("/\xc3\xa4#f#g") == "/%C3%A4");
}

TEST_CASE("03: a user in the URL is sent, and stays with the server") {
  Lines requests;
  const std::string moved = "HTTP/1.1 301 Moved\r\nLocation: /there\r\n\r\n";
  CHECK(verdict("/", {moved, ok_answer}, requests, "me:se%20cret@") == "OK");
  for (const auto& request : requests) CHECK(has(request, "Authorization: Basic bWU6c2UgY3JldA=="));
  requests.clear();
  Listener other;
  const std::string away = "HTTP/1.1 301 Moved\r\nLocation: " + other.url("/") + "\r\n\r\n";
  Listener listener;
  std::string url = listener.url("/");
  url.insert(std::string("http://").size(), "me@");
  Process process(command(fetcher, {url}));
  Socket first = listener.accept();
  CHECK(has(first.receive_until("\r\n\r\n"), "Authorization: Basic bWU6"));
  first.send(away);
  Socket second = other.accept();
  CHECK(second.receive_until("\r\n\r\n").find("Authorization") == std::string::npos);
  second.send(ok_answer);
  CHECK(process.finish().out == url + " OK\n");
}

TEST_CASE("03: deferreds prints what the notes say") {
  const Result result = run({BUILD_DIR "/03-callbacks/deferreds"});
  CHECK(result.status == 0);
  CHECK(result.err == "");
  CHECK(lines(result.out).size() > 5);
}
