// A connection to a server that has several addresses.

#pragma once

#include <boost/asio/ip/tcp.hpp>

#include "deferred.hpp"
#include "http/names.hpp"
#include "reactor.hpp"

// Fires with a socket that is connected to the first of them that answers (RFC 8305, "Happy
// Eyeballs"). If none does, fails with the reason of the first address. Cancelling it closes all
// connections.
Deferred<boost::asio::ip::tcp::socket> race(Reactor& reactor, const Endpoints& servers);
