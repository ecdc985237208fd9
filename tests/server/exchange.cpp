#include "exchange.hpp"

#include <boost/beast/http/status.hpp>
#include <boost/url/parse.hpp>
#include <cstdio>
#include <cstring>

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

// Encodes the characters that no URL may have, but that some clients send.
static std::string escaped(std::string_view target) {
  std::string all;
  for (const unsigned char c : target) {
    char code[4] = {static_cast<char>(c)};
    if (c <= ' ' || c > '~' || std::strchr("\"<>[\\]^`{|}", c)) std::snprintf(code, 4, "%%%02X", c);
    all += code;
  }
  return all;
}

Exchange::Exchange(Connection& connection, Request received)
    : client(connection), request(std::move(received)), keep_alive_(request.keep_alive()) {
  const std::string target = escaped(request.target());
  auto url = boost::urls::parse_origin_form(target);
  if (!url) url = boost::urls::parse_uri(target);
  if (!url) {
    path.emplace_back();  // which no route has
    return;
  }
  for (const auto& segment : url->segments()) path.push_back(segment);
  for (const auto& parameter : url->params()) {
    parameters.emplace_back(parameter.key, parameter.value);
    query.insert(parameters.back());
  }
}

bool Exchange::has_body(unsigned status) const {
  return request.method() != http::verb::head && !is_bodiless(status);
}

awaitable<void> Exchange::send(unsigned status, std::string_view body, std::string_view fields) {
  client.recording.status(status);
  std::string text = head(status, body.size(), fields, keep_alive_);
  if (has_body(status)) text += body;
  co_await client.write(text);
}

awaitable<void> Exchange::send_head(unsigned status, std::optional<std::uint64_t> length,
                                    std::string_view fields) {
  client.recording.status(status);
  co_await client.write(head(status, length, fields, keep_alive_));
}

awaitable<void> Exchange::send_chunked_head() {
  if (request.version() < 11) end_connection();
  co_await send_head(200, {}, request.version() < 11 ? "" : "Transfer-Encoding: chunked\r\n");
}

std::string Exchange::chunk(std::string_view data) const {
  if (!has_body()) return {};
  if (request.version() < 11) return std::string(data);
  char size[2 * sizeof data.size() + 3];
  std::snprintf(size, sizeof size, "%zx\r\n", data.size());
  return size + std::string(data) + "\r\n";
}

awaitable<void> Exchange::send_chunk(std::string_view data) { co_await client.write(chunk(data)); }
