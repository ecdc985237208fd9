// The parts of an answer that a fetch needs.

#pragma once

#include <string>

struct Response {
  int status = 0;        // such as 200
  std::string location;  // the Location of a redirect, as the server sent it; otherwise empty
};

constexpr int max_redirects = 10;

// A fragment alone is the same page, which is here already (RFC 3986, 4.4).
inline bool is_redirect(const Response& response) {
  const int status = response.status;
  return ((status >= 301 && status <= 303) || status == 307 || status == 308) &&
         !response.location.empty() && response.location.find('#') != 0;
}
