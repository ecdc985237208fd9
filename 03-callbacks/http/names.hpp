// The addresses of a host. Each model has its own way to wait for them.

#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstddef>
#include <vector>

#include "url.hpp"

// To be tried in this order.
using Endpoints = std::vector<boost::asio::ip::tcp::endpoint>;

// Returns the endpoints of a host that needs no look-up; none if it does.
Endpoints known(const Url& url);

// In a race, each has this head start over the next one.
constexpr std::chrono::milliseconds head_start(250);
// More could not begin in a URL's 10 s.
constexpr std::size_t max_endpoints = std::chrono::seconds(10) / head_start;

// Returns at least one. Blocks for as long as the name servers take. Throws std::runtime_error:
// "could not resolve host: ...".
Endpoints look_up(const Url& url);
