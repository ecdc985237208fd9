// A connection to a server that has one address, or several.

#pragma once

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "http/names.hpp"
#include "http_get.hpp"

using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor>;

// Connects the socket, which is closed. Throws boost::system::system_error.
awaitable<void> connect_to(Socket& socket, boost::asio::ip::tcp::endpoint server);

// The same, for a server that has several addresses: the first that answers wins (RFC 8305, "Happy
// Eyeballs"). If none does, throws the error of the first address.
awaitable<void> race(Socket& socket, Endpoints servers);
