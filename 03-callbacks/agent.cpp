// The agent, written with raw completion handlers: the code that Deferreds hide.
//
// Lifetime: a Session belongs to the handlers that wait for something on its behalf, and to nobody
// else. finish() cancels all of them; when the last has run, the session is gone.

#include "agent.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <utility>

#include "http/connect.hpp"
#include "http/names.hpp"
#include "http/parser.hpp"
#include "http/reason.hpp"
#include "http/request.hpp"
#include "http/tls.hpp"
#include "race.hpp"

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace ssl = asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

class Session : public std::enable_shared_from_this<Session> {
  // #region then
  // Returns the completion handler that goes on with `step`. It keeps the session alive until it
  // has run. An exception ends this request: the loop would not know which one it belongs to.
  template <typename Step>
  auto then(Step step) {
    return [self = shared_from_this(), step](const error_code& error, const auto&...) {
      if (!self->waiting_) return;
      try {
        if (error) throw std::runtime_error(reason(error, self->tls()));
        (*self.*step)();
      } catch (...) {
        self->finish(std::current_exception());
      }
    };
  }
  // #endregion then

 public:
  Session(Reactor& reactor, const Url& url)
      : reactor_(reactor), url_(url), socket_(reactor.loop()), deadline_(reactor.loop()) {}
  Session(const Session&) = delete;

  // If it is still waiting, there was no memory to begin the operation that it waited for, and the
  // handler was destroyed.
  ~Session() {
    if (reactor_.is_running()) finish(std::make_exception_ptr(std::bad_alloc()));
  }

  // #region start
  // Both handlers hold weak pointers. The Deferred must not own the session, because the session
  // owns the Deferred. The deadline must not own it, because the session does not wait for the
  // deadline.
  Deferred<Response> start(Deadline deadline) {
    const auto weak = weak_from_this();
    done_ = Deferred<Response>([weak] {
      if (const auto self = weak.lock()) self->finish(std::make_exception_ptr(Cancelled()));
    });
    waiting_ = true;
    try {
      deadline_.expires_at(deadline);
      deadline_.async_wait([weak](const error_code& error) {
        if (const auto self = weak.lock(); self && !error) self->time_out();
      });
      const Endpoints servers = known(url_);
      servers.empty() ? resolve() : connect_to(servers);
    } catch (...) {
      finish(std::current_exception());
    }
    return done_;
  }
  // #endregion start

 private:
  // #region finish
  // Every request ends here, once. Closing the socket makes each handler run with
  // operation_aborted, see that nothing waits any more, and release the session. The descriptor is
  // closed before the Deferred fires, because its callbacks may need one.
  void finish(Result<Response> result) {
    if (!std::exchange(waiting_, false)) return;
    deadline_.cancel();
    if (pending_) pending_->cancel();
    error_code ignored;
    socket_.close(ignored);
    done_.fire(std::move(result));
  }
  // #endregion finish

  void time_out() { finish(std::make_exception_ptr(std::runtime_error("timed out after 10 s"))); }

  // #region steps
  // This does not use Asio's async_resolve, which resolves one name at a time, cannot be cancelled,
  // and makes the loop's destructor wait. A thread can be left behind at the deadline.
  void resolve() {
    pending_ = reactor_.defer_to_thread([url = url_] { return look_up(url); })
                   .add_callback([self = shared_from_this()](Endpoints servers) {
                     self->connect_to(std::move(servers));
                   })
                   .add_errback([self = shared_from_this()](std::exception_ptr error) {
                     self->finish(error);
                   });
  }

  void connect_to(Endpoints servers) {
    server_ = servers.front();
    if (servers.size() == 1) return connect();
    const auto winner = race(reactor_, servers);
    try {
      pending_ = winner.add_both([self = shared_from_this()](Result<tcp::socket> socket) {
        self->take(std::move(socket));
      });
    } catch (...) {  // no memory: nobody would take it
      winner.cancel();
      throw;
    }
  }

  void take(Result<tcp::socket> winner) try {
    socket_ = winner.get();
    handshake();
  } catch (...) {
    finish(std::current_exception());
  }

  // This step comes again when the connection is there, or has failed.
  void connect() {
    const error_code error = try_connect(socket_, server_);
    if (error == asio::error::in_progress)
      return socket_.async_wait(tcp::socket::wait_write, then(&Session::connect));
    if (error) throw std::runtime_error(reason(error));
    handshake();
  }

  // #region handshake
  void handshake() {
    if (!url_.is_https) return write();
    tls_ = std::make_unique<ssl::stream<tcp::socket&>>(socket_, new_tls());
    expect_host(tls_->native_handle(), url_);
    tls_->async_handshake(ssl::stream_base::client, then(&Session::write));
  }
  // #endregion handshake

  void write() {
    request_ = make_request(url_);
    over_stream([&](auto& stream) {
      asio::async_write(stream, asio::buffer(request_), then(&Session::wait));
    });
  }

  // 10,000 sessions may wait for their servers at once, so they have no buffer and no request yet
  // or any more. (Over TLS there is nothing to wait for here: TLS may already have read a part of
  // the answer.)
  void wait() {
    request_ = std::string();
    if (tls_) return read_header();
    socket_.async_wait(tcp::socket::wait_read, then(&Session::read_header));
  }

  // #region read
  void read_header() {
    parser_.emplace();
    read();
  }

  void read() {
    over_stream([&](auto& stream) {
      http::async_read_some(stream, buffer_, *parser_, then(&Session::read_on));
    });
  }

  void read_on() {
    if (!parser_->is_header_done()) return read();
    if (parser_->is_interim()) return read_header();  // the final answer follows
    if (parser_->response().status != 200 || parser_->is_done()) return finish(parser_->response());
    buffer_.reserve(piece_of_body);
    read();
  }
  // #endregion read
  // #endregion steps

  // The only place that distinguishes the two kinds of stream.
  template <typename Use>
  void over_stream(Use use) {
    tls_ ? use(*tls_) : use(socket_);
  }

  const SSL* tls() { return tls_ ? tls_->native_handle() : nullptr; }

  Reactor& reactor_;
  const Url url_;
  Deferred<Response> done_;
  bool waiting_ = false;
  tcp::socket socket_;
  std::unique_ptr<ssl::stream<tcp::socket&>> tls_;  // over socket_, for https
  asio::steady_timer deadline_;
  std::optional<Deferred<void>> pending_;  // the look-up or the race
  tcp::endpoint server_;
  std::string request_;
  boost::beast::flat_buffer buffer_{max_header};
  std::optional<Parser> parser_;
};

}  // namespace

Deferred<Response> Agent::get(const Url& url, Deadline deadline) const try {
  return std::make_shared<Session>(*reactor_, url)->start(deadline);
} catch (...) {
  return fail<Response>(std::current_exception());
}

Deferred<Response> Agent::get(const std::string& url, Deadline deadline) const try {
  return get(Url(url), deadline);
} catch (...) {
  return fail<Response>(std::current_exception());
}

Deferred<Response> RedirectAgent::get(const std::string& url) const try {
  return get(Url(url), in_10_s(), max_redirects);
} catch (...) {
  return fail<Response>(std::current_exception());
}

// #region redirect
Deferred<Response> RedirectAgent::get(const Url& url, Deadline deadline, int redirects_left) const {
  const auto next = [self = *this, url, deadline,
                     redirects_left](Response response) -> Deferred<Response> {
    if (!is_redirect(response)) return succeed(std::move(response));
    if (redirects_left == 0) throw std::runtime_error("more than 10 redirects");
    return self.get(url.join(response.location), deadline, redirects_left - 1);
  };
  const auto response = agent_.get(url, deadline);
  try {
    return response.add_callback(next);
  } catch (...) {  // no memory: the response would be lost
    response.cancel();
    throw;
  }
}
// #endregion redirect
