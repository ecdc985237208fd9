#include "request.hpp"

std::string make_request(const Url& url) {
  const std::string who =
      url.authorization.empty() ? "" : "Authorization: " + url.authorization + "\r\n";
  return "GET " + url.target + " HTTP/1.1\r\nHost: " + url.authority +
         "\r\nUser-Agent: " USER_AGENT "\r\nAccept: */*\r\nConnection: close\r\n" + who + "\r\n";
}
