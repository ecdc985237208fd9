// Connects a socket without ever blocking.

#pragma once

#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>

// Goes on to connect `socket`, which is non-blocking. Returns asio::error::in_progress until that
// is over; whoever waits for it to be writable then calls this again.
boost::system::error_code go_on_connecting(int socket,
                                           const boost::asio::ip::tcp::endpoint& server);

// The same for one of Asio's sockets, which is opened if it is closed. Its async_connect makes
// three system calls more: to wait even where the server is near, and to ask what came of it.
template <typename Socket>
boost::system::error_code try_connect(Socket& socket,
                                      const boost::asio::ip::tcp::endpoint& server) {
  boost::system::error_code error;
  if (!socket.is_open()) {
    socket.open(server.protocol(), error);
    if (!error) socket.native_non_blocking(true, error);
  }
  return error ? error : go_on_connecting(socket.native_handle(), server);
}
