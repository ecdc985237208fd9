#include "server.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/error.hpp>
#include <new>
#include <optional>
#include <stdexcept>

#include "exchange.hpp"

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using boost::system::system_error;

Server::Server(Seconds idle_timeout, Seconds pause) : site_(to_duration(pause)) {
  asio::co_spawn(io_, close_idle_ones(idle_timeout), asio::detached);
}

unsigned short Server::listen(const std::string& host, unsigned short port,
                              std::optional<Context> context) {
  error_code error;
  const tcp::endpoint endpoint(asio::ip::make_address(host, error), port);
  if (error) throw std::invalid_argument(host + " is no numeric address");
  tcp::acceptor acceptor(io_, endpoint.protocol());
  acceptor.set_option(tcp::acceptor::reuse_address(true));
  if (endpoint.address().is_v6()) acceptor.set_option(asio::ip::v6_only(true));
  acceptor.bind(endpoint);
  acceptor.listen();
  port = acceptor.local_endpoint().port();
  if (!context) site_.linked.hosts.push_back(host);
  Context* const kept = context ? &contexts_.emplace_back(std::move(*context)) : nullptr;
  asio::co_spawn(io_, accept(std::move(acceptor), kept), asio::detached);
  return port;
}

awaitable<void> Server::accept(tcp::acceptor acceptor, Context* context) {
  for (;;) {
    auto [error, socket] = co_await acceptor.async_accept(asio::as_tuple(asio::use_awaitable));
    if (!error) {
      try {
        asio::co_spawn(io_, serve(std::move(socket), context), asio::detached);
      } catch (const std::bad_alloc&) {  // this client is out of luck; the next may not be
      }
    } else if (error != asio::error::connection_aborted) {
      // No more descriptors, most likely: the connection waits in the kernel until some are free.
      asio::steady_timer pause(io_, std::chrono::milliseconds(100));
      co_await pause.async_wait(asio::use_awaitable);
    }
  }
}

// The status for a client whose request cannot be read; none if it has simply gone.
static std::optional<unsigned> complaint(const error_code& error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) return 431;
  if (error == http::error::body_limit) return 413;
  if (error == http::error::end_of_stream || error == http::error::partial_message) return {};
  const error_code malformed = http::error::bad_method;  // such as this one
  return error.category() == malformed.category() ? std::optional(400u) : std::nullopt;
}

awaitable<void> Server::serve(tcp::socket socket, Context* context) try {
  Connection client(std::move(socket), context);
  site_.connections.push_back(client);
  std::optional<unsigned> status;
  try {
    co_await client.handshake();
    for (bool more = true; more;) {
      Request request = co_await client.read_request();
      more = co_await site_.answer(client, std::move(request));
    }
  } catch (const system_error& error) {
    status = complaint(error.code());
    if (!status) co_return;
  }
  if (status) co_await client.write(head(*status, 0, {}, false));
  co_await client.finish();
} catch (
    const std::exception&) {  // the client has gone, or there is no memory: its connection ends
}

awaitable<void> Server::close_idle_ones(Seconds idle_timeout) {
  asio::steady_timer timer(io_);
  for (;;) {
    timer.expires_after(to_duration(idle_timeout / 4));
    co_await timer.async_wait(asio::use_awaitable);
    const auto limit = Clock::now() - to_duration(idle_timeout);
    for (auto& connection : site_.connections)
      if (connection.idle_since(limit)) connection.close();
  }
}
