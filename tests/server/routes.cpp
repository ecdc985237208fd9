#include "routes.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/field.hpp>
#include <cstdio>
#include <optional>

#include "exchange.hpp"
#include "links.hpp"
#include "view/events.hpp"
#include "view/timeline.hpp"
#include "view/views.hpp"

namespace asio = boost::asio;
namespace http = boost::beast::http;

namespace {

constexpr std::uint64_t most_bytes = 1'000'000'000'000;
constexpr double longest_wait = 60;  // seconds

Seconds seconds(std::string_view text) { return Seconds(Exchange::number(text, 0., longest_wait)); }

// The talk's four sites: `milliseconds` stands for the network and for the work behind the site.
template <int milliseconds>
awaitable<void> site(Site&, Exchange& exchange) {
  co_await exchange.client.wait(std::chrono::milliseconds(milliseconds));
  co_await exchange.send(200, "Hello from " + exchange.path[0] + "\n");
}

awaitable<void> moved_site(Site&, Exchange& exchange) {
  co_await exchange.send(301, {}, "Location: /" + exchange.path[0] + "/home\r\n");
}

awaitable<void> delay(Site&, Exchange& exchange) {
  co_await exchange.client.wait(seconds(exchange.path[1]));
  co_await exchange.send(200, "OK\n");
}

awaitable<void> status(Site&, Exchange& exchange) {
  co_await exchange.send(Exchange::number(exchange.path[1], 200u, 599u));
}

awaitable<void> redirect(Exchange& exchange, std::string_view location) {
  const auto is_control = [](unsigned char c) { return c < ' ' || c == 127; };
  if (std::any_of(location.begin(), location.end(), is_control))
    throw std::invalid_argument("a control character in the location");
  if (const auto delay = exchange.option("delay", 0., longest_wait, 0.); delay > 0)
    co_await exchange.client.wait(Seconds(delay));
  const std::string field = "Location: " + std::string(location) + "\r\n";
  co_await exchange.send(exchange.option("status_code", 300u, 399u, 302u), {}, field);
}

awaitable<void> redirect_to(Site&, Exchange& exchange) {
  const auto url = exchange.query.find("url");
  if (url == exchange.query.end()) throw std::invalid_argument("no url to redirect to");
  co_await redirect(exchange, url->second);
}

// Where /redirect/3 points to: /redirect/2, with the same query; at last to /status/200. `root` is
// what the location has in place of `/`.
std::string next(const Exchange& exchange, std::string root) {
  const unsigned left = Exchange::number(exchange.path[1], 1u, 1'000'000u);
  if (left == 1) return root + "status/200";
  const std::string target(exchange.request.target());
  const std::string query = target.substr(std::min(target.find('?'), target.size()));
  return root + exchange.path[0] + '/' + std::to_string(left - 1) + query;
}

awaitable<void> path_redirect(Site&, Exchange& exchange) {
  const std::string location = next(exchange, "/");
  co_await redirect(exchange, location);
}

awaitable<void> relative_redirect(Site&, Exchange& exchange) {
  const std::string location = next(exchange, "../");
  co_await redirect(exchange, location);
}

awaitable<void> absolute_redirect(Site&, Exchange& exchange) {
  const std::string host(exchange.request[http::field::host]);
  if (host.empty()) throw std::invalid_argument("no Host to redirect to");
  const std::string location =
      next(exchange, (exchange.client.is_tls() ? "https://" : "http://") + host + "/");
  co_await redirect(exchange, location);
}

awaitable<void> redirect_loop(Site&, Exchange& exchange) {
  const std::string location = "/redirect-loop";
  co_await redirect(exchange, location);
}

awaitable<void> bytes(Site&, Exchange& exchange) {
  static const std::string block(64 * 1024, 'x');
  auto left = Exchange::number(exchange.path[1], std::uint64_t{0}, most_bytes);
  constexpr auto type = "Content-Type: application/octet-stream\r\n";
  if (left <= block.size())  // head and body in one write, which costs more than they do
    co_return co_await exchange.send(200, std::string_view(block).substr(0, left), type);
  co_await exchange.send_head(200, left, type);
  if (!exchange.has_body()) left = 0;
  for (std::uint64_t size; left > 0; left -= size) {
    size = std::min<std::uint64_t>(left, block.size());
    co_await exchange.client.write(asio::buffer(block, size));
  }
}

awaitable<void> stream(Site&, Exchange& exchange) {
  const auto lines = Exchange::number(exchange.path[1], 0, 1'000'000);
  co_await exchange.send_chunked_head();
  std::string chunks;  // several for each write, which costs more than they do
  for (int line = 0; line < lines; ++line) {
    chunks += exchange.chunk("{\"id\": " + std::to_string(line) + "}\n");
    if (chunks.size() < 16 * 1024 && line + 1 < lines) continue;
    co_await exchange.client.write(chunks);
    chunks.clear();
  }
  co_await exchange.send_chunk({});
}

awaitable<void> drip(Site&, Exchange& exchange) {
  const auto count = exchange.option("numbytes", 1u, 1'000'000u, 10u);
  const Seconds duration(exchange.option("duration", 0., longest_wait, 2.));
  const Seconds delay(exchange.option("delay", 0., longest_wait, 0.));
  const auto status = exchange.option("code", 200u, 599u, 200u);
  co_await exchange.client.wait(delay);
  co_await exchange.send_head(status, count);
  for (unsigned sent = 0; exchange.has_body(status) && sent < count; ++sent) {
    if (sent > 0) co_await exchange.client.wait(duration / count);
    co_await exchange.client.write("*");
  }
}

awaitable<void> gzip(Site&, Exchange& exchange) {  // {"gzipped": true}
  static constexpr std::string_view body(
      "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\x4a\xaf\xca\x2c\x28\x48\x4d"
      "\x51\xb2\x52\x28\x29\x2a\x4d\xad\xe5\x02\x00\xc3\xdc\xc5\x45\x12\x00\x00\x00",
      38);
  co_await exchange.send(200, body, "Content-Type: application/json\r\nContent-Encoding: gzip\r\n");
}

awaitable<void> headers(Site&, Exchange& exchange) {
  std::string json;
  for (const auto& field : exchange.request)
    json += (json.empty() ? "" : ", ") + json_string(field.name_string()) + ": " +
            json_string(field.value());
  co_await exchange.send(200, "{\"headers\": {" + json + "}}\n",
                         "Content-Type: application/json\r\n");
}

// 200 if the request has this user name and password.
awaitable<void> basic_auth(Site&, Exchange& exchange) {
  const std::string pair = exchange.path[1] + ':' + exchange.path[2];
  std::vector<unsigned char> base64(4 * ((pair.size() + 2) / 3) + 1);  // and the NUL behind it
  EVP_EncodeBlock(base64.data(), reinterpret_cast<const unsigned char*>(pair.data()),
                  int(pair.size()));
  const std::string right = std::string("Basic ").append(base64.begin(), base64.end() - 1);
  const bool known = exchange.request[http::field::authorization] == right;
  co_await exchange.send(known ? 200 : 401, {},
                         known ? "" : "WWW-Authenticate: Basic realm=\"sync-desert\"\r\n");
}

// 200 if the client named this host in the TLS handshake.
awaitable<void> server_name(Site&, Exchange& exchange) {
  co_await exchange.send(exchange.client.server_name() == exchange.path[1] ? 200 : 421);
}

awaitable<void> barrier(Site& its, Exchange& exchange) {
  const auto parties = Exchange::number(exchange.path[1], 1u, 1'000'000u);
  const Seconds timeout(exchange.option("timeout", 0., longest_wait, 3.));
  const std::string name(exchange.request.target());
  const bool together = co_await its.barriers.wait(exchange.client, name, parties, timeout);
  co_await exchange.send(together ? 200 : 503, together ? "together\n" : "alone\n");
}

awaitable<void> stats(Site& its, Exchange& exchange) {
  if (exchange.request.method() == http::verb::delete_) {
    its.stats.reset();
    its.linked.clear();
    its.recorder.end_runs();
  }
  co_await exchange.send(200, its.stats.json(), "Content-Type: application/json\r\n");
}

// From here on: hostile on purpose. A client must survive each of these.

awaitable<void> hang(Site&, Exchange& exchange) {
  co_await exchange.client.wait(Seconds(longest_wait));
  exchange.client.close();
}

awaitable<void> close(Site&, Exchange& exchange) {
  exchange.client.close();
  co_return;
}

awaitable<void> reset(Site&, Exchange& exchange) {
  exchange.client.close(true);
  co_return;
}

awaitable<void> truncate(Site&, Exchange& exchange) {
  exchange.end_connection();
  co_await exchange.send_head(200, 1000);
  if (exchange.has_body()) co_await exchange.client.write(std::string(500, 'x'));
}

awaitable<void> truncate_chunked(Site&, Exchange& exchange) {
  exchange.end_connection();
  co_await exchange.send_chunked_head();
  co_await exchange.send_chunk("the last chunk is missing");
}

awaitable<void> no_length(Site&, Exchange& exchange) {
  exchange.end_connection();
  co_await exchange.send_head(200, {});
  if (exchange.has_body()) co_await exchange.client.write("all there is\n");
}

awaitable<void> garbage(Site&, Exchange& exchange) {
  exchange.end_connection();
  co_await exchange.client.write("\x01\x80 no protocol that anybody speaks\r\n\r\n");
}

// Writes `text` over and over, with a short rest each time, until the client goes away.
awaitable<void> repeat(Exchange& exchange, std::string text) {
  for (;;) {
    co_await exchange.client.write(text);
    co_await exchange.client.wait(std::chrono::milliseconds(10));
  }
}

awaitable<void> endless_headers(Site&, Exchange& exchange) {
  co_await exchange.client.write("HTTP/1.1 200 OK\r\n");
  co_await repeat(exchange, "X-Header: " + std::string(4096, 'x') + "\r\n");
}

awaitable<void> endless_body(Site&, Exchange& exchange) {
  co_await exchange.send_head(200, {});
  co_await repeat(exchange, std::string(64 * 1024, 'x'));
}

awaitable<void> slow_headers(Site&, Exchange& exchange) {
  const std::string text = head(200, 0, "X-Header: " + std::string(200, 'x') + "\r\n", false);
  exchange.end_connection();
  for (const char& byte : text) {
    co_await exchange.client.write(std::string_view(&byte, 1));
    co_await exchange.client.wait(std::chrono::milliseconds(200));
  }
}

// The connection ends without TLS's close_notify, as if somebody had cut it. There are three kinds
// of body: one with a length that is whole, one without a length, and one whose end is missing.
awaitable<void> no_close_notify(Site& its, Exchange& exchange) {
  exchange.client.leave_out_close_notify();
  exchange.end_connection();
  const std::string kind = exchange.path[1];
  if (kind == "whole") co_return co_await exchange.send(200, "all there is\n");
  if (kind == "no-length") co_return co_await no_length(its, exchange);
  if (kind == "truncate") co_return co_await truncate(its, exchange);
  throw std::invalid_argument("not whole, no-length or truncate");
}

// Sends what the query says, byte for byte and in its order: `send` a text, `again` the same text
// so many times more, `pause` nothing for so many seconds. Then it closes.
awaitable<void> raw(Site&, Exchange& exchange) {
  exchange.end_connection();
  std::string text;
  for (const auto& [name, value] : exchange.parameters) {
    if (name == "send") {
      text = value;
      co_await exchange.client.write(text);
    } else if (name == "again") {
      for (auto left = Exchange::number(value, 0u, 100'000u); left > 0; --left)
        co_await exchange.client.write(text);
    } else if (name == "pause") {
      co_await exchange.client.wait(seconds(value));
    } else {
      throw std::invalid_argument("not send, again or pause");
    }
  }
}

awaitable<void> help(Site&, Exchange& exchange);

// Browsers ask for it by themselves when they show a picture.
awaitable<void> no_icon(Site&, Exchange& exchange) { co_await exchange.send(204); }

struct Entry {
  std::string_view name;
  std::size_t length;  // of the path, in segments
  awaitable<void> (*route)(Site&, Exchange&);
  // A request for a picture or for the statistics is not counted in them.
  enum Kind { request, view, view_and_delete } kind = request;
};

constexpr Entry routes[] = {
    {"twitter", 1, site<1000>},
    {"google", 1, site<250>},
    {"yahoo", 1, site<750>},
    {"facebook", 1, moved_site},
    {"facebook", 2, site<500>},
    {"delay", 2, delay},
    {"status", 2, status},
    {"redirect", 2, path_redirect},
    {"relative-redirect", 2, relative_redirect},
    {"absolute-redirect", 2, absolute_redirect},
    {"redirect-to", 1, redirect_to},
    {"bytes", 2, bytes},
    {"stream", 2, stream},
    {"drip", 1, drip},
    {"gzip", 1, gzip},
    {"headers", 1, headers},
    {"basic-auth", 3, basic_auth},
    {"server-name", 2, server_name},
    {"barrier", 2, barrier},
    {"site", 4, links::page},
    {"site", 3, links::report, Entry::view},
    {"stats", 1, stats, Entry::view_and_delete},
    {"hang", 1, hang},
    {"close", 1, close},
    {"rst", 1, reset},
    {"truncate", 1, truncate},
    {"truncate-chunked", 1, truncate_chunked},
    {"no-length", 1, no_length},
    {"garbage", 1, garbage},
    {"redirect-loop", 1, redirect_loop},
    {"endless-headers", 1, endless_headers},
    {"endless-body", 1, endless_body},
    {"slow-headers", 1, slow_headers},
    {"no-close-notify", 2, no_close_notify},
    {"raw", 1, raw},
    {"help", 1, help, Entry::view},
    {"favicon.ico", 1, no_icon, Entry::view},
    {"timeline.svg", 1, views::timeline_svg, Entry::view},
    {"timeline.txt", 1, views::timeline_txt, Entry::view},
    {"trace.json", 1, views::trace_json, Entry::view},
    {"events", 1, views::events, Entry::view_and_delete},
    {"events.json", 1, views::events_json, Entry::view},
};

constexpr Entry page{"", 0, views::page, Entry::view};

awaitable<void> help(Site&, Exchange& exchange) {
  std::string text = "What can be asked for here, see test-server --help:\n/\n";
  for (const auto& entry : routes)
    text += '/' + std::string(entry.name) + (entry.length > 1 ? "/...\n" : "\n");
  co_await exchange.send(200, text, "Content-Type: text/plain\r\n");
}

const Entry* find(const Exchange& exchange) {
  if (exchange.path.empty()) return &page;
  for (const auto& entry : routes)
    if (entry.name == exchange.path[0] && entry.length == exchange.path.size()) return &entry;
  return nullptr;
}

}  // namespace

awaitable<bool> Site::answer(Connection& client, Request request) {
  Exchange exchange(client, std::move(request));
  const Entry* const entry = find(exchange);
  std::optional<InFlight> counted;
  if (!entry || entry->kind == Entry::request) {
    counted.emplace(stats);
    client.recording.begin(recorder, exchange.request[http::field::user_agent],
                           exchange.request.target());
  }

  const auto method = exchange.request.method();
  const bool deletes = entry && entry->kind == Entry::view_and_delete;
  const bool allowed = method == http::verb::get || method == http::verb::head ||
                       (method == http::verb::delete_ && deletes);
  std::string complaint;
  if (!entry) {
    co_await exchange.send(404, "no such route\n");
  } else if (!allowed) {
    co_await exchange.send(405, {},
                           deletes ? "Allow: GET, HEAD, DELETE\r\n" : "Allow: GET, HEAD\r\n");
  } else {
    try {
      co_await entry->route(*this, exchange);
    } catch (const std::invalid_argument& error) {
      complaint = error.what();
    }
    if (!complaint.empty()) co_await exchange.send(400, complaint + '\n');
  }
  client.recording.end(false);
  co_return exchange.keep_alive();
}
