// A module to load into a program before all others (LD_PRELOAD). It counts from 0 the TCP sockets
// that epoll is asked to watch, and refuses the one with the number in NO_WATCH.

#include <dlfcn.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdlib>

extern "C" int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) {
  static const auto real = reinterpret_cast<decltype(&epoll_ctl)>(dlsym(RTLD_NEXT, "epoll_ctl"));
  static long left = std::getenv("NO_WATCH") ? std::atol(std::getenv("NO_WATCH")) : -1;
  int type = 0;
  socklen_t size = sizeof type;
  if (operation == EPOLL_CTL_ADD && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
      type == SOCK_STREAM && left-- == 0) {
    errno = ENOSPC;
    return -1;
  }
  return real(epoll, operation, fd, event);
}
