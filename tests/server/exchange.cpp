#include "exchange.hpp"

#include <boost/beast/http/status.hpp>
#include <boost/url/parse.hpp>
#include <cstdio>

namespace http = boost::beast::http;

static bool is_bodiless(unsigned status) { return status == 204 || status == 304; }

std::string head(unsigned status, std::optional<std::uint64_t> length, std::string_view fields,
                 bool keep_alive) {
  std::string text = "HTTP/1.1 " + std::to_string(status) + ' ';
  text += http::obsolete_reason(http::int_to_status(status));
  text += "\r\nServer: sync-desert\r\n";
  text += fields;
  if (length && !is_bodiless(status)) text += "Content-Length: " + std::to_string(*length) + "\r\n";
  if (!keep_alive) text += "Connection: close\r\n";
  return text += "\r\n";
}

Exchange::Exchange(Connection& connection, Request received)
    : client(connection), request(std::move(received)), keep_alive_(request.keep_alive()) {
  auto url = boost::urls::parse_origin_form(request.target());
  if (!url) url = boost::urls::parse_uri(request.target());
  if (!url) {
    path.emplace_back();  // which no route has
    return;
  }
  for (const auto& segment : url->segments()) path.push_back(segment);
  for (const auto& parameter : url->params()) query.try_emplace(parameter.key, parameter.value);
}

bool Exchange::has_body(unsigned status) const {
  return request.method() != http::verb::head && !is_bodiless(status);
}

awaitable<void> Exchange::send(unsigned status, std::string_view body, std::string_view fields) {
  std::string text = head(status, body.size(), fields, keep_alive_);
  if (has_body(status)) text += body;
  co_await client.write(text);
}

awaitable<void> Exchange::send_head(unsigned status, std::optional<std::uint64_t> length,
                                    std::string_view fields) {
  co_await client.write(head(status, length, fields, keep_alive_));
}

awaitable<void> Exchange::send_chunked_head() {
  if (request.version() < 11) end_connection();
  co_await send_head(200, {}, request.version() < 11 ? "" : "Transfer-Encoding: chunked\r\n");
}

awaitable<void> Exchange::send_chunk(std::string_view data) {
  if (!has_body()) co_return;
  if (request.version() < 11) co_return co_await client.write(data);
  char size[2 * sizeof data.size() + 3];
  std::snprintf(size, sizeof size, "%zx\r\n", data.size());
  co_await client.write(size + std::string(data) + "\r\n");
}
