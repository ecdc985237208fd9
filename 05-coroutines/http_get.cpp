// The steps are those of 03's agent.cpp: resolve, connect, handshake, write, read headers, read
// body. There each step is a handler that starts the next one; here it is a `co_await`.
//
// Coroutines take parameters by value, or by reference if the coroutine that awaits them owns them.

#include "http_get.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "http/parser.hpp"
#include "http/reason.hpp"
#include "http/request.hpp"
#include "http/tls.hpp"
#include "race.hpp"
#include "resolve.hpp"

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace ssl = asio::ssl;
using boost::system::error_code;
using boost::system::system_error;
using Timer = asio::steady_timer::rebind_executor<Executor>::other;

namespace {

// #region receive
// Reads piece by piece. Beast's async_read would miss a cancellation between two of its pieces, but
// each co_await checks for one.
template <typename Stream>
awaitable<Response> receive(Stream& stream) {
  boost::beast::flat_buffer buffer(max_header);
  std::optional<Parser> parser;
  do {
    parser.emplace();
    while (!parser->is_header_done())
      co_await http::async_read_some(stream, buffer, *parser, asio::deferred);
  } while (parser->is_interim());  // the final answer follows
  while (parser->response().status == 200 && !parser->is_done()) {
    buffer.reserve(piece_of_body);
    co_await http::async_read_some(stream, buffer, *parser, asio::deferred);
  }
  co_return parser->response();
}
// #endregion receive

// #region exchange
// The stream is a TCP socket, or TLS over one. While it waits for the server, it has no buffer and
// no parser yet, because 10,000 fetches may wait at once. (Over TLS it does not wait here: TLS may
// already have read a part of the answer.)
template <typename Stream>
awaitable<Response> exchange(Stream& stream, const Url& url) {
  co_await asio::async_write(stream, asio::buffer(make_request(url)), asio::deferred);
  if constexpr (std::is_same_v<Stream, Socket>)
    co_await stream.async_wait(Socket::wait_read, asio::deferred);
  co_return co_await receive(stream);
}
// #endregion exchange

// #region handshake
awaitable<Response> exchange_over_tls(Socket& socket, const Url& url) {
  ssl::stream<Socket&> stream(socket, new_tls());
  expect_host(stream.native_handle(), url);
  const auto [error] =
      co_await stream.async_handshake(ssl::stream_base::client, asio::as_tuple(asio::deferred));
  if (error) throw std::runtime_error(reason(error, stream.native_handle()));
  co_return co_await exchange(stream, url);
}
// #endregion handshake

// #region get
// Not all of these are coroutines: a function that only chooses what to await needs no frame.
awaitable<void> connect(Socket& socket, const Endpoints& servers) {
  return servers.size() == 1 ? connect_to(socket, servers.front()) : race(socket, servers);
}

awaitable<void> resolve_and_connect(Socket& socket, const Url& url) {
  co_await connect(socket, co_await resolve(url));
}

awaitable<void> connect(Socket& socket, const Url& url) {
  const Endpoints servers = known(url);
  return servers.empty() ? resolve_and_connect(socket, url) : connect(socket, servers);
}

awaitable<Response> get(Socket& socket, const Url& url) {
  return url.is_https ? exchange_over_tls(socket, url) : exchange(socket, url);
}
// #endregion get

// #region follow
awaitable<Response> follow(Url url, std::shared_ptr<Socket> socket) {
  for (int redirects = 0; redirects <= max_redirects; ++redirects) {
    co_await connect(*socket, url);
    const Response response = co_await get(*socket, url);
    if (!is_redirect(response)) co_return response;
    url = url.join(response.location);
    socket->close();  // the next answer has a connection of its own
  }
  throw std::runtime_error("more than 10 redirects");
}
// #endregion follow

// #region http_get
// The first of the two to complete cancels the other, wherever that is suspended. The deadline also
// closes the socket, because an operation of several steps may miss a cancellation between two of
// them. (This is not a coroutine, so no frame holds what it passes on.)
auto follow_until(Timer& deadline, const std::string& url) {
  const auto socket = std::make_shared<Socket>(deadline.get_executor());
  const auto close = [socket](error_code ignored) {
    socket->close(ignored);
    return asio::deferred.values();
  };
  return asio::experimental::make_parallel_group(
             asio::co_spawn(deadline.get_executor(), follow(Url(url), socket), asio::deferred),
             deadline.async_wait(asio::deferred(close)))
      .async_wait(asio::experimental::wait_for_one(), asio::deferred);
}

}  // namespace

awaitable<Response> http_get(std::string url) try {
  Timer deadline(co_await asio::this_coro::executor, std::chrono::seconds(10));
  const auto [order, error, response] = co_await follow_until(deadline, url);
  if (order.front() == 1) throw std::runtime_error("timed out after 10 s");
  if (error) std::rethrow_exception(error);
  co_return response;
} catch (const system_error& error) {
  throw std::runtime_error(reason(error.code()));
}
// #endregion http_get
