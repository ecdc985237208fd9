// 01's raw, from outside: a GET with only the kernel's calls.

#include <chrono>
#include <thread>

#include "catch.hpp"
#include "socket.hpp"
#include "test_server.hpp"

namespace {

Result raw(const std::string& port, const std::string& path) {
  return run({BUILD_DIR "/01-sync/raw", "127.0.0.1", port, path});
}

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

}  // namespace

TEST_CASE("01 raw: prints the answer as it came, and what each call returned") {
  const Server server;
  const std::string port = std::to_string(server.port());
  const Result google = raw(port, "/google");
  CHECK(google.status == 0);
  CHECK(google.out.rfind("HTTP/1.1 200 OK\r\n", 0) == 0);
  CHECK(ends_with(google.out, "\r\n\r\nHello from google\n"));
  CHECK(google.err.rfind("socket: 3\nconnect: 0\nsend: ", 0) == 0);
  CHECK(ends_with(google.err, "recv: 0\n"));
  CHECK(raw(port, "/status/404").out.rfind("HTTP/1.1 404 Not Found\r\n", 0) == 0);
  CHECK(raw(port, "/bytes/1000000").out.size() > 1'000'000);
  CHECK(server.stats().requests == 3);
}

TEST_CASE("01 raw: an answer that comes in pieces is put together") {
  Listener listener;
  Process process({BUILD_DIR "/01-sync/raw", "127.0.0.1", std::to_string(listener.port()), "/a"});
  Socket client = listener.accept();
  CHECK(client.receive_until("\r\n\r\n") ==
        "GET /a HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(listener.port()) +
            "\r\nConnection: close\r\n\r\n");
  client.send("HTTP/1.1 200 OK\r\n");
  CHECK(process.read_line() == "HTTP/1.1 200 OK\r");  // before the rest is sent
  client.send("\r\nbody").shut_down();
  const Result result = process.finish();
  CHECK(result.status == 0);
  CHECK(result.out == "\r\nbody");
}

TEST_CASE("01 raw: what fails is named") {
  const RefusedPort refused;
  const Result nobody = raw(std::to_string(refused.port()), "/");
  CHECK(nobody.status == 1);
  CHECK(ends_with(nobody.err, "connect: Connection refused\n"));
  CHECK(nobody.out.empty());
  CHECK(run({BUILD_DIR "/01-sync/raw"}).status == 2);
  CHECK(raw("no-such-port", "/").status == 1);

  Listener listener;
  Process process({BUILD_DIR "/01-sync/raw", "127.0.0.1", std::to_string(listener.port()), "/"});
  Socket client = listener.accept();
  client.receive_until("\r\n\r\n");
  client.reset();
  const Result reset = process.finish();
  CHECK(reset.status == 1);
  CHECK(ends_with(reset.err, "recv: Connection reset by peer\n"));
}
