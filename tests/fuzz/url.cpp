// 03's and 05's URLs: whatever stands in an argument or in a Location header.
// The input is the URL of a page, and on the next lines the links that are followed from there.

#include "url.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <stdexcept>

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

bool is_printable(const std::string& text) {
  return std::ranges::all_of(text, [](unsigned char c) { return c > ' ' && c < 0x7f; });
}

// What must hold of any URL that is let through: nothing in the request is more than it should be.
void check(const std::string& url) {
  require(clean(url) == url);
  require(is_printable(url));
  require(url.find('#') == url.npos);
  require(!host(url).empty() && !certified(url).empty());  // without a name nobody would verify
  require(!certified(url).starts_with('.'));               // with this, a whole domain would do
  require(is_printable(host_header(url)));
  require(host_header(url).find_first_of("/?@") == std::string::npos);
  require(target(url).starts_with('/') && is_printable(target(url)));
  require(
      is_printable(authorization(url).substr(std::min<std::size_t>(6, authorization(url).size()))));
  const int number = std::stoi(port(url));
  require(number > 0 && number <= 65535);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::istringstream lines(std::string(reinterpret_cast<const char*>(data), size));
  std::string line;
  std::getline(lines, line);
  try {
    std::string url = clean(line);
    check(url);
    while (std::getline(lines, line)) {
      const std::string next = join(url, line);
      check(next);
      const bool same_server =
          host_header(next) == host_header(url) && is_https(next) == is_https(url);
      if (line.find('@') == line.npos && !same_server) require(authorization(next).empty());
      url = next;
    }
  } catch (const std::invalid_argument&) {  // the only complaint there is
  }
  return 0;
}
