// A dead address must not cost a URL that has other addresses. So they race: each has a head start
// over the next one. 03 needs a class with handlers for this; here it is a loop.

#include "race.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "http/connect.hpp"

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using boost::system::system_error;
using Timer = asio::steady_timer::rebind_executor<Executor>::other;

// #region connect_to
awaitable<void> connect_to(Socket& socket, tcp::endpoint server) {
  error_code error = try_connect(socket, server);
  while (error == asio::error::in_progress) {
    co_await socket.async_wait(Socket::wait_write, asio::deferred);
    error = go_on_connecting(socket.native_handle(), server);
  }
  if (error) throw system_error(error);
}
// #endregion connect_to

namespace {

struct Race {
  Race(Executor loop, std::size_t count) : news(loop) {
    for (std::size_t i = 0; i < count; ++i) sockets.emplace_back(loop);
  }

  std::vector<Socket> sockets;  // one for each server; closed until its turn comes
  std::optional<std::size_t> winner;
  std::size_t failed = 0;
  error_code first_error;
  Timer news;  // expires when an attempt has ended, or has had its head start
};

// Whatever ends the race, it ends the attempts: they fail when their sockets are closed.
struct AtExit {
  std::shared_ptr<Race> race;
  asio::cancellation_slot slot;  // cleared for the reason that resolve.cpp tells

  ~AtExit() {
    slot.clear();
    error_code ignored;
    for (auto& socket : race->sockets) socket.close(ignored);
  }
};

// #region race
awaitable<void> attempt(std::shared_ptr<Race> race, std::size_t i, tcp::endpoint server) try {
  co_await connect_to(race->sockets[i], server);
  if (!race->winner) race->winner = i;
  race->news.expires_at(Timer::time_point::min());
} catch (const system_error& error) {
  if (i == 0) race->first_error = error.code();
  ++race->failed;
  race->news.expires_at(Timer::time_point::min());  // the next attempt need not wait any longer
}

}  // namespace

awaitable<void> race(Socket& socket, Endpoints servers) {
  const auto loop = co_await asio::this_coro::executor;
  const auto race = std::make_shared<Race>(loop, servers.size());
  const auto cancellation = co_await asio::this_coro::cancellation_state;
  const AtExit at_exit{race, cancellation.slot()};
  for (std::size_t begun = 0; !race->winner;) {
    if (race->failed == servers.size()) throw system_error(race->first_error);
    race->news.expires_at(Timer::time_point::max());
    if (begun < servers.size()) {
      race->news.expires_after(head_start);
      co_spawn(loop, attempt(race, begun, servers[begun]), asio::detached);
      ++begun;
    }
    co_await race->news.async_wait(asio::as_tuple(asio::deferred));
  }
  socket = std::move(race->sockets[*race->winner]);
}
// #endregion race
