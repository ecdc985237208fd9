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
#include <stdexcept>
#include <string>

#include "green/green.hpp"

using namespace std::chrono_literals;

// #region ask
// Answers with `answer` after `time`, unless the green thread is killed: then it throws.
std::string ask(std::chrono::milliseconds time, std::string answer) {
  const int hour = 3'600'000;
  if (poll(nullptr, 0, int(std::min<long>(time.count(), hour))) == -1 && errno == ECANCELED)
    throw std::runtime_error("cancelled");
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
void retry(std::function<std::string()> attempt) {
  for (auto pause = 10ms;; pause *= 2) try {
      return say("retry", attempt());
    } catch (const std::exception&) {
      if (pause > 1s) throw;
      green::sleep_for(pause);
    }
}
// #endregion retry

// #region first
void first() {
  std::string winner;
  green::Thread one, two;
  one = green::spawn([&] {
    try {
      winner = ask(1h, "slow");
      green::kill(two);
    } catch (const std::exception&) {  // it lost
    }
  });
  two = green::spawn([&] {
    winner = ask(10ms, "fast");
    green::kill(one);
  });
  green::join_all({one, two});
  say("first answer", winner);
}
// #endregion first

// #region interrupt
void until_interrupted() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  pollfd interrupt{signalfd(-1, &signals, SFD_NONBLOCK), POLLIN, 0};  // a signal as a descriptor
  const auto job = green::spawn([] {
    try {
      ask(1h, "late");
    } catch (const std::exception& error) {
      say("the request", error.what());
    }
  });
  const auto watcher = green::spawn([&] {
    std::puts("press Ctrl-C");
    std::fflush(stdout);
    poll(&interrupt, 1, -1);
    green::kill(job);
  });
  green::join_all({job, watcher});
  close(interrupt.fd);
  say("shutdown", "clean");
}
// #endregion interrupt

int main(int argc, char*[]) {
  green::patch_all();
  if (argc > 1) return until_interrupted(), 0;
  deadline();
  cancel();
  limit();
  int tries = 0;
  const auto flaky = [&tries] {
    if (++tries < 3) throw std::runtime_error("busy");
    return "answered at try " + std::to_string(tries);
  };
  green::join(green::spawn(retry, flaky));
  first();
}
