// The addresses of a host. Each model has its own way to wait for them.

#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <vector>

#include "url.hpp"

// To be tried in this order.
using Endpoints = std::vector<boost::asio::ip::tcp::endpoint>;

// Returns the endpoints of a host that needs no look-up; none if it does.
Endpoints known(const Url& url);

// Blocks for as long as the name servers take. Throws std::runtime_error: "could not resolve host:
// ...".
Endpoints look_up(const Url& url);
