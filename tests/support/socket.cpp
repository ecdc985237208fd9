#include "socket.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds patience{30};

void check(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
}

Descriptor tcp_socket(int family) {
  Descriptor made(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  check(made.get(), "socket");
  return made;
}

template <typename Address>
const sockaddr* generic(const Address& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

// Port 0 is "any" for bind.
sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void wait_for(const Descriptor& socket, short events, Clock::time_point deadline) {
  pollfd fd{socket.get(), events, 0};
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  if (left <= 0 || poll(&fd, 1, int(left)) == 0)
    throw std::runtime_error("a socket's 30 s are over");
}

}  // namespace

Socket::Socket(Descriptor connected) : socket_(std::move(connected)) {}

Socket::Socket(std::uint16_t port, const char* address) {
  sockaddr_in v4 = loopback(port);
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  if (inet_pton(AF_INET, address, &v4.sin_addr) == 1) {
    socket_ = tcp_socket(AF_INET);
    check(connect(socket_.get(), generic(v4), sizeof v4), "connect");
  } else if (inet_pton(AF_INET6, address, &v6.sin6_addr) == 1) {
    socket_ = tcp_socket(AF_INET6);
    check(connect(socket_.get(), generic(v6), sizeof v6), "connect");
  } else {
    throw std::invalid_argument(address);
  }
}

Socket& Socket::send(std::string_view bytes) {
  const auto deadline = Clock::now() + patience;
  while (!bytes.empty()) {
    wait_for(socket_, POLLOUT, deadline);
    const auto sent =
        ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN)
      break;  // the peer does not want it: receive() tells its answer
    if (sent > 0) bytes.remove_prefix(std::size_t(sent));
  }
  return *this;
}

bool Socket::receive_some(std::string& bytes, Clock::time_point deadline) {
  wait_for(socket_, POLLIN, deadline);
  char buffer[64 * 1024];
  const auto size = recv(socket_.get(), buffer, sizeof buffer, 0);
  was_reset_ = size < 0 && errno == ECONNRESET;
  if (!was_reset_) check(int(size), "recv");
  if (size > 0) bytes.append(buffer, std::size_t(size));
  return size > 0;
}

std::string Socket::receive() {
  const auto deadline = Clock::now() + patience;
  std::string bytes;
  while (receive_some(bytes, deadline)) {
  }
  return bytes;
}

std::string Socket::receive_until(std::string_view end) {
  const auto deadline = Clock::now() + patience;
  std::string bytes;
  while (bytes.find(end) == std::string::npos && receive_some(bytes, deadline)) {
  }
  return bytes;
}

void Socket::shut_down() { shutdown(socket_.get(), SHUT_WR); }

void Socket::reset() {
  const linger at_once{1, 0};
  setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  socket_.close();
}

Listener::Listener(std::uint16_t port) : Listener(Kind::listening, "127.0.0.1", port) {}

Listener::Listener(Kind kind, const char* host, std::uint16_t port) : socket_(tcp_socket(AF_INET)) {
  sockaddr_in address = loopback(port);
  if (inet_pton(AF_INET, host, &address.sin_addr) != 1) throw std::invalid_argument(host);
  socklen_t size = sizeof address;
  check(bind(socket_.get(), generic(address), size), "bind");
  check(getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
  port_ = ntohs(address.sin_port);
  if (kind != Kind::bound)
    check(listen(socket_.get(), kind == Kind::full ? 0 : SOMAXCONN), "listen");
}

std::string Listener::url(const std::string& path) const {
  return "http://127.0.0.1:" + std::to_string(port_) + path;
}

Socket Listener::accept() {
  wait_for(socket_, POLLIN, Clock::now() + patience);
  Descriptor peer(accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  check(peer.get(), "accept");
  return Socket(std::move(peer));
}

SilentPort::SilentPort(const char* host, std::uint16_t port) : Listener(Kind::full, host, port) {
  sockaddr_in address = loopback(this->port());
  inet_pton(AF_INET, host, &address.sin_addr);
  for (auto& client : clients_) {
    client = tcp_socket(AF_INET);
    check(fcntl(client.get(), F_SETFL, O_NONBLOCK), "fcntl");
    (void)connect(client.get(), generic(address), sizeof address);
  }
}

void SilentPort::wake() {
  for (auto& client : clients_) client.close();  // so that none of them comes again
  accept();
}

bool has_ipv6() {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  const Descriptor socket(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return socket.is_open() && bind(socket.get(), generic(address), sizeof address) == 0;
}
