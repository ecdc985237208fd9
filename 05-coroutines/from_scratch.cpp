// No library: a loop on epoll, a task, and a fetch that suspends where it would block. `co_await`
// needs no more than this. For http URLs with a numeric address, and without redirects.

#include <arpa/inet.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <coroutine>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "cli.hpp"

using Clock = std::chrono::steady_clock;

[[noreturn]] void fail(int error) { throw std::runtime_error(std::strerror(error)); }

// #region loop
// Knows which coroutine waits for which file descriptor, and until when.
class Loop {
 public:
  // The awaiter of `co_await loop.ready(...)`. It is in the frame of the coroutine that waits.
  struct Ready {
    Loop& loop;
    int fd;
    unsigned events;
    Clock::time_point deadline;
    std::coroutine_handle<> waiter = nullptr;
    std::multimap<Clock::time_point, Ready*>::iterator place = {};
    bool late = false;

    // #region ready
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> handle) {
      waiter = handle;
      epoll_event event{events | EPOLLONESHOT, {.ptr = this}};
      if (epoll_ctl(loop.epoll_, EPOLL_CTL_MOD, fd, &event) != 0 &&
          epoll_ctl(loop.epoll_, EPOLL_CTL_ADD, fd, &event) != 0)
        fail(errno);  // resumes the coroutine with this exception
      place = loop.waiting_.emplace(deadline, this);
    }
    void await_resume() const {
      if (late) throw std::runtime_error("timed out after 10 s");
    }
    // #endregion ready
  };

  Loop() {
    if (epoll_ < 0) fail(errno);
  }
  ~Loop() { close(epoll_); }
  Loop(const Loop&) = delete;

  Ready ready(int fd, unsigned events, Clock::time_point deadline) {
    return {*this, fd, events, deadline};
  }

  // Resumes coroutines until none waits. `events` may refer to several of them, so a coroutine that
  // is resumed must not destroy another one. Here that happens only when main ends.
  void run() {
    while (!waiting_.empty()) {
      const auto left = waiting_.begin()->first - Clock::now();
      const auto ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
      epoll_event events[64];
      const int count = epoll_wait(epoll_, events, 64, static_cast<int>(std::max(ms, 0L)));
      for (int i = 0; i < count; ++i) resume(static_cast<Ready*>(events[i].data.ptr), false);
      while (!waiting_.empty() && waiting_.begin()->first <= Clock::now())
        resume(waiting_.begin()->second, true);
    }
  }

 private:
  void resume(Ready* ready, bool late) {
    waiting_.erase(ready->place);
    ready->late = late;
    ready->waiter.resume();  // `ready` is gone after this
  }

  const int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  std::multimap<Clock::time_point, Ready*> waiting_;
};
// #endregion loop

// #region task
// A coroutine that another one awaits. It starts when it is awaited, and resumes the other at its
// end.
template <typename T>
class Task {
 public:
  struct promise_type {
    std::optional<T> value;
    std::exception_ptr error;
    std::coroutine_handle<> waiter = std::noop_coroutine();

    Task get_return_object() { return Task(Handle::from_promise(*this)); }
    std::suspend_always initial_suspend() noexcept { return {}; }
    auto final_suspend() noexcept {
      struct ResumeWaiter {
        bool await_ready() noexcept { return false; }
        std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> ended) noexcept {
          return ended.promise().waiter;
        }
        void await_resume() noexcept {}
      };
      return ResumeWaiter();
    }
    void return_value(T result) { value = std::move(result); }
    void unhandled_exception() { error = std::current_exception(); }
  };

  Task(Task&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (frame_) frame_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiter) {
    frame_.promise().waiter = waiter;
    return frame_;
  }
  T await_resume() {
    if (frame_.promise().error) std::rethrow_exception(frame_.promise().error);
    return std::move(*frame_.promise().value);
  }

  void start() { frame_.resume(); }  // for one that nobody awaits

 private:
  using Handle = std::coroutine_handle<promise_type>;
  explicit Task(Handle frame) : frame_(frame) {}
  Handle frame_;
};
// #endregion task

struct Socket {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  Socket() {
    if (fd < 0) fail(errno);
  }
  ~Socket() { close(fd); }
  Socket(const Socket&) = delete;
};

// Takes http://127.0.0.1:8080/path apart.
std::pair<sockaddr_in, std::string> parse(const std::string& url) {
  const std::invalid_argument malformed("not http://, a numeric address, a path");
  for (const unsigned char c : url)
    if (c <= ' ' || c >= 0x7f) throw malformed;
  const std::string scheme = "http://";
  if (!url.starts_with(scheme)) throw malformed;
  const auto slash = std::min(url.find('/', scheme.size()), url.size());
  const auto colon = std::min(url.find(':', scheme.size()), slash);
  const std::string host = url.substr(scheme.size(), colon - scheme.size());
  std::uint16_t port = 80;
  if (colon < slash) {
    const auto [end, error] = std::from_chars(&url[colon + 1], &url[slash], port);
    if (error != std::errc() || end != &url[slash]) throw malformed;
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) throw malformed;
  return {address, slash < url.size() ? url.substr(slash) : "/"};
}

// #region receive
// The next piece of what the server sends; empty at the end.
Task<std::string> receive(Loop* loop, int fd, Clock::time_point deadline) {
  std::string piece(4096, '\0');
  ssize_t count = -1;
  while (count < 0) {
    co_await loop->ready(fd, EPOLLIN, deadline);
    count = recv(fd, piece.data(), piece.size(), 0);
    if (count < 0 && errno != EAGAIN) fail(errno);
  }
  piece.resize(static_cast<std::size_t>(count));
  co_return piece;
}
// #endregion receive

// Returns the length of the body that the head announces, or SIZE_MAX: up to the server's close.
// Throws if the head says anything else, such as chunks, which no answer to HTTP/1.0 may have.
std::size_t body_length(std::string_view head) {
  const auto is = [](std::string_view name, std::string_view wanted) {
    return name.size() == wanted.size() &&
           strncasecmp(name.data(), wanted.data(), name.size()) == 0;
  };
  std::size_t length = SIZE_MAX;
  for (auto end = head.find("\r\n"); end != head.npos; end = head.find("\r\n")) {
    head.remove_prefix(end + 2);
    const auto field = head.substr(0, head.find("\r\n"));
    const auto name = field.substr(0, field.find(':'));
    if (is(name, "Transfer-Encoding")) throw std::runtime_error("chunks in an answer to HTTP/1.0");
    if (!is(name, "Content-Length")) continue;
    auto value = field.substr(std::min(name.size() + 1, field.size()));
    value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
    value = value.substr(0, value.find_last_not_of(" \t") + 1);
    std::size_t number = 0;
    const auto [rest, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    const bool differs = length != SIZE_MAX && length != number;
    if (error != std::errc() || rest != value.data() + value.size() || number == SIZE_MAX ||
        differs)
      throw std::runtime_error("a malformed Content-Length");
    length = number;
  }
  return length;
}

// #region is_ok
Task<Verdict> is_ok(Loop* loop, std::string url) {
  const auto deadline = Clock::now() + std::chrono::seconds(10);
  const auto [address, path] = parse(url);

  const Socket server;
  const int fd = server.fd;
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
      errno != EINPROGRESS)
    fail(errno);
  co_await loop->ready(fd, EPOLLOUT, deadline);
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) fail(error);

  const auto request = "GET " + path + " HTTP/1.0\r\nUser-Agent: " USER_AGENT "\r\n\r\n";
  for (std::size_t sent = 0; sent < request.size();) {
    co_await loop->ready(fd, EPOLLOUT, deadline);
    const ssize_t count = send(fd, &request[sent], request.size() - sent, MSG_NOSIGNAL);
    if (count < 0 && errno != EAGAIN) fail(errno);
    if (count > 0) sent += static_cast<std::size_t>(count);
  }

  std::string head;
  std::size_t end = head.npos;
  while ((end = head.find("\r\n\r\n")) == head.npos) {
    const std::string piece = co_await receive(loop, fd, deadline);
    if (piece.empty() || head.size() > 64 * 1024) co_return Verdict{false, "no HTTP answer"};
    head += piece;
  }
  auto body = head.size() - (end + 4);
  head.resize(end);
  const auto length = body_length(head);
  while (body < length) {
    const std::string piece = co_await receive(loop, fd, deadline);
    if (piece.empty() && length < SIZE_MAX)
      co_return Verdict{false, "the server closed within its answer"};
    if (piece.empty()) break;
    body += piece.size();
  }
  int status = 0;  // of a line such as `HTTP/1.1 200 OK`
  if (head.starts_with("HTTP/1.") && head.find(' ') == 8 && head.find_first_of(" \r", 9) == 12)
    std::from_chars(&head[9], &head[12], status);
  co_return Verdict{status == 200, "HTTP status " + std::to_string(status)};
}
// #endregion is_ok

// #region main
Task<bool> fetch(Loop* loop, std::string url) {
  Verdict verdict{false, ""};
  try {
    verdict = co_await is_ok(loop, url);
  } catch (const std::exception& error) {
    verdict.reason = error.what();
  }
  print(url, verdict);
  co_return verdict.ok;
}

int main(int argc, char* argv[]) {
  const auto urls = arguments(argc, argv);
  Loop loop;
  std::vector<Task<bool>> fetches;
  for (const auto& url : urls) fetches.push_back(fetch(&loop, url));
  for (auto& task : fetches) task.start();
  loop.run();
  return exit_status;
}
// #endregion main
