// A URL and its parts. It is parsed once, and passed on as a value.

#pragma once

#include <cstdint>
#include <string>

struct Url {
  // Throws std::invalid_argument, with a reason for a person, unless `text` is an absolute http or
  // https URL without spaces and control characters. Other characters that a URL may not have
  // become percent codes in its path and query. The fragment is left out.
  explicit Url(const std::string& text);

  // Returns the URL that `link` means on this page. The user's name and password stay with their
  // server. Throws as the constructor does.
  Url join(std::string link) const;

  // The host's name as in certificates and SNI.
  std::string certified() const;

  bool is_https = false;
  bool has_name = true;       // or else a numeric address
  std::uint16_t port = 0;     // 80 or 443 unless the URL has one
  std::string host;           // for the look-up: no brackets, decoded, in lower case
  std::string authority;      // localhost:8080, for the Host header
  std::string target;         // /path?query
  std::string authorization;  // Basic ..., or empty without user:password@
};
