// Step by step the twin of 03's agent.cpp: resolve, connect, handshake, write, read headers, read
// body. There each step is a handler that starts the next one; here it is a `co_await`.

#include "http_get.hpp"

#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <tuple>
#include <type_traits>
#include <utility>

#include "resolve.hpp"
#include "url.hpp"

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace ssl = asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;
using Socket = asio::basic_stream_socket<tcp, Executor>;
using Timer = asio::steady_timer::rebind_executor<Executor>::other;

namespace {

constexpr int max_redirects = 10;
constexpr std::chrono::seconds time_limit(10);
constexpr std::size_t max_headers = 128 * 1024, piece_of_body = 16 * 1024;

// #region request
std::string make_request(const std::string& url) {
  const std::string who = authorization(url);
  return "GET " + target(url) + " HTTP/1.1\r\nHost: " + host_header(url) +
         "\r\nUser-Agent: " USER_AGENT "\r\nAccept: */*\r\nConnection: close\r\n" +
         (who.empty() ? "" : "Authorization: " + who + "\r\n") + "\r\n";
}
// #endregion request

// #region discard
// A Beast body that is read and thrown away, in constant memory.
struct Discard {
  struct value_type {};
  struct reader {
    template <bool is_request, typename Fields>
    reader(http::header<is_request, Fields>&, value_type&) {}
    void init(boost::optional<std::uint64_t>, error_code& error) { error = {}; }
    template <typename Buffers>
    std::size_t put(const Buffers& buffers, error_code& error) {
      error = {};
      return asio::buffer_size(buffers);
    }
    void finish(error_code& error) { error = {}; }
  };
};
// #endregion discard

bool is_redirect(const Response& response) {
  constexpr std::array codes{301, 302, 303, 307, 308};
  return std::ranges::find(codes, response.status) != codes.end() && !response.location.empty();
}

// #region exchange
// Read piece by piece: Beast's async_read would miss a cancellation that comes between two of its
// pieces, while each co_await asks whether one has come.
template <typename Stream>
awaitable<Response> receive(Stream& stream) {
  boost::beast::flat_buffer buffer(max_headers);
  std::optional<http::response_parser<Discard>> parser;
  do {  // 100 Continue and its like come before the answer
    parser.emplace();
    parser->header_limit(max_headers);
    parser->body_limit(boost::none);
    while (!parser->is_header_done())
      co_await http::async_read_some(stream, buffer, *parser, asio::deferred);
  } while (parser->get().result_int() / 100 == 1 && parser->get().result_int() != 101);

  Response response{static_cast<int>(parser->get().result_int()),
                    std::string(parser->get()[http::field::location])};
  if (response.status != 200) co_return response;  // nobody is interested in its body

  buffer.reserve(piece_of_body);
  while (!parser->is_done())
    co_await http::async_read_some(stream, buffer, *parser, asio::deferred);
  co_return response;
}

// The stream is a TCP socket, or TLS over one. While the server thinks, there is no buffer and no
// parser yet: what a fetch holds while it waits is what 10,000 of them hold at once. (Not so over
// TLS, which may have read some of the answer already.)
template <typename Stream>
awaitable<Response> exchange(Stream& stream, std::string url) {
  co_await asio::async_write(stream, asio::buffer(make_request(url)), asio::deferred);
  if constexpr (std::is_same_v<Stream, Socket>)
    co_await stream.async_wait(Socket::wait_read, asio::deferred);
  co_return co_await receive(stream);
}
// #endregion exchange

// #region handshake
// TLS 1.2 or newer; the chain is checked against the system's store, or SSL_CERT_FILE.
ssl::context& tls() {
  static ssl::context context = [] {
    ssl::context made(ssl::context::tls_client);
    SSL_CTX_set_min_proto_version(made.native_handle(), TLS1_2_VERSION);
    made.set_default_verify_paths();
    made.set_verify_mode(ssl::verify_peer);
    return made;
  }();
  return context;
}

awaitable<Response> exchange_over_tls(Socket& socket, std::string url) {
  ssl::stream<Socket&> stream(socket, tls());
  SSL* const handle = stream.native_handle();
  const std::string name = certified(url);
  const bool accepted =
      has_name(url) ? SSL_set_tlsext_host_name(handle, name.c_str()) == 1 &&
                          SSL_set1_host(handle, name.c_str()) == 1
                    : X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(handle), name.c_str()) == 1;
  if (!accepted) throw std::runtime_error("TLS cannot ask for this host");
  const auto [error] =
      co_await stream.async_handshake(ssl::stream_base::client, asio::as_tuple(asio::deferred));
  if (const long fault = SSL_get_verify_result(handle); fault != X509_V_OK)
    throw std::runtime_error(std::string("certificate verify failed: ") +
                             X509_verify_cert_error_string(fault));
  if (error) throw boost::system::system_error(error);
  co_return co_await exchange(stream, url);
}
// #endregion handshake

// #region get
// Connected to the first of the server's endpoints that answers.
awaitable<Socket> connect(std::string url) {
  const Endpoints endpoints = co_await resolve(host(url), port(url));
  for (auto endpoint = endpoints.begin();; ++endpoint) {
    Socket socket(co_await asio::this_coro::executor);
    error_code error;
    socket.open(endpoint->protocol(), error);
    if (!error)
      std::tie(error) = co_await socket.async_connect(*endpoint, asio::as_tuple(asio::deferred));
    if (!error) co_return socket;
    if (endpoint + 1 == endpoints.end()) throw boost::system::system_error(error);
  }
}

// No coroutine itself, and so no frame: it only says which one to await.
awaitable<Response> get(Socket& socket, std::string url) {
  return is_https(url) ? exchange_over_tls(socket, url) : exchange(socket, url);
}
// #endregion get

// #region follow
awaitable<Response> follow(std::string url) {
  url = clean(url);
  for (int redirects = 0; redirects <= max_redirects; ++redirects) {
    Socket socket = co_await connect(url);
    Response response = co_await get(socket, url);
    if (!is_redirect(response)) co_return response;
    url = join(url, response.location);
  }
  throw std::runtime_error("more than 10 redirects");
}
// #endregion follow

// #region explain
// What went wrong, in words for a person.
std::string explain(const error_code& error) {
  if (error == http::error::end_of_stream) return "the server closed without an answer";
  if (error == http::error::partial_message || error == ssl::error::stream_truncated)
    return "the server closed within its answer";
  return error.message();
}
// #endregion explain
}  // namespace

// #region http_get
awaitable<Response> http_get(std::string url) try {
  const auto loop = co_await asio::this_coro::executor;
  Timer deadline(loop, time_limit);
  // Whichever of the two is first cancels the other, wherever it is suspended.
  const auto [order, error, response, expired] =
      co_await asio::experimental::make_parallel_group(
          asio::co_spawn(loop, follow(std::move(url)), asio::deferred),
          deadline.async_wait(asio::deferred))
          .async_wait(asio::experimental::wait_for_one(), asio::deferred);
  if (order.front() == 1) throw std::runtime_error("timed out after 10 s");
  if (error) std::rethrow_exception(error);
  co_return response;
} catch (const boost::system::system_error& error) {
  throw std::runtime_error(explain(error.code()));
}
// #endregion http_get
