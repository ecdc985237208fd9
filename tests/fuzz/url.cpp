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

bool is_same_server(const Url& one, const Url& other) {
  return one.is_https == other.is_https && one.authority == other.authority;
}

// What must hold of any URL that is let through: nothing in the request is more than it should be.
void check(const Url& url) {
  require(is_printable(url.authority) && !url.authority.empty());
  require(url.authority.find_first_of("/?#@") == std::string::npos);
  require(url.target.starts_with('/') && is_printable(url.target));
  require(url.target.find('#') == std::string::npos);
  require(!url.host.empty() && !url.certified().empty());  // without a name nobody would verify
  require(!url.certified().starts_with('.'));              // with this, a whole domain would do
  require(url.authorization.empty() || url.authorization.starts_with("Basic "));
  require(
      is_printable(url.authorization.substr(std::min<std::size_t>(6, url.authorization.size()))));
  require(url.port > 0);
  const Url again((url.is_https ? "https://" : "http://") + url.authority + url.target);
  require(is_same_server(again, url) && again.target == url.target && again.host == url.host &&
          again.port == url.port && again.has_name == url.has_name);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::istringstream lines(std::string(reinterpret_cast<const char*>(data), size));
  std::string line;
  std::getline(lines, line);
  try {
    Url url(line);
    check(url);
    while (std::getline(lines, line)) {
      const Url next = url.join(line);
      check(next);
      if (line.find('@') == line.npos && !is_same_server(next, url))
        require(next.authorization.empty());
      url = next;
    }
  } catch (const std::invalid_argument&) {  // the only complaint there is
  }
  return 0;
}
