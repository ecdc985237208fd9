// Green threads beside OS threads: what other threads see, look-ups of names, and jobs that block.

#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <functional>
#include <future>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "04_green.hpp"
#include "catch.hpp"
#include "fetchers.hpp"
#include "green/green.hpp"

namespace {

using namespace std::chrono_literals;

std::size_t os_threads() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return std::distance(begin(tasks), end(tasks));
}

}  // namespace

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
  for (int i = 20; i < 300; ++i)
    hanging.push_back(green::spawn([&] { green::detail::on_a_real_thread(wait); }));
  const auto last = green::spawn([] { green::detail::on_a_real_thread([] {}); });
  CHECK(green::join(last, 10s));
  CHECK(os_threads() <= before + 302);
  go_on.set_value();
  CHECK(green::join_all(hanging, 10s));
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
