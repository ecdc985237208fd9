// Six problems of every network program, solved with threads. A timer replaces the network.
// ../05-coroutines/patterns.md shows them beside the other models.

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <exception>
#include <functional>
#include <future>
#include <mutex>
#include <semaphore>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using Time = std::chrono::milliseconds;

// #region ask
// Answers with `answer` after `time`, unless it is asked to stop: then it throws.
std::string ask(std::stop_token stop, Time time, std::string answer) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any nobody_rings;
  nobody_rings.wait_for(lock, stop, time, [] { return false; });
  if (stop.stop_requested()) throw std::runtime_error("cancelled");
  return answer;
}
// #endregion ask

void say(const char* what, const std::string& how) { std::printf("%s: %s\n", what, how.c_str()); }

// #region deadline
void deadline() {
  std::promise<std::string> promise;
  auto answer = promise.get_future();
  std::jthread thread([&](std::stop_token stop) {
    try {
      promise.set_value(ask(stop, 1h, "late"));
    } catch (...) {
      promise.set_exception(std::current_exception());
    }
  });
  const bool in_time = answer.wait_for(50ms) == std::future_status::ready;
  say("deadline", in_time ? answer.get() : "timed out");
}  // the thread is asked to stop, and joined
// #endregion deadline

// #region cancel
void cancel() {
  std::string how;
  std::jthread thread([&](std::stop_token stop) {
    try {
      how = ask(stop, 1h, "late");
    } catch (const std::exception& error) {
      how = error.what();
    }
  });
  thread.request_stop();  // works only because ask() listens to its stop_token
  thread.join();
  say("cancel", how);
}
// #endregion cancel

// #region limit
void limit() {
  std::counting_semaphore<> places(2);
  std::atomic<int> now = 0, most = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 6; ++i)
    threads.emplace_back([&] {
      places.acquire();
      for (int seen = most, mine = ++now; seen < mine && !most.compare_exchange_weak(seen, mine);) {
      }
      ask({}, 20ms, "");  // no token: clear() would ask it to stop
      --now;
      places.release();
    });
  threads.clear();
  say("at most 2 of 6", std::to_string(most) + " at once");
}
// #endregion limit

// #region retry
void retry(std::function<std::string()> attempt) {
  for (auto pause = 10ms;; pause *= 2) try {
      return say("retry", attempt());
    } catch (const std::exception&) {
      if (pause > 1s) throw;
      std::this_thread::sleep_for(pause);
    }
}
// #endregion retry

// #region first
void first() {
  std::stop_source others;
  std::promise<std::string> winner;
  std::atomic<bool> won = false;
  const auto race = [&](Time time, std::string answer) {
    try {
      answer = ask(others.get_token(), time, answer);
      if (!won.exchange(true)) winner.set_value(answer);
    } catch (const std::exception&) {  // it lost
    }
  };
  std::jthread one(race, 1h, "slow"), two(race, 10ms, "fast");
  say("first answer", winner.get_future().get());
  others.request_stop();
}
// #endregion first

// #region interrupt
// SIGINT is blocked before the first thread starts, so that it interrupts none of them.
void until_interrupted() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::jthread thread([](std::stop_token stop) {
    try {
      ask(stop, 1h, "late");
    } catch (const std::exception& error) {
      say("the request", error.what());
    }
  });
  std::puts("press Ctrl-C");
  std::fflush(stdout);
  int signal;
  sigwait(&signals, &signal);
  thread.request_stop();
  thread.join();
  say("shutdown", "clean");
}
// #endregion interrupt

int main(int argc, char*[]) {
  if (argc > 1) return until_interrupted(), 0;
  deadline();
  cancel();
  limit();
  int tries = 0;
  retry([&] {
    if (++tries < 3) throw std::runtime_error("busy");
    return "answered at try " + std::to_string(tries);
  });
  first();
}
