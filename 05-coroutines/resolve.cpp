#include "resolve.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <exception>
#include <functional>
#include <memory>
#include <thread>
#include <utility>

#include "loop.hpp"

namespace asio = boost::asio;

namespace {

struct Answer {
  std::exception_ptr error;
  Endpoints endpoints;
  bool is_here = false;  // set on the loop's thread
};
using Timer = asio::steady_timer::rebind_executor<Executor>::other;

struct Clear {
  asio::cancellation_slot slot;
  ~Clear() { slot.clear(); }
};

void ask(const Url& url, Answer& answer) noexcept try {
  answer.endpoints = look_up(url);
} catch (...) {
  answer.error = std::current_exception();
}

}  // namespace

// #region resolve
// getaddrinfo blocks and cannot be cancelled. So it runs on a thread of its own. The coroutine
// waits for a timer that never expires, and that is cancelled when the answer is here. At its
// deadline a fetch stops waiting, and leaves the thread behind. (Asio's async_resolve has one
// thread for all names, so a slow one would hold up all the others.)
awaitable<Endpoints> resolve(Url url) {
  const auto loop = co_await asio::this_coro::executor;
  const auto answer = std::make_shared<Answer>();
  const auto never = std::make_shared<Timer>(loop, Timer::time_point::max());
  const std::function<void()> tell = [answer, weak = std::weak_ptr(never)] {
    answer->is_here = true;
    if (const auto timer = weak.lock()) timer->cancel();
  };
  std::thread([url, answer, tell, door = Door::of(loop.context())] {
    ask(url, *answer);
    door->call(tell);
  }).detach();
  // If Asio has no memory for the wait, it destroys this coroutine, but the slot, where the
  // deadline finds what to cancel, still points to that wait. So the slot is cleared here.
  const auto cancellation = co_await asio::this_coro::cancellation_state;
  const Clear at_exit{cancellation.slot()};
  while (!answer->is_here) co_await never->async_wait(asio::as_tuple(asio::deferred));
  if (answer->error) std::rethrow_exception(answer->error);
  co_return std::move(answer->endpoints);
}
// #endregion resolve
