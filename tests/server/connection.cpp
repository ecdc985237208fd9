#include "connection.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/rfc7230.hpp>

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using boost::system::system_error;

namespace {

constexpr std::size_t header_limit = 16 * 1024;
constexpr std::size_t body_limit = 1024 * 1024;
constexpr auto never = Clock::time_point::max();

}  // namespace

Connection::Connection(asio::ip::tcp::socket socket, asio::ssl::context* context)
    : stream_(std::move(socket), context), read_ahead_(2 * header_limit) {
  stream_.socket.non_blocking(true);
  stream_.socket.set_option(asio::ip::tcp::no_delay(true));
}

awaitable<void> Connection::handshake() {
  last_moved_ = Clock::now();
  if (is_tls()) co_await stream_.tls->async_handshake(Stream::Tls::server, asio::use_awaitable);
}

std::string_view Connection::server_name() const {
  const char* const name =
      is_tls() ? SSL_get_servername(stream_.tls->native_handle(), TLSEXT_NAMETYPE_host_name) : "";
  return name ? name : "";
}

std::optional<std::pair<asio::ip::tcp::endpoint, asio::ip::tcp::endpoint>> Connection::endpoints()
    const {
  error_code error;
  const auto its = stream_.socket.remote_endpoint(error);
  if (error) return {};
  const auto ours = stream_.socket.local_endpoint(error);
  if (error) return {};
  return std::pair(its, ours);
}

awaitable<Request> Connection::read_request() {
  last_moved_ = Clock::now();  // once for all of it: a trickle does not keep a connection open
  http::request_parser<http::buffer_body> parser;
  parser.header_limit(header_limit);
  parser.body_limit(body_limit);
  co_await http::async_read_header(stream_, read_ahead_, parser, asio::use_awaitable);

  if (!parser.is_done() && boost::beast::iequals(parser.get()[http::field::expect], "100-continue"))
    co_await write("HTTP/1.1 100 Continue\r\n\r\n");
  char scratch[4096];
  while (!parser.is_done()) {
    parser.get().body().data = scratch;
    parser.get().body().size = sizeof scratch;
    try {
      co_await http::async_read(stream_, read_ahead_, parser, asio::use_awaitable);
    } catch (const system_error& error) {
      if (error.code() != http::error::need_buffer) throw;  // which only says that scratch is full
    }
  }
  co_return parser.release();
}

awaitable<void> Connection::write(asio::const_buffer bytes) {
  last_moved_ = Clock::now();
  recording.write(last_moved_);
  co_await asio::async_write(stream_, bytes, asio::use_awaitable);
}

awaitable<void> Connection::write(std::string_view text) { co_await write(asio::buffer(text)); }

awaitable<void> Connection::wait(asio::steady_timer& timer) {
  last_moved_ = never;
  using asio::experimental::make_parallel_group;
  using asio::experimental::wait_for_one;
  for (;;) {
    auto [order, elapsed, readable] =
        co_await make_parallel_group(
            timer.async_wait(asio::deferred),
            stream_.socket.async_wait(Stream::Socket::wait_read, asio::deferred))
            .async_wait(wait_for_one(), asio::use_awaitable);
    if (order[0] == 0) break;
    // The client has gone, or has sent more already, which is kept for read_request.
    const auto room = std::min(header_limit, read_ahead_.max_size() - read_ahead_.size());
    if (room == 0) {
      co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
      break;
    }
    error_code error;
    read_ahead_.commit(stream_.read_some(read_ahead_.prepare(room), error));
    if (error && error != asio::error::would_block) throw system_error(error);
  }
  last_moved_ = Clock::now();
}

awaitable<void> Connection::wait(Seconds time) {
  asio::steady_timer timer(stream_.get_executor(), to_duration(time));
  co_await wait(timer);
}

awaitable<void> Connection::finish() {
  last_moved_ = Clock::now();
  if (is_tls() && has_close_notify_)
    co_await stream_.tls->async_shutdown(asio::as_tuple(asio::use_awaitable));
  auto& socket = stream_.socket;
  socket.shutdown(socket.shutdown_send);
  char scratch[4096];
  for (std::size_t drained = 0; drained < body_limit;)
    drained += co_await socket.async_read_some(asio::buffer(scratch), asio::use_awaitable);
}

void Connection::close(bool reset) {
  error_code ignored;
  auto& socket = stream_.socket;
  if (reset) socket.set_option(asio::socket_base::linger(true, 0), ignored);
  socket.close(ignored);
}
