// A GET without a library: what the kernel offers, and what http_get is made of. It speaks http
// only, follows no redirect, has no deadline, and prints the answer as it comes.

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <stdexcept>
#include <string>

// #region connect
// Returns a descriptor: the number by which the kernel knows our end of the connection.
int connect_to(const std::string& host, const std::string& port) {
  addrinfo hints{}, *addresses = nullptr;
  hints.ai_socktype = SOCK_STREAM;  // TCP: a stream of bytes, in order
  if (const int error = getaddrinfo(host.c_str(), port.c_str(), &hints, &addresses))
    throw std::runtime_error(gai_strerror(error));
  int fd = -1;
  for (const addrinfo* at = addresses; at && fd == -1; at = at->ai_next) {
    fd = socket(at->ai_family, at->ai_socktype, at->ai_protocol);
    if (fd != -1 && connect(fd, at->ai_addr, at->ai_addrlen) == 0) break;  // blocks
    if (fd != -1) close(std::exchange(fd, -1));
  }
  freeaddrinfo(addresses);
  return fd;
}
// #endregion connect
