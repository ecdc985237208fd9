// What a fetch learns of an answer.

#pragma once

#include <string>

struct Response {
  int status = 0;        // such as 200
  std::string location;  // where a redirect points to, as the server says it; else empty
};

constexpr int max_redirects = 10;

inline bool is_redirect(const Response& response) {
  const int status = response.status;
  return ((status >= 301 && status <= 303) || status == 307 || status == 308) &&
         !response.location.empty();
}
