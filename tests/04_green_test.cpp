// The green threads of chapter 04, and libc's calls in a green thread. In most of these tests a
// green thread waits for something that another one does later. If the call blocked the OS thread,
// the test would never end.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <iterator>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "fetchers.hpp"
#include "folder.hpp"
#include "green/green.hpp"

extern "C" {
int __poll_chk(pollfd*, nfds_t, int, size_t);
ssize_t __recv_chk(int, void*, size_t, size_t, int);
ssize_t __recvfrom_chk(int, void*, size_t, size_t, int, sockaddr*, socklen_t*);
ssize_t __read_chk(int, void*, size_t, size_t);
}

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

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

long fail_with(int error) {
  errno = error;
  return -1;
}

std::size_t os_threads() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return std::distance(begin(tasks), end(tasks));
}

void limit_time(int fd, int option, std::chrono::milliseconds time) {
  const timeval limit{time.count() / 1000, time.count() % 1000 * 1000};
  REQUIRE(setsockopt(fd, SOL_SOCKET, option, &limit, sizeof limit) == 0);
}

}  // namespace

// The hub.

TEST_CASE("green threads take turns where they wait", "[04]") {
  std::string turns;
  together([&] { turns += 'a', green::yield(), turns += 'b', green::yield(), turns += 'c'; },
           [&] { turns += '1', green::yield(), turns += '2', green::yield(), turns += '3'; });
  CHECK(turns == "a1b2c3");
}

TEST_CASE("spawn() from a green thread goes on first, and the new one has its turn later", "[04]") {
  std::string turns;
  together([&] {
    turns += 'a';
    const auto child = green::spawn([&] { turns += 'c'; });
    turns += 'b';
    green::join(child);
    turns += 'd';
  });
  CHECK(turns == "abcd");
}

TEST_CASE("spawn() copies its arguments, or moves them", "[04]") {
  std::string kept = "kept";
  auto moved = std::make_unique<std::string>("moved");
  std::string result;
  const auto thread =
      green::spawn([&](std::string a, std::unique_ptr<std::string> b,
                       std::string& c) { result = a + " " + *b, c = "by reference"; },
                   kept, std::move(moved), std::ref(kept));
  green::join(thread);
  CHECK(result == "kept moved");
  CHECK(kept == "by reference");
}

TEST_CASE("what a green thread holds is gone when its joiner goes on", "[04]") {
  const auto held = std::make_shared<int>(1);
  const auto thread = green::spawn([](const std::shared_ptr<int>&) { green::yield(); }, held);
  green::join(thread);
  CHECK(held.use_count() == 1);
}

TEST_CASE("an exception reaches those who join, of green threads and outside", "[04]") {
  const auto thrower = green::spawn([] {
    green::yield();
    throw std::runtime_error("on purpose");
  });
  std::string caught;
  together([&] {
    try {
      green::join(thrower);
    } catch (const std::runtime_error& error) {
      caught = error.what();
    }
  });
  CHECK(caught == "on purpose");
  CHECK_THROWS_WITH(green::join(thrower), "on purpose");
  CHECK_THROWS_AS(green::join(thrower, 0s), std::runtime_error);
}

TEST_CASE("join() with a timeout leaves a straggler at work", "[04]") {
  bool go_on = false, done = false;
  const auto straggler = green::spawn([&] {
    while (!go_on) green::yield();
    done = true;
  });
  CHECK_FALSE(green::join(straggler, 10ms));
  CHECK_FALSE(green::join_all(10ms));
  CHECK_FALSE(green::join_all({straggler}, 10ms));
  together([&] { CHECK_FALSE(green::join(straggler, 10ms)); });
  go_on = true;
  CHECK(green::join_all(10s));
  CHECK(done);
  CHECK(green::join_all({straggler}, 0s));
}

TEST_CASE("kill() has the call that waits fail with ECANCELED, and all the later ones", "[04]") {
  Pair pair, ready;
  REQUIRE(write(ready.b, "x", 1) == 1);
  char data;
  timespec hour{3600, 0};
  pollfd one{pair.a, POLLIN, 0};
  fd_set set;
  addrinfo* found = nullptr;
  const std::function<Answer()> calls[] = {
      [&] { return Answer(recv(pair.a, &data, 1, 0)); },
      [&] { return Answer(recv(ready.a, &data, 1, MSG_PEEK)); },
      [&] { return Answer(read(pair.a, &data, 1)); },
      [&] { return Answer(poll(&one, 1, -1)); },
      [&] { return Answer(poll(&one, 1, 0)); },
      [&] {
        FD_ZERO(&set);
        FD_SET(pair.a, &set);
        return Answer(select(pair.a + 1, &set, nullptr, nullptr, nullptr));
      },
      [&] { return Answer(nanosleep(&hour, nullptr)); },
      [&] { return Answer(usleep(1'000'000'000)); },
      [&] { return Answer(sleep(3600) == 3600 ? fail_with(ECANCELED) : 0); },
      [&] {
        const int error = clock_nanosleep(CLOCK_MONOTONIC, 0, &hour, nullptr);
        return Answer(fail_with(error));
      },
      [&] {
        return Answer(getaddrinfo("localhost", "80", nullptr, &found) == EAI_SYSTEM ? -1 : 0);
      },
  };
  green::patch_all();
  for (const auto& first : calls) {
    INFO(&first - calls);
    std::vector<Answer> answers;
    const auto victim = green::spawn([&] {
      const auto index = &first - calls;  // these do not wait, or not for long
      if (index != 1 && index != 4 && index != 10) answers.push_back(first());
      for (const auto& call : calls) answers.push_back(call());
    });
    green::yield();  // it waits in the first call
    green::kill(victim);
    green::join(victim);
    CHECK(answers.size() >= std::size(calls));
    for (const Answer& answer : answers) {
      CHECK(answer.result == -1);
      CHECK(answer.error == ECANCELED);
    }
  }
}

TEST_CASE("kill() reaches those who have not begun, and does nothing to those who ended", "[04]") {
  Pair pair;
  Answer answer;
  char data;
  green::patch_all();
  const auto victim = green::spawn([&] { answer = recv(pair.a, &data, 1, 0); });
  green::kill(victim);
  green::join(victim);
  CHECK(answer.error == ECANCELED);
  green::kill(victim);
  together([&] { answer = recv(pair.a, &data, 1, 0); }, [&] { CHECK(write(pair.b, "x", 1) == 1); });
  CHECK(answer.result == 1);
}

TEST_CASE("a killed green thread that goes on regardless lets the others run", "[04]") {
  Pair pair;
  char data;
  pollfd one{pair.a, POLLIN, 0};
  addrinfo* found = nullptr;
  const std::function<void()> calls[] = {
      [] { std::this_thread::sleep_for(100ms); },
      [] { sleep(1); },
      [&] { CHECK(recv(pair.a, &data, 1, 0) == -1); },
      [&] { CHECK(poll(&one, 1, -1) == -1); },
      [&] { CHECK(getaddrinfo("localhost", "80", nullptr, &found) == EAI_SYSTEM); },
  };
  green::patch_all();
  for (const auto& call : calls) {
    INFO(&call - calls);
    bool stop = false;
    const auto victim = green::spawn([&] {
      for (int i = 0; i < 1000 && !stop; ++i) call();
      CHECK(stop);
    });
    green::kill(victim);
    const auto other = green::spawn([&] { stop = true; });
    green::join_all({victim, other});
  }
}

TEST_CASE("join_all() in a green thread waits for all the others", "[04]") {
  int ended = 0;
  together([&] { CHECK((green::join_all(), ended == 2)); }, [&] { green::sleep_for(2ms), ++ended; },
           [&] { green::yield(), ++ended; });
  CHECK(ended == 2);
}

TEST_CASE("sleep_for() outside of green threads runs them meanwhile", "[04]") {
  int turns = 0;
  const auto thread = green::spawn([&] { ++turns, green::yield(), ++turns; });
  green::sleep_for(1ms);
  while (turns < 2) green::sleep_for(1ms);
  green::join(thread);
}

TEST_CASE("a pool runs no more than its size at a time", "[04]") {
  int now = 0, most = 0, all = 0;
  const auto job = [&] {
    most = std::max(most, ++now);
    green::sleep_for(1ms);
    --now, ++all;
  };
  SECTION("filled from outside") {
    green::Pool pool(3);
    for (int i = 0; i < 20; ++i) pool.spawn(job);
    pool.join();
    CHECK(all == 20);
  }
  SECTION("filled by a green thread") {
    together([&] {
      green::Pool pool(3);
      for (int i = 0; i < 20; ++i) pool.spawn(job);
    });
    CHECK(all == 20);
  }
  SECTION("of jobs that throw") {
    green::Pool pool(3);
    std::vector<green::Thread> threads;
    for (int i = 0; i < 20; ++i) threads.push_back(pool.spawn([&, i] { job(), throw i; }));
    for (const auto& thread : threads) CHECK_THROWS_AS(green::join(thread), int);
  }
  CHECK(most == 3);
}

TEST_CASE("a pool's places go to those who wait, in their order", "[04]") {
  std::string turns;
  bool go_on = false;
  green::Pool pool(2);
  const auto job = [&](char name) {
    while (!go_on) green::yield();
    turns += name;
  };
  std::vector<green::Thread> threads;
  for (const char name : {'a', 'b', 'c', 'd', 'e'})
    threads.push_back(green::spawn([&, name] { pool.spawn(job, name); }));
  threads.push_back(green::spawn([&] { go_on = true; }));
  green::join_all(threads);
  pool.join();
  CHECK(turns == "abcde");
}

// Were all of them woken for each place, it would take minutes.
TEST_CASE("many who wait for a pool's one place take no more time each than a few do", "[04]") {
  if (sanitized) return;
  const int count = 15'000;
  int done = 0;
  const auto cpu_seconds = [] {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return double(now.tv_sec) + 1e-9 * double(now.tv_nsec);
  };
  const double before = cpu_seconds();
  green::Pool pool(1);
  std::vector<green::Thread> threads;
  for (int i = 0; i < count; ++i)
    threads.push_back(green::spawn([&] { pool.spawn([&] { green::yield(), ++done; }); }));
  green::join_all(threads);
  pool.join();
  CHECK(done == count);
  CHECK(cpu_seconds() - before < 5);
}

TEST_CASE("the stacks of a burst go back to the machine, but for a few", "[04]") {
  if (sanitized) return;  // which map more than that themselves
  const auto mappings = [] {
    std::ifstream maps("/proc/self/maps");
    return std::count(std::istreambuf_iterator<char>(maps), {}, '\n');
  };
  const auto burst = [](int count) {
    std::vector<green::Thread> threads;
    for (int i = 0; i < count; ++i) threads.push_back(green::spawn([] { green::yield(); }));
    green::join_all(threads);
  };
  burst(10);
  const auto before = mappings();
  burst(5000);
  CHECK(mappings() - before < 200);
  burst(10);
}

TEST_CASE("another OS thread cannot use the green threads of this one", "[04]") {
  green::patch_all();
  std::async(std::launch::async, [] {
    CHECK_THROWS_AS(green::spawn([] {}), std::logic_error);
    CHECK_THROWS_AS(green::join_all(), std::logic_error);
  }).get();
}

// What belongs to a green thread.

TEST_CASE("errno is each green thread's own", "[04]") {
  std::vector<int> seen;
  const auto keep = [&](int value) {
    errno = value;
    green::yield();
    seen.push_back(errno);
    errno = value + 1;
    green::sleep_for(1ms);
    seen.push_back(errno);
  };
  together([&] { keep(EPERM); }, [&] { keep(ENOENT + 100); });
  CHECK(seen == std::vector<int>{EPERM, ENOENT + 100, EPERM + 1, ENOENT + 101});
}

TEST_CASE("a call that waits and succeeds leaves errno alone", "[04]") {
  Pair pair, pipe{Pair::Pipe{}};
  char data;
  pollfd one{pair.a, POLLIN, 0};
  const auto feed = [&] { CHECK(write(pair.b, "x", 1) + write(pipe.b, "x", 1) == 2); };
  together(
      [&] {
        errno = EPERM;
        CHECK(poll(&one, 1, -1) == 1);
        CHECK(recv(pair.a, &data, 1, 0) == 1);
        CHECK(read(pipe.a, &data, 1) == 1);
        CHECK(errno == EPERM);
        CHECK(recv(pair.a, &data, 1, 0) == 1);
        CHECK(read(pipe.a, &data, 1) == 1);
        CHECK(errno == EPERM);
      },
      feed, [&] { green::sleep_for(1ms), feed(); });
}

TEST_CASE("green threads that wait in a catch block keep their exceptions apart", "[04]") {
  std::string seen;
  const auto rethrow = [&](const char* name) {
    try {
      try {
        throw std::runtime_error(name);
      } catch (...) {
        green::yield();
        throw;
      }
    } catch (const std::exception& error) {
      seen += error.what();
    }
  };
  try {
    throw std::runtime_error("outside");
  } catch (...) {
    together([&] { rethrow("a"); }, [&] { rethrow("b"); }, [&] { rethrow("c"); },
             [] { CHECK(std::current_exception() == nullptr); });
    CHECK_THROWS_WITH(throw, "outside");
  }
  CHECK(seen == "abc");
}

TEST_CASE("a destructor may wait while an exception passes", "[04]") {
  int before = -1, other = -1;
  struct Waits {
    int& uncaught;
    ~Waits() { green::yield(), uncaught = std::uncaught_exceptions(); }
  };
  together(
      [&] {
        try {
          const Waits waits{before};
          throw 1;
        } catch (int) {
        }
      },
      [&] { other = std::uncaught_exceptions(); });
  CHECK(before == 1);
  CHECK(other == 0);
}

// Reading: in each of its ways.

TEST_CASE("each call that reads waits for its data", "[04]") {
  Pair pair;
  char data[8] = "";
  iovec buffer{data, sizeof data};
  msghdr message{};
  message.msg_iov = &buffer;
  message.msg_iovlen = 1;
  pollfd one{pair.a, POLLIN, 0};
  fd_set set;
  FD_ZERO(&set);
  FD_SET(pair.a, &set);
  timeval minute{60, 0};
  const timespec also_minute{60, 0};
  const std::vector<std::pair<const char*, std::function<long()>>> calls{
      {"read", [&] { return read(pair.a, data, 8); }},
      {"__read_chk", [&] { return __read_chk(pair.a, data, 8, 8); }},
      {"readv", [&] { return readv(pair.a, &buffer, 1); }},
      {"recv", [&] { return recv(pair.a, data, 8, 0); }},
      {"__recv_chk", [&] { return __recv_chk(pair.a, data, 8, 8, 0); }},
      {"recvfrom", [&] { return recvfrom(pair.a, data, 8, 0, nullptr, nullptr); }},
      {"__recvfrom_chk", [&] { return __recvfrom_chk(pair.a, data, 8, 8, 0, nullptr, nullptr); }},
      {"recvmsg", [&] { return recvmsg(pair.a, &message, 0); }},
      {"poll", [&] { return poll(&one, 1, -1); }},
      {"__poll_chk", [&] { return __poll_chk(&one, 1, -1, sizeof one); }},
      {"ppoll", [&] { return ppoll(&one, 1, nullptr, nullptr); }},
      {"ppoll with a timeout", [&] { return ppoll(&one, 1, &also_minute, nullptr); }},
      {"select", [&] { return select(pair.a + 1, &set, nullptr, nullptr, nullptr); }},
      {"select with a timeout",
       [&] { return select(pair.a + 1, &set, nullptr, nullptr, &minute); }}};
  for (const auto& [name, call] : calls) {
    DYNAMIC_SECTION(name) {
      Answer answer;
      std::string order;
      together([&, &call = call] { order += "waits ", answer = call(), order += "has it"; },
               [&] {
                 order += "sends ";
                 CHECK(write(pair.b, "x", 1) == 1);
               });
      CHECK(order == "waits sends has it");
      CHECK(answer.result == 1);
      if (*data) CHECK(*data == 'x');
    }
  }
  CHECK(minute.tv_sec >= 59 - 30);
}

TEST_CASE("a pipe is waited for as a socket is", "[04]") {
  Pair pair{Pair::Pipe{}};
  Answer first, last;
  char data[8];
  iovec buffer{data, 8};
  together([&] { first = read(pair.a, data, 8), last = readv(pair.a, &buffer, 1); },
           [&] {
             CHECK(write(pair.b, "abc", 3) == 3);
             green::sleep_for(2ms), pair.close_b();
           });
  CHECK(first.result == 3);
  CHECK(last.result == 0);
}

TEST_CASE("a file is read and written as ever", "[04]") {
  const Folder folder;
  const int fd = open(folder.write("file", "").c_str(), O_RDWR);
  REQUIRE(fd >= 0);
  together([&] {
    const std::string text(100'000, 'x');
    CHECK(write(fd, text.data(), text.size()) == 100'000);
    CHECK(lseek(fd, 0, SEEK_SET) == 0);
    std::string back(100'000, ' ');
    CHECK(read(fd, back.data(), back.size()) == 100'000);
    CHECK(back == text);
    CHECK(read(fd, back.data(), 0) == 0);
    pollfd one{fd, POLLIN, 0};
    CHECK(poll(&one, 1, -1) == 1);
  });
  close(fd);
}

TEST_CASE("several green threads read from one fd", "[04]") {
  Pair pair;
  const int count = GENERATE(2, 600);  // more than 500 nested epolls is what the kernel allows
  std::string got;
  std::vector<green::Thread> readers;
  green::patch_all();
  for (int i = 0; i < count; ++i)
    readers.push_back(green::spawn([&] {
      char data;
      if (read(pair.a, &data, 1) == 1) got += data;
    }));
  green::spawn([&] {
    for (int i = 0; i < count; ++i) {
      CHECK(write(pair.b, "x", 1) == 1);
      if (i % 100 == 0) green::sleep_for(1ms);
    }
  });
  CHECK(green::join_all(readers, 60s));
  CHECK(got == std::string(count, 'x'));
}

TEST_CASE("one green thread reads from an fd and another one writes to it", "[04]") {
  Pair pair;
  const std::string much(4 << 20, 'w');
  Answer reader, writer;
  char data;
  together([&] { reader = recv(pair.a, &data, 1, 0); },
           [&] { writer = send(pair.a, much.data(), much.size(), 0); },
           [&] {
             std::string all(much.size(), ' ');
             CHECK(recv(pair.b, all.data(), all.size(), MSG_WAITALL) == ssize_t(all.size()));
             CHECK(all == much);
             CHECK(send(pair.b, "r", 1, 0) == 1);
           });
  CHECK(reader.result == 1);
  CHECK(writer.result == 4 << 20);
}

TEST_CASE("recv's flags and the fd's mode are honoured", "[04]") {
  Pair pair;
  char data[8];
  together([&] {
    const auto check_again = [](Answer answer) {
      CHECK(answer.result == -1);
      CHECK(answer.error == EAGAIN);
    };
    check_again(recv(pair.a, data, 8, MSG_DONTWAIT));
    iovec buffer{data, 8};
    msghdr message{};
    message.msg_iov = &buffer;
    message.msg_iovlen = 1;
    check_again(recvmsg(pair.a, &message, MSG_DONTWAIT));
    fcntl(pair.a, F_SETFL, O_NONBLOCK);
    check_again(recv(pair.a, data, 8, 0));
    check_again(read(pair.a, data, 8));
    check_again(readv(pair.a, &buffer, 1));
    Listener listener;
    fcntl(listener.fd, F_SETFL, O_NONBLOCK);
    check_again(accept(listener.fd, nullptr, nullptr));
    CHECK((fcntl(listener.fd, F_GETFL) & O_NONBLOCK) != 0);
    Pair pipe{Pair::Pipe{}};
    fcntl(pipe.a, F_SETFL, O_NONBLOCK);
    check_again(read(pipe.a, data, 8));
    fcntl(pipe.b, F_SETFL, O_NONBLOCK);
    const std::string much(1 << 20, 'x');
    const auto some = write(pipe.b, much.data(), much.size());
    CHECK(some > 0);
    CHECK(some < 1 << 20);
    check_again(write(pipe.b, "x", 1));
    const auto part = send(pair.b, much.data(), much.size(), MSG_DONTWAIT);
    CHECK(part > 0);
    CHECK(part < 1 << 20);
  });
}

TEST_CASE("MSG_PEEK leaves the data, MSG_WAITALL waits for all of it", "[04]") {
  Pair pair;
  char data[8] = "";
  char more[4];
  iovec buffers[]{{data, 2}, {data + 2, 4}};
  msghdr message{};
  message.msg_iov = buffers;
  message.msg_iovlen = 2;
  bool peeked = false;
  together(
      [&] {
        CHECK(recv(pair.a, data, 8, MSG_PEEK) == 2);
        CHECK(recv(pair.a, data, 8, MSG_PEEK | MSG_WAITALL) == 2);
        peeked = true;
        CHECK(recv(pair.a, more, 4, MSG_WAITALL) == 4);
        CHECK(std::string(more, 4) == "abcd");
        CHECK(recvmsg(pair.a, &message, MSG_WAITALL) == 6);
        CHECK(std::string(data, 6) == "efghij");
        CHECK(recv(pair.a, data, 8, MSG_WAITALL) == 1);  // and then its end
      },
      [&] {
        for (const char* piece : {"ab", "cd", "efg", "hij", "k"}) {
          CHECK(send(pair.b, piece, std::strlen(piece), 0) > 0);
          do green::sleep_for(1ms);
          while (!peeked);
        }
        pair.close_b();
      });
}

TEST_CASE("datagrams stay whole", "[04]") {
  Pair pair(SOCK_DGRAM);
  char data[8];
  together([&] { CHECK(recv(pair.a, data, 8, MSG_WAITALL) == 3); },
           [&] { CHECK(send(pair.b, "abc", 3, 0) == 3); });
  together([&] { CHECK(recv(pair.a, data, 8, 0) == 0); },
           [&] { CHECK(send(pair.b, "", 0, 0) == 0); });
}

// Writing.

TEST_CASE("a blocking send ends when all is sent", "[04]") {
  const std::string much(8 << 20, 'x');
  const auto data = const_cast<char*>(much.data());
  iovec parts[]{{data, 10}, {data, 5'000'000}, {data, 0}, {data, much.size() - 5'000'010}};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 4;
  using Call = std::function<long(int)>;
  const std::vector<std::pair<const char*, Call>> calls{
      {"send", [&](int fd) { return send(fd, data, much.size(), 0); }},
      {"sendto", [&](int fd) { return sendto(fd, data, much.size(), 0, nullptr, 0); }},
      {"sendmsg", [&](int fd) { return sendmsg(fd, &message, 0); }},
      {"write", [&](int fd) { return write(fd, data, much.size()); }},
      {"writev", [&](int fd) { return writev(fd, parts, 4); }}};
  for (const auto& [name, call] : calls) {
    for (const bool is_pipe : {false, true}) {
      if (is_pipe && *name == 's') continue;
      DYNAMIC_SECTION(name << (is_pipe ? " to a pipe" : " to a socket")) {
        const auto pair = is_pipe ? std::make_unique<Pair>(Pair::Pipe{}) : std::make_unique<Pair>();
        Answer sent;
        std::size_t received = 0;
        together([&, &call = call] { sent = call(pair->b), pair->close_b(); },
                 [&] {
                   std::vector<char> some(100'000);
                   for (ssize_t count; (count = read(pair->a, some.data(), some.size())) > 0;)
                     received += count;
                 });
        CHECK(sent.result == 8 << 20);
        CHECK(received == 8 << 20);
      }
    }
  }
}

TEST_CASE("a send is cut short when the peer goes", "[04]") {
  Pair pair;
  const std::string much(8 << 20, 'x');
  Answer first, second, begun;
  char data;
  together(
      [&] { first = send(pair.b, much.data(), much.size(), 0), second = send(pair.b, "x", 1, 0); },
      [&] { begun = recv(pair.a, &data, 1, 0), pair.close_a(); });
  CHECK(begun.result == 1);
  CHECK(first.result > 0);
  CHECK(first.result < 8 << 20);
  CHECK(second.result == -1);
  CHECK(second.error == EPIPE);  // and no SIGPIPE
}

// Time limits.

TEST_CASE("SO_RCVTIMEO and SO_SNDTIMEO are honoured", "[04]") {
  Pair pair;
  limit_time(pair.a, SO_RCVTIMEO, 30ms);
  limit_time(pair.a, SO_SNDTIMEO, 30ms);
  const std::string much(8 << 20, 'x');
  char data;
  together([&] {
    const auto start = Clock::now();
    const Answer received = recv(pair.a, &data, 1, 0);
    CHECK(received.result == -1);
    CHECK(received.error == EAGAIN);
    CHECK(Clock::now() - start >= 30ms);
    CHECK(send(pair.a, much.data(), much.size(), 0) > 0);
    const Answer sent = send(pair.a, "x", 1, 0);
    CHECK(sent.result == -1);
    CHECK(sent.error == EAGAIN);
    CHECK(Clock::now() - start >= 90ms);
    Listener listener;
    limit_time(listener.fd, SO_RCVTIMEO, 20ms);
    const Answer accepted = accept(listener.fd, nullptr, nullptr);
    CHECK(accepted.error == EAGAIN);
  });
}

TEST_CASE("a read without a limit has none", "[04]") {
  Pair pair;
  char data;
  Answer answer;
  together([&] { answer = recv(pair.a, &data, 1, 0); },  // libco gives up after 1 s
           [&] {
             green::sleep_for(1200ms);
             CHECK(send(pair.b, "x", 1, 0) == 1);
           });
  CHECK(answer.result == 1);
}

TEST_CASE("poll and select return 0 at their timeouts, and not before", "[04]") {
  Pair pair;
  pollfd one{pair.a, POLLIN, 0};
  fd_set set;
  FD_ZERO(&set);
  FD_SET(pair.a, &set);
  timeval limit{0, 20'000};
  const timespec also{0, 20'000'000};
  together([&] {
    for (const auto& call : std::vector<std::function<int()>>{
             [&] { return poll(&one, 1, 20); }, [&] { return ppoll(&one, 1, &also, nullptr); },
             [&] { return select(pair.a + 1, &set, nullptr, nullptr, &limit); },
             [&] { return poll(nullptr, 0, 20); }}) {
      const auto start = Clock::now();
      CHECK(call() == 0);
      CHECK(Clock::now() - start >= 20ms);
    }
    CHECK(poll(&one, 1, 0) == 0);
    one.fd = -1;
    CHECK(poll(&one, 1, 1) == 0);
    CHECK_FALSE(FD_ISSET(pair.a, &set));
    CHECK(limit.tv_sec == 0);
    CHECK(limit.tv_usec == 0);
  });
}

TEST_CASE("the sleeps let others run, for as long as they say", "[04]") {
  int ticks = 0;
  bool stop = false;
  timespec later{};
  together(
      [&] {
        const auto check = [&](const std::function<void()>& sleeping) {
          const auto start = Clock::now();
          const int before = ticks;
          sleeping();
          CHECK(Clock::now() - start >= 20ms);
          CHECK(ticks > before);
        };
        const timespec time{0, 20'000'000};
        check([&] { CHECK(nanosleep(&time, nullptr) == 0); });
        check([&] { CHECK(clock_nanosleep(CLOCK_MONOTONIC, 0, &time, nullptr) == 0); });
        check([&] {
          clock_gettime(CLOCK_REALTIME, &later);
          later.tv_sec += 1;
          CHECK(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &later, nullptr) == 0);
        });
        check([&] { CHECK(usleep(20'000) == 0); });
        check([&] { CHECK(sleep(1) == 0); });
        check([&] { std::this_thread::sleep_for(20ms); });
        const timespec wrong{0, 2'000'000'000};
        CHECK(Answer(nanosleep(&wrong, nullptr)).error == EINVAL);
        CHECK(clock_nanosleep(CLOCK_MONOTONIC, 0, &wrong, nullptr) == EINVAL);
        CHECK(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr) == 0);  // long past
        stop = true;
      },
      [&] {
        while (!stop) {
          ++ticks;
          green::sleep_for(1ms);
        }
      });
}

// Connections.

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
  if (sanitized) return;  // UBSan needs some itself
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

TEST_CASE("close() wakes those who wait for the fd", "[04]") {
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

TEST_CASE("who waited for a closed fd does not take what its successor gets", "[04]") {
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

// Threads, names.

TEST_CASE("outside of green threads and on other OS threads, libc is as ever", "[04]") {
  green::patch_all();
  Pair pair;
  char data;
  std::jthread other([&] { CHECK(send(pair.b, "x", 1, 0) == 1); });
  CHECK(recv(pair.a, &data, 1, 0) == 1);  // blocks, with no hub at work
  std::jthread reader([&] { CHECK(recv(pair.a, &data, 1, 0) == 1); });
  std::this_thread::sleep_for(1ms);
  CHECK(write(pair.b, "y", 1) == 1);
}

TEST_CASE("pthread_join lets the others run", "[04]") {
  std::atomic<bool> go_on = false;
  int ticks = 0;
  pthread_t thread;
  void* value = nullptr;
  together(
      [&] {
        const auto body = [](void* flag) -> void* {
          while (!static_cast<std::atomic<bool>*>(flag)->load()) std::this_thread::sleep_for(1ms);
          return flag;
        };
        REQUIRE(pthread_create(&thread, nullptr, body, &go_on) == 0);
        CHECK(pthread_join(thread, &value) == 0);
        CHECK(pthread_join(pthread_self(), nullptr) == EDEADLK);
        std::jthread([] {}).join();
      },
      [&] {
        for (; ticks < 5; ++ticks) green::sleep_for(1ms);
        go_on = true;
      });
  CHECK(value == &go_on);
}

TEST_CASE("a numeric host is looked up at once, without a thread", "[04]") {
  const auto before = os_threads();
  together([&] {
    addrinfo* found = nullptr;
    CHECK(getaddrinfo("127.0.0.1", "80", nullptr, &found) == 0);
    freeaddrinfo(found);
    addrinfo passive{};
    passive.ai_flags = AI_PASSIVE;
    CHECK(getaddrinfo(nullptr, "80", &passive, &found) == 0);
    freeaddrinfo(found);
    addrinfo numeric{};
    numeric.ai_flags = AI_NUMERICHOST;
    CHECK(getaddrinfo("localhost", "80", &numeric, &found) == EAI_NONAME);
  });
  CHECK(os_threads() == before);
}

TEST_CASE("getaddrinfo_a has all answers on return, and starts no thread for a number", "[04]") {
  const auto threads = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/task"),
                         std::filesystem::directory_iterator());
  };
  const auto before = threads();
  together([] {
    gaicb number{"127.0.0.1", "80", nullptr, nullptr, 0, {}};
    addrinfo numeric{};
    numeric.ai_flags = AI_NUMERICHOST;
    gaicb name{"localhost", "80", &numeric, nullptr, 0, {}};
    gaicb* all[] = {&number, nullptr, &name};
    CHECK(getaddrinfo_a(GAI_NOWAIT, all, 3, nullptr) == 0);
    CHECK(gai_error(&number) == 0);
    CHECK(gai_error(&name) == EAI_NONAME);
    CHECK(gai_suspend(all, 3, nullptr) == EAI_ALLDONE);
    REQUIRE(number.ar_result);
    CHECK(number.ar_result->ai_family == AF_INET);
    freeaddrinfo(number.ar_result);
  });
  CHECK(threads() == before);
}

TEST_CASE("a name is looked up on another OS thread, and the others go on", "[04]") {
  addrinfo* known = nullptr;  // a bare system may not know the name: then neither do we
  const int expected = getaddrinfo("localhost", "80", nullptr, &known);
  if (known) freeaddrinfo(known);
  bool looked_up = false;
  int ticks = 0;
  together(
      [&] {
        addrinfo* found = nullptr;
        errno = EPERM;
        CHECK(getaddrinfo("localhost", "80", nullptr, &found) == expected);
        if (found) freeaddrinfo(found);
        looked_up = true;
      },
      [&] {
        while (!looked_up) {
          ++ticks;
          green::sleep_for(0s);
        }
      });
  CHECK(ticks > 0);
}

TEST_CASE("a slow job on another OS thread stops nobody", "[04]") {
  std::promise<void> go_on;
  int ticks = 0;
  together([&] { green::detail::on_a_real_thread([&] { go_on.get_future().wait(); }); },
           [&] {
             for (; ticks < 5; ++ticks) green::sleep_for(1ms);
             go_on.set_value();  // never, if that job had stopped us
           });
  CHECK(ticks == 5);
}

TEST_CASE("jobs on other OS threads that hang do not hold up the next one", "[04]") {
  const auto before = os_threads();
  std::promise<void> go_on;
  const auto wait = [end = go_on.get_future().share()] { end.wait(); };
  std::vector<green::Thread> hanging;
  for (int i = 0; i < 20; ++i)
    hanging.push_back(green::spawn([&] { green::detail::on_a_real_thread(wait); }));
  const auto next = green::spawn([] { green::detail::on_a_real_thread([] {}); });
  CHECK(green::join(next, 10s));
  for (int i = 20; i < 100; ++i)  // more than there are threads
    hanging.push_back(green::spawn([&] { green::detail::on_a_real_thread(wait); }));
  const auto last = green::spawn([] { green::detail::on_a_real_thread([] {}); });
  CHECK_FALSE(green::join(last, 10ms));
  CHECK(os_threads() < 80);
  go_on.set_value();
  CHECK(green::join_all(hanging, 10s));
  green::join(last);
  const auto few = before + (sanitized ? 1 : 0);  // a sanitizer may have one of its own
  for (int i = 0; i < 3000 && os_threads() > few; ++i) green::sleep_for(10ms);
  CHECK(os_threads() <= few);  // they go when they have nothing to do
}

TEST_CASE("a killed green thread leaves its job on another OS thread alone", "[04]") {
  std::promise<void> go_on;
  std::atomic<bool> job_ended = false;
  const auto text = std::make_shared<std::string>("what the job holds lives as long as it does");
  green::patch_all();
  bool waited = true;
  const auto victim = green::spawn([&] {
    waited = green::detail::on_a_real_thread([&, text] {
      go_on.get_future().wait();
      job_ended = text->size() > 10;
    });
  });
  green::yield();
  green::kill(victim);
  green::join(victim);
  CHECK_FALSE(waited);
  CHECK_FALSE(job_ended);
  go_on.set_value();
  while (text.use_count() > 1) green::sleep_for(1ms);
  CHECK(job_ended);
}

TEST_CASE("a green thread that never has to wait lets the others run all the same", "[04]") {
  Pair pair;
  REQUIRE(write(pair.b, "x", 1) == 1);
  bool stop = false;
  char data;
  const auto until_stopped = [&](const std::function<void()>& call) {
    stop = false;
    together(
        [&] {
          while (!stop) call();
        },
        [&] { stop = true; });
  };
  pollfd one{pair.a, POLLIN, 0};
  until_stopped([&] { poll(&one, 1, -1); });
  until_stopped([&] { recv(pair.a, &data, 1, MSG_PEEK); });
  until_stopped([&] { poll(&one, 1, 0); });
}

TEST_CASE("SIGPIPE is ignored", "[04]") {
  std::signal(SIGPIPE, SIG_DFL);
  green::patch_all();
  CHECK(std::signal(SIGPIPE, SIG_IGN) == SIG_IGN);
}
