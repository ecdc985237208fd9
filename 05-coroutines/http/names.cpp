#include "names.hpp"

#include <netdb.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <utility>

namespace ip = boost::asio::ip;

namespace {

// Whether the host's name means this machine, which needs no look-up (RFC 6761).
bool is_localhost(const std::string& host) {
  return host == "localhost" || host.ends_with(".localhost");
}

// Lets the versions of IP take turns, because one of them may be dead as a whole (RFC 8305).
Endpoints take_turns(Endpoints sorted) {
  const auto first = sorted.front().protocol();
  const auto others = std::stable_partition(sorted.begin(), sorted.end(),
                                            [&](const auto& it) { return it.protocol() == first; });
  Endpoints all;
  for (auto one = sorted.begin(), other = others; all.size() < sorted.size();) {
    if (one != others) all.push_back(*one++);
    if (other != sorted.end()) all.push_back(*other++);
  }
  return all;
}

}  // namespace

Endpoints known(const Url& url) {
  if (is_localhost(url.host))
    return {{ip::address_v4::loopback(), url.port}, {ip::address_v6::loopback(), url.port}};
  boost::system::error_code is_name;
  const auto address = ip::make_address(url.host, is_name);
  return is_name ? Endpoints() : Endpoints{{address, url.port}};
}

Endpoints look_up(const Url& url) {
  addrinfo hints{}, *list = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  const std::string port = std::to_string(url.port);
  if (const int error = getaddrinfo(url.host.c_str(), port.c_str(), &hints, &list))
    throw std::runtime_error(std::string("could not resolve host: ") + gai_strerror(error));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(list, freeaddrinfo);
  Endpoints endpoints;
  for (; list; list = list->ai_next) {
    auto& endpoint = endpoints.emplace_back();
    endpoint.resize(list->ai_addrlen);
    std::memcpy(endpoint.data(), list->ai_addr, list->ai_addrlen);
  }
  endpoints = take_turns(std::move(endpoints));
  if (endpoints.size() > max_endpoints) endpoints.resize(max_endpoints);
  return endpoints;
}
