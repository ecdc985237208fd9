// An event loop that uses only the kernel's calls, like 01's raw.cpp, but for several GETs at once
// on one thread. It speaks only http over IPv4, and does not check that the body is complete.

#include <netdb.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <map>
#include <stdexcept>
#include <string>
#include <system_error>

int check(const char* call, int returned) {
  if (returned == -1) throw std::system_error(errno, std::generic_category(), call);
  return returned;
}

// #region fetch
// The state that a blocking program keeps in local variables and in its current line.
struct Fetch {
  std::string path, unsent, answer;

  // Goes on until it would have to wait. Returns what it needs next: EPOLLOUT, room to send;
  // EPOLLIN, bytes to receive; or 0 if it has ended.
  std::uint32_t go_on(int fd) {
    while (!unsent.empty()) {
      const ssize_t size = send(fd, unsent.data(), unsent.size(), MSG_NOSIGNAL);
      if (size == -1 && errno == EAGAIN) return EPOLLOUT;
      if (size == -1) return 0;
      unsent.erase(0, size);
    }
    for (char piece[4096];;) {
      const ssize_t size = recv(fd, piece, sizeof piece, 0);
      if (size == -1 && errno == EAGAIN) return EPOLLIN;
      if (size <= 0) return 0;
      answer.append(piece, size);
    }
  }
};
// #endregion fetch

// #region loop
void fetch_all(const addrinfo& server, char** paths) {
  const int epoll = check("epoll_create1", epoll_create1(0));
  std::map<int, Fetch> fetches;  // those under way, by their descriptors
  for (; *paths; ++paths) {
    const std::string path = *paths;
    const int fd = check("socket", socket(server.ai_family, SOCK_STREAM | SOCK_NONBLOCK, 0));
    connect(fd, server.ai_addr, server.ai_addrlen);  // returns before there is a connection
    fetches[fd] = {path, "GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", ""};
    epoll_event event{EPOLLOUT, {.fd = fd}};
    check("epoll_ctl", epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
  }
  while (!fetches.empty()) {
    epoll_event ready[64];
    const int count = epoll_wait(epoll, ready, 64, -1);  // the only wait
    if (count < 0 && errno == EINTR) continue;           // Ctrl-Z, and then fg
    check("epoll_wait", count);
    for (int i = 0; i < count; ++i) {
      const int fd = ready[i].data.fd;
      Fetch& fetch = fetches.at(fd);
      epoll_event next{fetch.go_on(fd), {.fd = fd}};
      if (next.events) {
        check("epoll_ctl", epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &next));
      } else {
        const bool ok = fetch.answer.rfind("HTTP/1.1 200 ", 0) == 0;
        std::printf("%s %s\n", fetch.path.c_str(), ok ? "OK" : "Bad");
        fetches.erase(fd);
        close(fd);  // epoll forgets it, too
      }
    }
  }
  close(epoll);
}
// #endregion loop

int main(int argc, char* argv[]) try {
  if (argc < 4) return std::fprintf(stderr, "usage: %s HOST PORT PATH...\n", argv[0]), 2;
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // each line is seen at once
  addrinfo wanted{}, *server;
  wanted.ai_family = AF_INET;
  wanted.ai_socktype = SOCK_STREAM;
  if (const int error = getaddrinfo(argv[1], argv[2], &wanted, &server))
    throw std::runtime_error(gai_strerror(error));
  fetch_all(*server, argv + 3);
  freeaddrinfo(server);
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
