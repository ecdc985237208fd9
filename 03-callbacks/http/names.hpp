// The addresses of a host. Each model has its own way to wait for them.

#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <vector>

#include "url.hpp"

// To be tried in this order.
using Endpoints = std::vector<boost::asio::ip::tcp::endpoint>;

// Returns the endpoints of a host that needs no look-up; none if it does.
Endpoints known(const Url& url);

constexpr std::size_t max_endpoints = 40;  // with 250 ms for each, the 10 s are over

// Returns at least one. Blocks for as long as the name servers take. Throws std::runtime_error:
// "could not resolve host: ...".
Endpoints look_up(const Url& url);
