#include "parser.hpp"

#include <new>

Parser::Parser() {
  header_limit(max_header);
  body_limit(boost::none);
  eager(true);  // a small answer is read at once
}

void Parser::on_response_impl(int code, string_view, int, error_code&) { response_.status = code; }

void Parser::on_field_impl(field name, string_view, string_view value, error_code& error) try {
  if (name == field::location && response_.location.empty())
    response_.location.assign(value.data(), value.size());
} catch (const std::bad_alloc&) {
  error = make_error_code(boost::system::errc::not_enough_memory);
}
