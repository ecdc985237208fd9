// Connections made by green threads, and descriptors that are closed, missing or bad.

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "04_green.hpp"
#include "catch.hpp"
#include "fetchers.hpp"
#include "green/green.hpp"

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

}  // namespace

TEST_CASE("connect, accept and accept4 wait", "[04]") {
  Listener listener;
  const int client = socket(AF_INET, SOCK_STREAM, 0);
  int first = -1, second = -1;
  sockaddr_in from{};
  socklen_t size = sizeof from;
  const auto from_name = reinterpret_cast<sockaddr*>(&from);
  together([&] { first = accept(listener.fd, from_name, &size); },
           [&] { second = accept4(listener.fd, nullptr, nullptr, SOCK_NONBLOCK); },
           [&] {
             CHECK(connect(client, listener.name(), sizeof listener.address) == 0);
             CHECK((fcntl(client, F_GETFL) & O_NONBLOCK) == 0);
             const int another = socket(AF_INET, SOCK_STREAM, 0);
             CHECK(connect(another, listener.name(), sizeof listener.address) == 0);
             close(another);
           });
  CHECK(from.sin_family == AF_INET);
  CHECK((fcntl(first, F_GETFL) & O_NONBLOCK) == 0);
  CHECK((fcntl(second, F_GETFL) & O_NONBLOCK) != 0);
  CHECK((fcntl(listener.fd, F_GETFL) & O_NONBLOCK) == 0);
  for (const int fd : {client, first, second}) CHECK(close(fd) == 0);
}

TEST_CASE("a refused connection says so", "[04]") {
  Listener nobody(0);
  const int client = socket(AF_INET, SOCK_STREAM, 0);
  together([&] {
    const Answer answer = connect(client, nobody.name(), sizeof nobody.address);
    CHECK(answer.result == -1);
    CHECK(answer.error == ECONNREFUSED);
  });
  close(client);
}

TEST_CASE("a connect that takes too long says that it is still in progress", "[04]") {
  Listener listener(0);
  REQUIRE(listen(listener.fd, 0) == 0);  // its queue has room for one
  const int first = socket(AF_INET, SOCK_STREAM, 0), second = socket(AF_INET, SOCK_STREAM, 0);
  limit_time(second, SO_SNDTIMEO, 20ms);
  together([&] {
    CHECK(connect(first, listener.name(), sizeof listener.address) == 0);
    const auto start = Clock::now();
    const Answer answer = connect(second, listener.name(), sizeof listener.address);
    CHECK(answer.result == -1);
    CHECK(answer.error == EINPROGRESS);
    CHECK(Clock::now() - start >= 20ms);
  });
  for (const int fd : {first, second}) close(fd);
}

TEST_CASE("a non-blocking connect does not wait", "[04]") {
  Listener listener;
  const int client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  together([&] {
    const Answer answer = connect(client, listener.name(), sizeof listener.address);
    CHECK(answer.error == EINPROGRESS);
    CHECK((fcntl(client, F_GETFL) & O_NONBLOCK) != 0);
  });
  close(client);
}

TEST_CASE("connect waits for room in a Unix socket's queue", "[04]") {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  const std::string path = "green-test-" + std::to_string(getpid());
  path.copy(name.sun_path + 1, path.size());  // an abstract name
  const auto address = reinterpret_cast<sockaddr*>(&name);
  const int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  REQUIRE(bind(listener, address, sizeof name) == 0);
  REQUIRE(listen(listener, 0) == 0);
  int connected = 0;
  std::vector<green::Thread> clients;
  green::patch_all();
  for (int i = 0; i < 5; ++i)
    clients.push_back(green::spawn([&] {
      const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
      connected += connect(fd, address, sizeof name) == 0;
      close(fd);
    }));
  clients.push_back(green::spawn([&] {
    for (int i = 0; i < 5; ++i) close(accept(listener, nullptr, nullptr));
  }));
  CHECK(green::join_all(clients, 60s));
  CHECK(connected == 5);
  const int late = socket(AF_UNIX, SOCK_STREAM, 0);
  const int later = socket(AF_UNIX, SOCK_STREAM, 0);
  limit_time(later, SO_SNDTIMEO, 20ms);
  together([&] {
    CHECK(connect(late, address, sizeof name) == 0);
    CHECK(Answer(connect(later, address, sizeof name)).error == EAGAIN);
  });
  for (const int fd : {late, later, listener}) close(fd);
}

TEST_CASE("a lack of file descriptors is an error of the call that lacks one", "[04]") {
  if (sanitized) return not_run("UBSan needs some itself");
  Listener listener;
  const int client = socket(AF_INET, SOCK_STREAM, 0);
  Pair pair;
  green::patch_all();
  rlimit limit;
  REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  Answer accepted, received;
  char data;
  together([&] { accepted = accept(listener.fd, nullptr, nullptr); },
           [&] { received = recv(pair.a, &data, 1, 0); },  // which takes none to wait
           [&] {
             const rlimit none{3, limit.rlim_max};
             setrlimit(RLIMIT_NOFILE, &none);
             CHECK(connect(client, listener.name(), sizeof listener.address) == 0);
             green::sleep_for(5ms);
             CHECK(send(pair.b, "x", 1, 0) == 1);
           });
  setrlimit(RLIMIT_NOFILE, &limit);
  CHECK(accepted.result == -1);
  CHECK(accepted.error == EMFILE);
  CHECK(received.result == 1);
  close(client);
}

// The ends of things.

TEST_CASE("close() wakes the green threads that wait for the fd", "[04]") {
  Pair pair;
  Listener listener;
  const int quiet = dup(pair.a);
  Answer received, sent, accepted, polled, selected;
  char data;
  const std::string much(8 << 20, 'x');
  pollfd both[]{{quiet, POLLIN, 0}, {pair.a, POLLIN, 0}};
  fd_set set;
  FD_ZERO(&set);
  FD_SET(pair.a, &set);
  const int a = pair.a, l = dup(listener.fd);
  together([&] { received = recv(a, &data, 1, 0); },
           [&] { sent = send(a, much.data(), much.size(), 0), sent = send(a, "x", 1, 0); },
           [&] { polled = poll(both, 2, -1); },
           [&] { selected = select(a + 1, &set, nullptr, nullptr, nullptr); },
           [&] { accepted = accept(l, nullptr, nullptr); },
           [&] {
             CHECK(close(l) == 0);
             pair.close_a();
           });
  for (const auto& answer : {received, sent, accepted, selected}) {
    CHECK(answer.result == -1);
    CHECK(answer.error == EBADF);
  }
  CHECK(polled.result == 1);
  CHECK(both[0].revents == 0);
  CHECK(both[1].revents == POLLNVAL);
  close(quiet);
}

TEST_CASE("a wait for a closed fd takes nothing from the successor of the fd", "[04]") {
  Pair pair, other;
  char data = ' ';
  Answer old_one, new_one;
  const int fd = pair.a;
  together([&] { old_one = recv(fd, &data, 1, 0); },
           [&] {
             green::yield();  // a first turn that took 10 ms did so before it came to wait
             close(fd);
             REQUIRE(dup2(other.a, fd) == fd);
             CHECK(send(other.b, "x", 1, 0) == 1);
             new_one = recv(fd, &data, 1, 0);
           });
  CHECK(old_one.result == -1);
  CHECK(old_one.error == EBADF);
  CHECK(new_one.result == 1);
}

TEST_CASE("close() on another OS thread wakes the green threads that wait", "[04]") {
  Pair pair;
  char data;
  Answer received;
  const int fd = pair.a;
  std::optional<std::jthread> closer;
  together([&] { received = recv(fd, &data, 1, 0); },
           [&] { closer.emplace([&] { pair.close_a(); }); });
  CHECK(received.error == EBADF);
}

TEST_CASE("an fd that is closed behind our back is no trouble", "[04]") {
  Pair pair, other;
  char data;
  together([&] {
    limit_time(pair.a, SO_RCVTIMEO, 2ms);
    CHECK(Answer(recv(pair.a, &data, 1, 0)).error == EAGAIN);  // the hub has met it
    const int kept = dup(pair.a);
    REQUIRE(dup2(other.a, pair.a) == pair.a);  // a close() that nobody calls
    CHECK(send(pair.b, "x", 1, 0) == 1);       // and an event on the old one
    limit_time(pair.a, SO_RCVTIMEO, 20ms);
    CHECK(Answer(recv(pair.a, &data, 1, 0)).error == EAGAIN);
    close(kept);
  });
  together([&] { CHECK(recv(pair.a, &data, 1, 0) == 1); },
           [&] { CHECK(send(other.b, "y", 1, 0) == 1); });
  CHECK(data == 'y');
}

TEST_CASE("a hang-up is an end of file for poll and select", "[04]") {
  Pair pair{Pair::Pipe{}};  // whose read end sees POLLHUP alone
  pollfd one{pair.a, POLLIN, 0};
  fd_set in, except;
  FD_ZERO(&in);
  FD_ZERO(&except);
  FD_SET(pair.a, &in);
  FD_SET(pair.a, &except);
  Answer polled, selected, nothing;
  timeval limit{0, 30'000};
  together([&] { polled = poll(&one, 1, -1); },
           [&] { selected = select(pair.a + 1, &in, nullptr, nullptr, nullptr); },
           [&] { nothing = select(pair.a + 1, nullptr, nullptr, &except, &limit); },
           [&] { pair.close_b(); });
  CHECK(polled.result == 1);
  CHECK(one.revents == POLLHUP);
  CHECK(selected.result == 1);
  CHECK(FD_ISSET(pair.a, &in));
  CHECK(nothing.result == 0);  // a hang-up is not exceptional
  CHECK_FALSE(FD_ISSET(pair.a, &except));
}

TEST_CASE("poll tells what happened to each of its fds", "[04]") {
  Pair one, two, three;
  pollfd fds[]{{one.a, POLLIN, 0}, {two.a, POLLIN, 0}, {-1, POLLIN, 7}, {three.a, POLLIN, 0}};
  Answer answer;
  together([&] { answer = poll(fds, 4, -1); },
           [&] {
             CHECK(send(two.b, "x", 1, 0) == 1);
             three.close_b();
           });
  CHECK(answer.result == 2);
  CHECK(fds[0].revents == 0);
  CHECK(fds[1].revents == POLLIN);
  CHECK(fds[2].revents == 0);
  CHECK(fds[3].revents == (POLLIN | POLLHUP));
}

TEST_CASE("fds of 1024 and more work", "[04]") {
  Pair pair;
  const int fd = dup2(pair.a, 1500);
  REQUIRE(fd == 1500);
  char data;
  pollfd one{fd, POLLIN, 0};
  std::array<fd_set, 2> sets{};
  reinterpret_cast<char*>(sets.data())[1500 / 8] = 1 << 1500 % 8;
  Answer polled, selected, received;
  together([&] { polled = poll(&one, 1, -1); },
           [&] { selected = select(1501, sets.data(), nullptr, nullptr, nullptr); },
           [&] {
             CHECK(send(pair.b, "x", 1, 0) == 1);
             green::sleep_for(1ms);
           });
  together([&] { received = recv(fd, &data, 1, 0); });
  CHECK(polled.result == 1);
  CHECK(selected.result == 1);
  CHECK(received.result == 1);
  close(fd);
}

TEST_CASE("an fd that the hub's epoll refuses is waited for all the same", "[04]") {
  Pair pair;
  std::vector<int> nested{pair.a};  // epolls in epolls, as many as the kernel takes
  for (int error = 0; error == 0;) {
    const int epoll = epoll_create1(0);
    epoll_event event{EPOLLIN, {}};
    error = epoll_ctl(epoll, EPOLL_CTL_ADD, nested.back(), &event);
    if (error == 0) nested.push_back(epoll);
    if (error != 0) close(epoll);
  }
  pollfd one{nested.back(), POLLIN, 0};
  Answer polled;
  together([&] { polled = poll(&one, 1, -1); },
           [&] { green::sleep_for(1ms), send(pair.b, "x", 1, 0); });
  CHECK(polled.result == 1);
  for (std::size_t i = 1; i < nested.size(); ++i) close(nested[i]);
}

TEST_CASE("bad arguments are libc's business", "[04]") {
  char data;
  together([&] {
    CHECK(Answer(recv(-1, &data, 1, 0)).error == EBADF);
    CHECK(Answer(read(12345, &data, 1)).error == EBADF);
    CHECK(Answer(write(12345, &data, 1)).error == EBADF);
    CHECK(Answer(accept(12345, nullptr, nullptr)).error == EBADF);
    CHECK(Answer(connect(12345, nullptr, 0)).error == EBADF);
    CHECK(Answer(close(12345)).error == EBADF);
    pollfd one{12345, POLLIN, 0};
    CHECK(poll(&one, 1, -1) == 1);
    CHECK(one.revents == POLLNVAL);
    fd_set set;
    FD_ZERO(&set);
    FD_SET(1000, &set);
    CHECK(Answer(select(1001, &set, nullptr, nullptr, nullptr)).error == EBADF);
  });
}
