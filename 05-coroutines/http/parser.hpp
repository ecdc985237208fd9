// Reads an answer in constant memory. It keeps the status and the Location, ignores the other
// fields, and discards the body. Beast's own parser keeps all fields, and *throws* at a field of 64
// KB, out of the operation that reads and out of the loop. This one throws nothing.

#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <cstddef>
#include <cstdint>

#include "response.hpp"

constexpr std::size_t max_header = 128 * 1024, piece_of_body = 16 * 1024;

class Parser : public boost::beast::http::basic_parser<false> {
 public:
  Parser();

  // As soon as the header is there.
  const Response& response() const { return response_; }
  // Whether this is an interim answer, such as 100 Continue, and the final one follows.
  bool is_interim() const { return response_.status / 100 == 1 && response_.status != 101; }

 private:
  using field = boost::beast::http::field;
  using verb = boost::beast::http::verb;
  using error_code = boost::beast::error_code;
  using string_view = boost::beast::string_view;
  using Length = boost::optional<std::uint64_t>;

  // basic_parser calls these. They are pure virtual there; the last one is new in Boost 1.90.
  void on_request_impl(verb, string_view, string_view, int, error_code&) {}
  void on_response_impl(int code, string_view reason, int version, error_code& error);
  void on_field_impl(field name, string_view text, string_view value, error_code& error);
  void on_header_impl(error_code&) {}
  void on_body_init_impl(const Length&, error_code&) {}
  std::size_t on_body_impl(string_view body, error_code&) { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view body, error_code&) {
    return body.size();
  }
  void on_finish_impl(error_code&) {}
  void on_trailer_field_impl(field, string_view, string_view, error_code&) {}

  Response response_;
};
