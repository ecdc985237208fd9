#include "get.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <csignal>
#include <memory>
#include <utility>

#include "http/names.hpp"
#include "http/request.hpp"
#include "http/url.hpp"

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

namespace {

// The chapter's agent throws the body away; this one keeps it. The handlers own the session.
class Session : public std::enable_shared_from_this<Session> {
  template <typename Step>
  auto then(Step step) {
    return [self = shared_from_this(), step](const error_code& error, const auto&...) {
      if (error)
        self->done_.errback(std::make_exception_ptr(std::runtime_error(error.message())));
      else
        (*self.*step)();
    };
  }

 public:
  Session(Reactor& reactor, const std::string& url)
      : url_(url), request_(make_request(Url(url))), socket_(reactor.loop()) {}

  Deferred<Page> start() {
    const auto weak = weak_from_this();
    done_ = Deferred<Page>([weak] {
      error_code ignored;
      if (const auto self = weak.lock()) self->socket_.close(ignored);
    });
    asio::async_connect(socket_, known(Url(url_)), then(&Session::write));
    return done_;
  }

 private:
  void write() { asio::async_write(socket_, asio::buffer(request_), then(&Session::read)); }
  void read() { http::async_read(socket_, buffer_, parser_, then(&Session::succeed)); }
  void succeed() {
    const auto& response = parser_.get();
    done_.callback(parse_page(url_, response.result_int(), response.body()));
  }

  const std::string url_, request_;
  asio::ip::tcp::socket socket_;
  boost::beast::flat_buffer buffer_;
  http::response_parser<http::string_body> parser_;
  Deferred<Page> done_;
};

}  // namespace

Deferred<Page> get(Reactor& reactor, const std::string& url) try {
  return std::make_shared<Session>(reactor, url)->start();
} catch (...) {
  return reactor.call_later({}).add_callback(
      [error = std::current_exception()] { return fail<Page>(error); });
}

Deferred<void> interrupted(Reactor& reactor) {
  const auto signals = std::make_shared<asio::signal_set>(reactor.loop(), SIGINT);
  const Deferred<void> pressed;
  signals->async_wait([signals, pressed](const error_code& error, int) {
    if (!error) pressed.callback();
  });
  return pressed;
}
