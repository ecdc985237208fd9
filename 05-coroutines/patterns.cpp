// Six problems of every network program, solved with coroutines. A timer replaces the network.
// patterns.md shows them beside the other models. And three more: backpressure, a scope that waits
// for its tasks, and the way to a pool of threads and back.

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <variant>

namespace asio = boost::asio;
using asio::awaitable;
using asio::use_awaitable;
using boost::system::error_code;
using namespace asio::experimental::awaitable_operators;
using namespace std::chrono_literals;

// #region ask
// Answers with `answer` after `time`. If it is cancelled, it throws boost::system::system_error.
awaitable<std::string> ask(std::chrono::milliseconds time, std::string answer) {
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  co_await timer.async_wait(use_awaitable);
  co_return answer;
}
// #endregion ask

void say(const char* what, const std::string& how) { std::printf("%s: %s\n", what, how.c_str()); }

// #region deadline
awaitable<void> deadline() {
  asio::steady_timer alarm(co_await asio::this_coro::executor, 50ms);
  const auto first = co_await (ask(1h, "late") || alarm.async_wait(use_awaitable));
  say("deadline", first.index() == 0 ? std::get<0>(first) : "timed out");
}
// #endregion deadline

// #region cancel
awaitable<void> cancel() {
  const auto loop = co_await asio::this_coro::executor;
  asio::cancellation_signal stop;
  std::string how;
  asio::steady_timer ended(loop, asio::steady_timer::time_point::max());
  const auto on_end = [&](std::exception_ptr error, std::string) {
    how = error ? "cancelled" : "too late";
    ended.expires_at(asio::steady_timer::time_point::min());
  };
  asio::co_spawn(loop, ask(1h, "late"), asio::bind_cancellation_slot(stop.slot(), on_end));
  co_await asio::post(loop, use_awaitable);  // it begins to wait
  stop.emit(asio::cancellation_type::terminal);
  co_await ended.async_wait(asio::as_tuple(use_awaitable));
  say("cancel", how);
}
// #endregion cancel

// #region limit
awaitable<void> worker(int& left, int& now, int& most) {
  while (left > 0) {
    --left;
    most = std::max(most, ++now);
    co_await ask(20ms, "");
    --now;
  }
}

awaitable<void> limit() {
  int left = 6, now = 0, most = 0;
  co_await (worker(left, now, most) && worker(left, now, most));  // two take turns with six jobs
  say("at most 2 of 6", std::to_string(most) + " at once");
}
// #endregion limit

// #region retry
struct Busy : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Only a server that is busy is asked again. Any other error ends it, and so does a cancellation.
awaitable<std::string> retry(std::function<awaitable<std::string>()> attempt) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  for (auto pause = 10ms;; pause *= 2) {
    try {
      co_return co_await attempt();
    } catch (const Busy&) {  // there is no co_await in here
      if (pause > 1s) throw;
    }
    timer.expires_after(pause);
    co_await timer.async_wait(use_awaitable);
  }
}
// #endregion retry

// #region first
awaitable<void> first() {
  const auto winner = co_await (ask(1h, "slow") || ask(10ms, "fast"));  // it cancels the other
  say("first answer", std::visit([](const std::string& answer) { return answer; }, winner));
}
// #endregion first

// #region interrupt
// What became of it, in words. (|| waits for the first success, and so would not see a failure.)
awaitable<std::string> outcome(awaitable<std::string> request) try {
  co_return co_await std::move(request);
} catch (const std::exception& error) {
  co_return error.what();
}

awaitable<void> until_interrupted(std::chrono::milliseconds time) {
  asio::signal_set interrupt(co_await asio::this_coro::executor, SIGINT);
  std::puts("press Ctrl-C");
  std::fflush(stdout);
  const auto ended =
      co_await (outcome(ask(time, "answered")) || interrupt.async_wait(use_awaitable));
  say("the request", ended.index() == 0 ? std::get<0>(ended) : "cancelled");
  say("shutdown", "clean");
}
// #endregion interrupt

// #region backpressure
using Channel = asio::experimental::channel<void(error_code, int)>;

awaitable<void> produce(Channel& channel, int& ahead, int& most) {
  for (int i = 0; i < 10; ++i) {
    most = std::max(most, ++ahead);
    co_await channel.async_send(error_code(), i, use_awaitable);  // waits while there is no room
  }
  channel.close();
}

awaitable<void> consume(Channel& channel, int& ahead) {
  for (;;) {
    const auto [error, i] = co_await channel.async_receive(asio::as_tuple(use_awaitable));
    if (error) co_return;  // closed, and empty
    --ahead;
    co_await ask(5ms, "");  // slower than the producer
  }
}

awaitable<void> backpressure() {
  Channel channel(co_await asio::this_coro::executor, 2);
  int ahead = 0, most = 0;
  co_await (produce(channel, ahead, most) && consume(channel, ahead));
  say("backpressure", most <= 4 ? "the producer waited" : "the producer ran away");
}
// #endregion backpressure

// #region scope
awaitable<void> child(int& count) {
  co_await ask(10ms, "");
  ++count;
}

awaitable<void> scope() {
  int count = 0;
  co_await (child(count) && child(count));  // count outlives both, whatever happens
  say("scope", std::to_string(count) + " tasks ended before it");
}
// #endregion scope

// #region pool
int compute() { return 6 * 7; }  // imagine a second of work

awaitable<int> on_the_pool() { co_return compute(); }

// The pool outlives the loop's run(): its destructor waits for its threads.
awaitable<void> pool(asio::thread_pool& threads) {
  const auto loop_thread = std::this_thread::get_id();
  const int answer = co_await asio::co_spawn(threads, on_the_pool(), use_awaitable);
  const bool back = std::this_thread::get_id() == loop_thread;
  say("pool", std::to_string(answer) + (back ? ", and back on the loop's thread" : ", lost"));
}
// #endregion pool

int tries = 0;
awaitable<std::string> flaky() {
  if (++tries < 3) throw Busy("busy");
  co_return "answered at try " + std::to_string(tries);
}

awaitable<void> all(asio::thread_pool& threads) {
  co_await deadline();
  co_await cancel();
  co_await limit();
  say("retry", co_await retry(flaky));
  co_await first();
  co_await backpressure();
  co_await scope();
  co_await pool(threads);
}

int main(int argc, char* argv[]) {
  const std::chrono::milliseconds time =
      argc > 2 ? std::chrono::milliseconds(std::stoi(argv[2])) : 1h;
  asio::io_context loop(1);
  asio::thread_pool threads(2);
  asio::co_spawn(loop, argc > 1 ? until_interrupted(time) : all(threads), asio::detached);
  loop.run();
}
