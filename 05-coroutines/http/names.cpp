#include "names.hpp"

#include <netdb.h>

#include <boost/asio/ip/address.hpp>
#include <cstring>
#include <memory>
#include <stdexcept>

namespace ip = boost::asio::ip;

namespace {

// Whether the host's name means this machine, which needs no look-up (RFC 6761).
bool is_localhost(const std::string& host) {
  return host == "localhost" || host.ends_with(".localhost");
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
  return endpoints;
}
