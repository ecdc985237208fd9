#include "resolve.hpp"

#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/channel.hpp>
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
};
using Channel = asio::experimental::channel<Executor, void(boost::system::error_code)>;

Answer answer_of(const Url& url) noexcept try { return {nullptr, look_up(url)}; } catch (...) {
  return {std::current_exception(), {}};
}

}  // namespace

// #region resolve
// getaddrinfo blocks and cannot be cancelled. So it runs on a thread of its own, which reports
// through a channel. At its deadline a fetch stops waiting for the channel, and leaves the thread
// behind. (Asio's async_resolve has one thread for all names, so a slow one would hold up all the
// others.)
awaitable<Endpoints> resolve(Url url) {
  Endpoints endpoints = known(url);
  if (!endpoints.empty()) co_return endpoints;

  const auto loop = co_await asio::this_coro::executor;
  const auto answer = std::make_shared<Answer>();
  const auto channel = std::make_shared<Channel>(loop, 1);
  const std::function<void()> tell = [weak = std::weak_ptr(channel)] {
    if (const auto waiting = weak.lock()) waiting->try_send(boost::system::error_code());
  };
  std::thread([url, answer, tell, door = Door::of(loop.context())] {
    *answer = answer_of(url);
    door->call(tell);
  }).detach();
  co_await channel->async_receive(asio::deferred);
  if (answer->error) std::rethrow_exception(answer->error);
  co_return std::move(answer->endpoints);
}
// #endregion resolve
