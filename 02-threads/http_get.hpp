// A blocking GET with libcurl: it returns when the transfer is over, which may be seconds later.

#pragma once

#include <string>

struct Response {
  int status;  // such as 200
};

// GETs `url` (http or https), with at most 10 redirects and within 10 s in all. Returns the last
// response once its body is complete. The body is discarded.
// Throws std::exception with a reason for a person, such as "Connection refused".
Response http_get(const std::string& url);
