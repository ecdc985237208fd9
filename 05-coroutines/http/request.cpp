#include "request.hpp"

#include <string_view>

std::string make_request(const Url& url) {
  const bool is_known = !url.authorization.empty();
  const std::string_view parts[] = {"GET ",
                                    url.target,
                                    " HTTP/1.1\r\nHost: ",
                                    url.authority,
                                    "\r\nUser-Agent: " USER_AGENT
                                    "\r\nAccept: */*\r\nConnection: close\r\n",
                                    is_known ? "Authorization: " : "",
                                    url.authorization,
                                    is_known ? "\r\n\r\n" : "\r\n"};
  std::size_t size = 0;
  for (const auto part : parts) size += part.size();
  std::string request;
  request.reserve(size);  // 10,000 fetches may have one each
  for (const auto part : parts) request += part;
  return request;
}
