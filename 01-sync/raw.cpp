// A GET without any HTTP library: a socket, and the calls that use one.
// It speaks only http over IPv4, follows no redirect, and may wait for ever.

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

// Prints the result of a call, and returns it. -1 means that the call failed; errno has the reason.
ssize_t tell(const char* call, ssize_t returned) {
  if (returned == -1) throw std::system_error(errno, std::generic_category(), call);
  std::fprintf(stderr, "%s: %zd\n", call, returned);
  return returned;
}

// #region get
void get(const std::string& host, const std::string& port, const std::string& path) {
  addrinfo wanted{}, *address;
  wanted.ai_family = AF_INET;        // IPv4
  wanted.ai_socktype = SOCK_STREAM;  // TCP
  if (const int error = getaddrinfo(host.c_str(), port.c_str(), &wanted, &address))
    throw std::runtime_error(gai_strerror(error));

  const int fd = tell("socket", socket(address->ai_family, address->ai_socktype, 0));
  tell("connect", connect(fd, address->ai_addr, address->ai_addrlen));
  freeaddrinfo(address);

  const std::string request =
      "GET " + path + " HTTP/1.1\r\nHost: " + host + ":" + port + "\r\nConnection: close\r\n\r\n";
  for (std::string_view left = request; !left.empty();)
    left.remove_prefix(tell("send", send(fd, left.data(), left.size(), MSG_NOSIGNAL)));

  char piece[4096];
  while (const ssize_t size = tell("recv", recv(fd, piece, sizeof piece, 0)))
    std::fwrite(piece, 1, size, stdout);
  close(fd);
}
// #endregion get

int main(int argc, char* argv[]) try {
  if (argc != 4) return std::fprintf(stderr, "usage: %s HOST PORT PATH\n", argv[0]), 2;
  std::setbuf(stdout, nullptr);  // shows each piece at once
  get(argv[1], argv[2], argv[3]);
} catch (const std::exception& error) {  // the end of the program closes what is open
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
