// One coroutine that computes stops the whole loop. The watchdog says which one it is.

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>

#include "watchdog.hpp"

namespace asio = boost::asio;
using asio::awaitable;
using asio::use_awaitable;
using namespace std::chrono_literals;

// #region heart
// Beats while the loop runs.
awaitable<void> heart(Watchdog& watchdog) {
  for (asio::steady_timer timer(co_await asio::this_coro::executor);;) {
    watchdog.beat();
    timer.expires_after(5ms);
    co_await timer.async_wait(use_awaitable);
  }
}
// #endregion heart

// Imagine that it sorts a million rows. It computes until the watchdog complains.
[[gnu::noinline]] void sort_everything(const Watchdog& watchdog) {
  for (const int before = watchdog.barks(); watchdog.barks() == before;) {
  }
}

awaitable<void> handle(asio::io_context& loop, const Watchdog& watchdog) {
  asio::steady_timer timer(loop, 100ms);
  co_await timer.async_wait(use_awaitable);
  sort_everything(watchdog);
  loop.stop();
}

int main() {
  asio::io_context loop(1);
  Watchdog watchdog(50ms);
  asio::co_spawn(loop, heart(watchdog), asio::detached);
  asio::co_spawn(loop, handle(loop, watchdog), asio::detached);
  loop.run();
}
