#include "connect.hpp"

#include <sys/socket.h>

#include <cerrno>

using boost::system::error_code;

error_code go_on_connecting(int socket, const boost::asio::ip::tcp::endpoint& server) {
  // The first call only sends. On the same machine there is a connection by the time of the second.
  for (int calls = 0; calls < 2; ++calls) {
    if (connect(socket, server.data(), static_cast<socklen_t>(server.size())) == 0) return {};
    // It waits already, or has failed. After a failure, a further call would begin anew.
    if (errno != EINPROGRESS) break;
  }
  const int what = errno == EALREADY ? EINPROGRESS : errno;
  return {what, boost::asio::error::get_system_category()};
}
