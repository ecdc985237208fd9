// Names to addresses, without ever blocking the loop.

#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <string>
#include <vector>

#include "http_get.hpp"

using Endpoints = std::vector<boost::asio::ip::tcp::endpoint>;

// The endpoints of `host` (a name, or a numeric address without brackets) and `port` (a number), to
// be tried in this order. Throws std::runtime_error: "could not resolve host: ...".
awaitable<Endpoints> resolve(std::string host, std::string port);
