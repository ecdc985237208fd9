// What a URL means: nothing here waits, and nothing here is about concurrency.

#pragma once

#include <string>

// `url` with percent codes for what people write into paths and queries though no URL may have it,
// and without its fragment. Throws std::invalid_argument, with a reason for a person, unless it is
// an absolute http or https URL without spaces and control characters.
std::string clean(const std::string& url);

// The URL that `link` means on the page `base`. The user's name and password stay with their
// server. Throws as clean() does.
std::string join(const std::string& base, std::string link);

// Of a URL that clean or join returned:
bool is_https(const std::string& url);
bool has_name(const std::string& url);              // or else a numeric address
std::string host(const std::string& url);           // as it is looked up: no brackets, decoded
std::string certified(const std::string& url);      // as certificates and SNI name the host
std::string port(const std::string& url);           // or the scheme's own
std::string host_header(const std::string& url);    // localhost:8080
std::string target(const std::string& url);         // /path?query
std::string authorization(const std::string& url);  // Basic ..., or empty without user:password@
