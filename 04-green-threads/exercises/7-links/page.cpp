#include "page.hpp"

#include <algorithm>

namespace {

constexpr std::size_t scheme = 7;  // the length of http://

// `http://host:port`
std::string origin(const std::string& url) { return url.substr(0, url.find('/', scheme)); }

}  // namespace

std::string host_of(const std::string& url) {
  const auto start = std::min(scheme, url.size());
  return url.substr(start, url.find_first_of(":/", start) - start);
}

Page parse_page(const std::string& url, int status, const std::string& html) {
  static const std::string mark = "href=\"";
  Page page{status, {}};
  for (auto at = html.find(mark); at != html.npos; at = html.find(mark, at)) {
    at += mark.size();
    std::string link = html.substr(at, html.find_first_of("\"#", at) - at);
    if (link.rfind('/', 0) == 0) link = origin(url) + link;
    if (link.rfind("http://", 0) == 0) page.links.push_back(link);
  }
  return page;
}
