// A dead address must not cost a URL that has other addresses. So they race: each has a head start
// over the next one. The race belongs to the handlers that wait on its behalf, as a Session does.

#include "race.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <exception>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "http/connect.hpp"
#include "http/reason.hpp"

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

class Race : public std::enable_shared_from_this<Race> {
  template <typename Step, typename... Args>
  auto then(Step step, Args... args) {
    return [self = shared_from_this(), step, args...](const error_code& error) {
      if (self->is_over_ || error == asio::error::operation_aborted) return;
      try {
        if (error) throw std::runtime_error(reason(error));
        (*self.*step)(args...);
      } catch (...) {
        self->finish(std::current_exception());
      }
    };
  }

 public:
  Race(asio::io_context& loop, const Endpoints& servers) : servers_(servers), head_start_(loop) {
    for (std::size_t i = 0; i < servers.size(); ++i) sockets_.emplace_back(loop);
  }

  Deferred<tcp::socket> start() {
    winner_ = Deferred<tcp::socket>([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->finish(std::make_exception_ptr(Cancelled()));
    });
    try {
      begin_next();
    } catch (...) {
      finish(std::current_exception());
    }
    return winner_;
  }

 private:
  // #region race
  void begin_next() {
    if (begun_ == servers_.size()) return;
    head_start_.expires_after(head_start);
    head_start_.async_wait(then(&Race::begin_next));
    connect(begun_++);
  }

  // This step comes again when the connection is there, or has failed.
  void connect(std::size_t i) {
    const error_code error = try_connect(sockets_[i], servers_[i]);
    if (!error) return finish(std::move(sockets_[i]));
    if (error != asio::error::in_progress) return fail(i, error);
    sockets_[i].async_wait(tcp::socket::wait_write, then(&Race::connect, i));
  }

  // The next one need not wait any longer.
  void fail(std::size_t i, const error_code& error) {
    if (i == 0) first_error_ = error;
    if (++failed_ == servers_.size()) throw std::runtime_error(reason(first_error_));
    sockets_[i].close();
    begin_next();
  }

  // The first connection comes here and wins. All other handlers see that it is over.
  void finish(Result<tcp::socket> result) {
    if (std::exchange(is_over_, true)) return;
    head_start_.cancel();
    sockets_.clear();
    winner_.fire(std::move(result));
  }
  // #endregion race

  const Endpoints servers_;
  std::vector<tcp::socket> sockets_;  // one for each server; closed until its turn comes
  asio::steady_timer head_start_;     // of the attempt that was begun last
  std::size_t begun_ = 0, failed_ = 0;
  error_code first_error_;
  bool is_over_ = false;
  Deferred<tcp::socket> winner_;
};

}  // namespace

Deferred<tcp::socket> race(Reactor& reactor, const Endpoints& servers) {
  return std::make_shared<Race>(reactor.loop(), servers)->start();
}
