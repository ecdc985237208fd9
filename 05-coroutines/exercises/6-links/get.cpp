#include "get.hpp"

#include <boost/asio/deferred.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

#include "http/names.hpp"
#include "http/request.hpp"
#include "http/url.hpp"

namespace asio = boost::asio;
namespace http = boost::beast::http;

// The chapter's http_get throws the body away; this one keeps it.
awaitable<Page> get(std::string url) {
  const Url its(url);
  asio::basic_stream_socket<asio::ip::tcp, Executor> socket(co_await asio::this_coro::executor);
  co_await socket.async_connect(known(its).at(0), asio::deferred);
  const std::string request = make_request(its);
  co_await asio::async_write(socket, asio::buffer(request), asio::deferred);
  boost::beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  while (!parser.is_done()) co_await http::async_read_some(socket, buffer, parser, asio::deferred);
  co_return parse_page(url, parser.get().result_int(), parser.get().body());
}
