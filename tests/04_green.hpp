// What the tests of chapter 04's green threads have in common.

#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <vector>

#include "catch.hpp"
#include "green/green.hpp"

// Runs the functions as green threads, the first one first, to their ends.
template <typename... Functions>
void together(Functions... functions) {
  green::patch_all();
  for (const auto& thread : std::vector<green::Thread>{green::spawn(functions)...})
    green::join(thread);
}

struct Pair {  // two connected sockets, or the ends of a pipe
  int a = -1, b = -1;
  explicit Pair(int type = SOCK_STREAM) {
    int fds[2];
    REQUIRE(socketpair(AF_UNIX, type, 0, fds) == 0);
    a = fds[0], b = fds[1];
  }
  struct Pipe {};
  explicit Pair(Pipe) {
    int fds[2];
    REQUIRE(pipe(fds) == 0);
    a = fds[0], b = fds[1];  // read from a, write to b
  }
  Pair(const Pair&) = delete;
  ~Pair() { close_a(), close_b(); }
  void close_a() { close_once(a); }
  void close_b() { close_once(b); }
  static void close_once(int& fd) {
    if (fd >= 0) close(fd);
    fd = -1;
  }
};

struct Listener {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  explicit Listener(int backlog = 10) {
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(bind(fd, name(), size) == 0);
    REQUIRE(getsockname(fd, name(), &size) == 0);
    if (backlog > 0) REQUIRE(listen(fd, backlog) == 0);
  }
  ~Listener() { close(fd); }
  sockaddr* name() { return reinterpret_cast<sockaddr*>(&address); }
};

// What a call returned, and errno.
struct Answer {
  long result = -2;
  int error = 0;
  Answer() = default;
  Answer(long r) : result(r), error(r < 0 ? errno : 0) {}  // NOLINT
};

inline void limit_time(int fd, int option, std::chrono::milliseconds time) {
  const timeval limit{time.count() / 1000, time.count() % 1000 * 1000};
  REQUIRE(setsockopt(fd, SOL_SOCKET, option, &limit, sizeof limit) == 0);
}
