// 03's small programs, from outside: the epoll loop, and two requests in sequence.

#include <algorithm>

#include "catch.hpp"
#include "fetchers.hpp"
#include "socket.hpp"
#include "test_server.hpp"

namespace {

Result ready(std::uint16_t port, const Lines& paths) {
  Lines command{BUILD_DIR "/03-callbacks/ready", "127.0.0.1", std::to_string(port)};
  command.insert(command.end(), paths.begin(), paths.end());
  return run(command);
}

std::string sequence(const std::string& first, const std::string& second) {
  const Result result = run({BUILD_DIR "/03-callbacks/sequence", first, second});
  CHECK(result.status == 0);
  CHECK(result.err == "");
  return result.out;
}

std::string both(const std::string& words) {
  return "callbacks: " + words + "\nDeferreds: " + words + "\n";
}

}  // namespace

TEST_CASE("03 ready: all at once, on one thread") {
  const Server server;
  const Lines paths(200, "/barrier/200");
  const Result result = ready(server.port(), paths);
  CHECK(result.status == 0);
  CHECK(difference(lines(result.out), each(paths, " OK")) == Lines());
  CHECK(server.stats().most_in_flight == 200);
}

TEST_CASE("03 ready: long answers, errors, and none") {
  const Server server;
  const Lines ok{"/google", "/bytes/20000000", "/bytes/0", "/stream/100"};
  const Lines bad{"/status/404", "/redirect/1", "/close", "/rst", "/garbage"};
  Lines all = ok, expected = each(ok, " OK");
  all.insert(all.end(), bad.begin(), bad.end());
  for (const auto& line : each(bad, " Bad")) expected.push_back(line);
  CHECK(difference(lines(ready(server.port(), all).out), expected) == Lines());

  const RefusedPort refused;
  CHECK(ready(refused.port(), {"/a", "/b"}).out == "/a Bad\n/b Bad\n");
  CHECK(ready(server.port(), {}).status == 2);
  CHECK(run({BUILD_DIR "/03-callbacks/ready", "127.0.0.1", "no-such-port", "/"}).status == 1);
}

// The kernel ends epoll_wait then, even without a handler for a signal.
TEST_CASE("03 ready: it goes on after Ctrl-Z and fg") {
  Listener listener;
  Process process(
      {BUILD_DIR "/03-callbacks/ready", "127.0.0.1", std::to_string(listener.port()), "/"});
  Socket client = listener.accept();
  client.receive_until("\r\n\r\n");
  process.stop_and_continue();
  client.send("HTTP/1.1 200 OK\r\n\r\n").shut_down();
  const Result result = process.finish();
  CHECK(result.out == "/ OK\n");
  CHECK(result.err == "");
}

TEST_CASE("03 ready: a request that the kernel does not take in one piece") {
  const std::string path = "/" + std::string(120'000, 'a');  // the longest that a shell could pass
  Listener listener;
  Process process(
      {BUILD_DIR "/03-callbacks/ready", "127.0.0.1", std::to_string(listener.port()), path});
  Socket client = listener.accept();
  CHECK(client.receive_until("\r\n\r\n").rfind("GET " + path + " HTTP/1.1\r\n", 0) == 0);
  client.send("HTTP/1.1 200 OK\r\n\r\n").shut_down();
  CHECK(process.finish().out == path + " OK\n");
}

TEST_CASE("03 sequence: callbacks and Deferreds say the same, and the second waits for the first") {
  const Server server;
  const RefusedPort refused;
  CHECK(sequence(server.url("/google"), server.url("/yahoo")) == both("both OK"));
  CHECK(server.stats().most_in_flight == 1);
  CHECK(sequence(server.url("/status/404"), server.url("/yahoo")) == both("HTTP status 404"));
  CHECK(server.stats().requests == 4 + 2);
  CHECK(sequence(server.url("/google"), server.url("/status/500")) == both("HTTP status 500"));
  CHECK(sequence(refused.url("/"), server.url("/")) == both("Connection refused"));
  CHECK(sequence(server.url("/google"), refused.url("/")) == both("Connection refused"));
  CHECK(run({BUILD_DIR "/03-callbacks/sequence"}).status == 2);
}
