// One request and the ways to answer it.

#pragma once

#include <boost/beast/http/verb.hpp>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "connection.hpp"

class Exchange {
 public:
  Exchange(Connection& connection, Request received);

  Connection& client;
  const Request request;
  std::vector<std::string> path;  // decoded: /delay/2 is {"delay", "2"}; empty for /
  std::vector<std::pair<std::string, std::string>> parameters;  // of the query, decoded
  std::map<std::string, std::string> query;                     // the first of each name

  // Sends a whole answer. `fields` are header lines, each with its end.
  awaitable<void> send(unsigned status, std::string_view body = {}, std::string_view fields = {});

  // Sends status line and headers. Without a length the body ends when the connection closes.
  awaitable<void> send_head(unsigned status, std::optional<std::uint64_t> length,
                            std::string_view fields = {});

  // Sends the headers of a body in chunked coding, and a piece of it; an empty piece is its end.
  // To a client of HTTP/1.0, which knows no chunks, the pieces go as they are.
  awaitable<void> send_chunked_head();
  awaitable<void> send_chunk(std::string_view data);
  // A piece as send_chunk sends it, to gather several for one write.
  std::string chunk(std::string_view data) const;

  // Whether the answer to this request has a body, if its status is `status`.
  bool has_body(unsigned status = 200) const;

  // Whether the connection can take another request after this answer.
  bool keep_alive() const { return keep_alive_; }
  void end_connection() { keep_alive_ = false; }

  // The query's value for `name` as a number; `otherwise` if it has none.
  template <typename Number>
  Number option(const std::string& name, Number least, Number most, Number otherwise) const {
    const auto found = query.find(name);
    return found == query.end() ? otherwise : number(found->second, least, most);
  }

  // Throws std::invalid_argument unless `text` is a number from `least` to `most`.
  template <typename Number>
  static Number number(std::string_view text, Number least, Number most) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() ||
        !(value >= least && value <= most)) {
      char range[100];
      std::snprintf(range, sizeof range, "not a number from %.12g to %.12g", double(least),
                    double(most));
      throw std::invalid_argument(range);
    }
    return value;
  }

 private:
  bool keep_alive_;
};

// Status line and headers, with the empty line after them.
std::string head(unsigned status, std::optional<std::uint64_t> length, std::string_view fields,
                 bool keep_alive);
