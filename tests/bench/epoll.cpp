// A minimal client, with which the benchmark compares the chapters: the same fetches, written by
// hand on sockets and epoll. Only http to localhost or a numeric IPv4 address; no redirects; a
// chunked body is read until the server closes, and not decoded.

#include <arpa/inet.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

struct Fetch {
  const char* url;
  int fd = -1;
  enum { connecting, reading_head, reading_body } state = connecting;
  long long left = -1;    // bytes of body still to come; -1: until the server closes
  std::string head = {};  // of the answer, as far as it has come
};

int exit_status = 0;
std::size_t running = 0;

void finish(Fetch& fetch, const char* reason = nullptr) {
  if (fetch.fd >= 0) close(std::exchange(fetch.fd, -1));
  --running;
  exit_status |= reason != nullptr;
  if (reason) std::fprintf(stderr, "%s: %s\n", fetch.url, reason);
  std::printf("%s %s\n", fetch.url, reason ? "Bad" : "OK");
  if (std::fflush(stdout) != 0) std::_Exit(1);
}

void start(Fetch& fetch, int epoll) {
  char host[16];
  int port = 80;
  sockaddr_in address{AF_INET, 0, {}, {}};
  if (std::sscanf(fetch.url, "http://%15[^:/]:%d", host, &port) < 1 ||
      std::strchr(fetch.url, ' ') ||
      !inet_aton(std::strcmp(host, "localhost") ? host : "127.0.0.1", &address.sin_addr))
    return finish(fetch, "not an http URL with a numeric host");
  address.sin_port = htons(static_cast<in_port_t>(port));
  fetch.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fetch.fd < 0 || (connect(fetch.fd, reinterpret_cast<sockaddr*>(&address), sizeof address) &&
                       errno != EINPROGRESS))
    return finish(fetch, std::strerror(errno));
  epoll_event event{EPOLLIN | EPOLLOUT | EPOLLET, {&fetch}};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fetch.fd, &event)) finish(fetch, std::strerror(errno));
}

void send_request(Fetch& fetch) {
  const std::string rest = fetch.url + 7 /* http:// */, host = rest.substr(0, rest.find('/'));
  const std::string request =
      "GET " + (rest == host ? "/" : rest.substr(host.size())) + " HTTP/1.1\r\nHost: " + host +
      "\r\nUser-Agent: sync-desert/epoll\r\nAccept: */*\r\nConnection: close\r\n\r\n";
  fetch.state = Fetch::reading_head;
  const auto sent = send(fetch.fd, request.data(), request.size(), MSG_NOSIGNAL);
  if (sent != ssize_t(request.size()))
    finish(fetch, sent < 0 ? std::strerror(errno) : "the request is too long");
}

// Reads until the answer is whole, or there is nothing more for now: epoll tells of news only once.
void receive(Fetch& fetch) {
  static char buffer[16 * 1024];
  for (;;) {
    auto size = recv(fetch.fd, buffer, sizeof buffer, 0);
    if (size < 0) return errno == EAGAIN ? void() : finish(fetch, std::strerror(errno));
    const bool was_to_close = fetch.state == Fetch::reading_body && fetch.left < 0;
    if (size == 0) return finish(fetch, was_to_close ? nullptr : "closed within the answer");
    if (fetch.state == Fetch::reading_head) {
      fetch.head.append(buffer, std::size_t(size));
      if (fetch.head.size() > 128 * 1024) return finish(fetch, "the header is too long");
      const auto end = fetch.head.find("\r\n\r\n");
      if (end == fetch.head.npos) continue;
      if (fetch.head.find(" 200") != 8) return finish(fetch, "the status is not 200");
      size = static_cast<ssize_t>(fetch.head.size() - end - 4);
      fetch.head.resize(end);
      const char* const length = strcasestr(fetch.head.c_str(), "\r\nContent-Length:");
      if (length) fetch.left = std::atoll(length + std::strlen("\r\nContent-Length:"));
      std::string().swap(fetch.head);
      fetch.state = Fetch::reading_body;
    }
    if (fetch.left >= 0 && (fetch.left -= size) <= 0) return finish(fetch);
  }
}

int main(int argc, char* argv[]) {
  using namespace std::chrono;
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  const auto deadline = steady_clock::now() + 10s;
  std::vector<Fetch> fetches(argv + 1, argv + argc);
  running = fetches.size();
  for (auto& fetch : fetches) start(fetch, epoll);
  for (auto left = 10'000ms; running > 0 && left > 0ms;
       left = ceil<milliseconds>(deadline - steady_clock::now())) {
    epoll_event events[128];
    const int count = epoll_wait(epoll, events, 128, static_cast<int>(left.count()));
    for (int i = 0; i < count; ++i) {
      auto& fetch = *static_cast<Fetch*>(events[i].data.ptr);
      if (fetch.state == Fetch::connecting) send_request(fetch);
      if (fetch.fd >= 0 && events[i].events != EPOLLOUT) receive(fetch);
    }
  }
  for (auto& fetch : fetches)
    if (fetch.fd >= 0) finish(fetch, "timed out after 10 s");
  return exit_status;
}
