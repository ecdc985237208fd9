// Six problems of every network program, solved with green threads. A timer replaces the network.
// ../05-coroutines/patterns.md shows them beside the other models.

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "green/green.hpp"

using namespace std::chrono_literals;

// #region ask
// Sleeps for `time`, at most an hour. Throws if the green thread is killed.
void rest(std::chrono::milliseconds time) {
  const int hour = 3'600'000;
  if (poll(nullptr, 0, int(std::min<long>(time.count(), hour))) == -1 && errno == ECANCELED)
    throw std::runtime_error("cancelled");
}

// Answers with `answer` after `time`, unless the green thread is killed.
std::string ask(std::chrono::milliseconds time, std::string answer) {
  rest(time);
  return answer;
}
// #endregion ask

void say(const char* what, const std::string& how) { std::printf("%s: %s\n", what, how.c_str()); }

// #region deadline
void deadline() {
  std::string how = "timed out";
  const auto job = green::spawn([&] {
    try {
      how = ask(1h, "late");
    } catch (const std::exception&) {  // it was killed
    }
  });
  if (!green::join(job, 50ms)) green::kill(job);
  green::join(job);
  say("deadline", how);
}
// #endregion deadline

// #region cancel
void cancel() {
  const auto job = green::spawn(ask, 1h, "late");
  green::yield();  // it begins to wait
  green::kill(job);
  try {
    green::join(job);
  } catch (const std::exception& error) {
    say("cancel", error.what());
  }
}
// #endregion cancel

// #region limit
void limit() {
  int now = 0, most = 0;
  green::Pool pool(2);
  for (int i = 0; i < 6; ++i)
    pool.spawn([&] {
      most = std::max(most, ++now);
      ask(20ms, "");
      --now;
    });
  pool.join();
  say("at most 2 of 6", std::to_string(most) + " at once");
}
// #endregion limit

// #region retry
struct Busy : std::runtime_error {
  using std::runtime_error::runtime_error;
};

using Request = std::function<std::string()>;

// Only a server that is busy is asked again. Any other error ends it, and so does kill().
std::string retry(const Request& attempt) {
  for (auto pause = 10ms;; pause *= 2) try {
      return attempt();
    } catch (const Busy&) {
      if (pause > 1s) throw;
      rest(pause);
    }
}
// #endregion retry

// #region first
// Returns the first answer, or nothing if all of them fail.
std::optional<std::string> first(const std::vector<Request>& requests) {
  std::optional<std::string> winner;
  std::vector<green::Thread> racers;
  green::Pool scope(requests.size());  // waits for them, whatever happens
  for (const auto& request : requests)
    racers.push_back(scope.spawn([&] {
      try {
        const auto answer = request();
        if (!winner) winner = answer;
        for (const auto& racer : racers) green::kill(racer);
      } catch (const std::exception&) {  // it lost
      }
    }));
  scope.join();
  return winner;
}
// #endregion first

// #region interrupt
void until_interrupted(std::chrono::milliseconds time) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  pollfd interrupt{signalfd(-1, &signals, SFD_NONBLOCK), POLLIN, 0};  // a signal as a descriptor
  if (interrupt.fd == -1) throw std::system_error(errno, std::generic_category(), "signalfd");
  std::puts("press Ctrl-C");
  std::fflush(stdout);
  const auto job = green::spawn([time] {
    try {
      say("the request", ask(time, "answered"));
    } catch (const std::exception& error) {
      say("the request", error.what());
    }
  });
  const auto watcher = green::spawn([&] {
    poll(&interrupt, 1, -1);
    green::kill(job);
  });
  green::join(job);
  green::kill(watcher);  // in case it still waits
  green::join(watcher);
  close(interrupt.fd);
  say("shutdown", "clean");
}
// #endregion interrupt

int main(int argc, char* argv[]) {
  green::patch_all();
  if (argc > 1)
    return until_interrupted(argc > 2 ? std::chrono::milliseconds(std::stoi(argv[2])) : 1h), 0;
  deadline();
  cancel();
  limit();
  int tries = 0;
  const auto flaky = [&tries] {
    if (++tries < 3) throw Busy("busy");
    return "answered at try " + std::to_string(tries);
  };
  green::join(green::spawn([&] { say("retry", retry(flaky)); }));
  const auto slow = [] { return ask(1h, "slow"); };
  const auto fast = [] { return ask(10ms, "fast"); };
  say("first answer", first({slow, fast}).value_or("none"));
}
