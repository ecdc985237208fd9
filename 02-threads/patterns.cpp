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
#include <optional>
#include <semaphore>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using Time = std::chrono::milliseconds;

// #region ask
// Sleeps for `time`, unless it is asked to stop: then it throws.
void rest(std::stop_token stop, Time time) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any nobody_rings;
  nobody_rings.wait_for(lock, stop, time, [] { return false; });
  if (stop.stop_requested()) throw std::runtime_error("cancelled");
}

// Answers with `answer` after `time`, unless it is asked to stop.
std::string ask(std::stop_token stop, Time time, std::string answer) {
  rest(stop, time);
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
struct Busy : std::runtime_error {
  using std::runtime_error::runtime_error;
};

using Request = std::function<std::string(std::stop_token)>;

// Only a server that is busy is asked again. Any other error ends it, and so does a stop.
std::string retry(std::stop_token stop, const Request& attempt) {
  for (auto pause = 10ms;; pause *= 2) try {
      return attempt(stop);
    } catch (const Busy&) {
      if (pause > 1s) throw;
      rest(stop, pause);
    }
}
// #endregion retry

// #region first
// Returns the first answer, or nothing if all of them fail.
std::optional<std::string> first(const std::vector<Request>& requests) {
  std::optional<std::string> winner;
  std::stop_source others;
  std::vector<std::jthread> racers;
  for (const auto& request : requests)
    racers.emplace_back([&] {
      try {
        auto answer = request(others.get_token());
        if (others.request_stop()) winner = answer;  // true for one caller only
      } catch (const std::exception&) {              // it lost
      }
    });
  racers.clear();  // joins them
  return winner;
}
// #endregion first

// #region interrupt
// SIGINT is blocked before the first thread starts, so that it interrupts none of them. One thread
// waits for it.
void until_interrupted(Time time) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::puts("press Ctrl-C");
  std::fflush(stdout);
  std::jthread thread([time](std::stop_token stop) {
    try {
      say("the request", ask(stop, time, "answered"));
    } catch (const std::exception& error) {
      say("the request", error.what());
    }
  });
  std::jthread watcher([&signals, request = thread.get_stop_source()]() mutable {
    int signal;
    sigwait(&signals, &signal);
    request.request_stop();
  });
  thread.join();
  pthread_kill(watcher.native_handle(), SIGINT);  // in case it still waits
  watcher.join();
  say("shutdown", "clean");
}
// #endregion interrupt

int main(int argc, char* argv[]) {
  if (argc > 1) return until_interrupted(argc > 2 ? Time(std::stoi(argv[2])) : 1h), 0;
  deadline();
  cancel();
  limit();
  int tries = 0;
  const auto flaky = [&](std::stop_token) {
    if (++tries < 3) throw Busy("busy");
    return "answered at try " + std::to_string(tries);
  };
  say("retry", retry({}, flaky));
  const auto slow = [](std::stop_token stop) { return ask(stop, 1h, "slow"); };
  const auto fast = [](std::stop_token stop) { return ask(stop, 10ms, "fast"); };
  say("first answer", first({slow, fast}).value_or("none"));
}
