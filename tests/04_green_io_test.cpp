// Calls that read, write and sleep, made by green threads. If a call blocked the OS thread, the
// green thread that it waits for would never run, and the test would never end.

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "04_green.hpp"
#include "catch.hpp"
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

}  // namespace

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

TEST_CASE("a green thread receives as much as it may, and the others as ever", "[04]") {
  const Pair sockets;
  REQUIRE(send(sockets.b, "123456789", 9, 0) == 9);
  char data[10];
  const auto receive = [&](ssize_t (*call)(int, void*, size_t), size_t size) {
    const ssize_t count = call(sockets.a, data, size);
    return count < 0 ? std::string(std::strerror(errno)) : std::string(data, count);
  };
  const auto by_recv = [](int fd, void* room, size_t size) { return recv(fd, room, size, 0); };
  together([&] {
    green::may_receive() = 7;
    CHECK(receive(by_recv, 5) == "12345");
    CHECK(receive(read, 10) == "67");
    CHECK(green::may_receive() == 0);
    CHECK(receive(by_recv, 10) == std::strerror(EMSGSIZE));
    CHECK(receive(read, 10) == std::strerror(EMSGSIZE));
    green::may_receive() = 1;
    CHECK(receive(by_recv, 10) == "8");
  });
  together([&] { CHECK(receive(by_recv, 10) == "9"); });
  CHECK_THROWS_AS(green::may_receive(), std::logic_error);
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
