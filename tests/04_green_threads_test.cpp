// Green threads: turns, join(), kill(), pools, stacks, and what belongs to each. In most of these
// tests a green thread waits for something that another one does later.

#include <netdb.h>
#include <poll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <exception>
#include <fstream>
#include <functional>
#include <future>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "04_green.hpp"
#include "catch.hpp"
#include "fetchers.hpp"
#include "green/green.hpp"

namespace {

using namespace std::chrono_literals;

long fail_with(int error) {
  errno = error;
  return -1;
}

}  // namespace

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

TEST_CASE("an exception reaches each join(), in green threads and outside", "[04]") {
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

TEST_CASE("kill() reaches green threads that have not begun, and does nothing to ended ones",
          "[04]") {
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

TEST_CASE("kill() reaches one that lets others run before it waits", "[04]") {
  int result = 0;
  green::patch_all();
  const auto victim = green::spawn([&] {
    const auto end = std::chrono::steady_clock::now() + 20ms;  // a long turn
    while (std::chrono::steady_clock::now() < end) {
    }
    result = poll(nullptr, 0, 60'000);
  });
  const auto other = green::spawn([&] { green::kill(victim); });
  green::join_all({victim, other});
  CHECK(result == -1);
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

TEST_CASE("a pool's places go to the waiters in their order", "[04]") {
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
TEST_CASE("a wait for a pool's one place takes no longer among many than among few", "[04]") {
  if (sanitized) return not_run("the sanitizers' programs are too slow");
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
  if (sanitized) return not_run("the sanitizers map more than that themselves");
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
