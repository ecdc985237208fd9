// cpp-httplib's blocking server, which uses a thread pool. It runs on one OS thread here, because
// this pool spawns green threads. Ask it for /delay/1 a thousand times at once.

#include <httplib.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include "green/green.hpp"

// #region queue
// Runs cpp-httplib's connections.
class GreenThreads : public httplib::TaskQueue {
 public:
  // Returns true: it took the connection. Older versions of cpp-httplib did not ask.
  using Taken = decltype(std::declval<httplib::TaskQueue&>().enqueue({}));
  Taken enqueue(std::function<void()> connection) override {
    try {
      connections_.spawn(connection);  // when the pool is full, the accept loop waits
    } catch (const std::exception&) {  // no memory for a stack: run it in the accept loop
      connection();
    }
    return Taken(true);
  }
  void shutdown() override { connections_.join(); }

 private:
  green::Pool connections_{10'000};
};
// #endregion queue

// #region delay
// A handler like any other: it does not know of green threads, and sleeps.
void delay(const httplib::Request& request, httplib::Response& response) {
  std::this_thread::sleep_for(std::chrono::duration<double>(std::stod(request.matches[1])));
  response.set_content("slept for " + request.matches[1].str() + " s\n", "text/plain");
}
// #endregion delay

// #region serve
// Serves on 127.0.0.1 until a signal can be read from `signals`. Port 0 means any free port.
bool serve(int port, int signals) {
  httplib::Server server;
  server.Get(R"(/delay/(\d{1,2}(?:\.\d{1,3})?))", delay);
  server.new_task_queue = [] { return new GreenThreads; };
  // It checks 90 times a second whether an idle connection has a next request. So each has only
  // one.
  server.set_keep_alive_max_count(1);
  int listener = -1;
  server.set_socket_options([&](int fd) {
    listener = fd;
    const int yes = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  });
  const bool bound = port ? server.bind_to_port("127.0.0.1", port)
                          : (port = server.bind_to_any_port("127.0.0.1")) > 0;
  if (!bound) return false;
  listen(listener, 4096);  // cpp-httplib asked for a queue of 5
  std::printf("listening on http://127.0.0.1:%d\n", port);
  std::fflush(stdout);

  green::spawn([&server, signals] {
    signalfd_siginfo signal;
    if (read(signals, &signal, sizeof signal) > 0) server.stop();
  });
  return server.listen_after_bind();
}
// #endregion serve

// #region main
// The port number in `text`, which must be a number and nothing else.
std::optional<std::uint16_t> to_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

int main(int argc, char* argv[]) {
  const auto port = argc > 1 ? to_port(argv[1]) : 8081;
  if (argc > 2 || !port) {
    std::fprintf(stderr, "usage: %s [PORT]\n", argv[0]);
    return 2;
  }
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGINT);
  sigaddset(&stop, SIGTERM);
  sigprocmask(SIG_BLOCK, &stop, nullptr);

  green::patch_all();
  green::stack_size = 8 << 20;  // as for an OS thread: cpp-httplib's regular expressions need it
  bool served = false;
  green::join(green::spawn([&] { served = serve(*port, signalfd(-1, &stop, SFD_CLOEXEC)); }));
  if (!served) std::fprintf(stderr, "%s: cannot serve on port %d\n", argv[0], int(*port));
  return served ? 0 : 1;
}
// #endregion main
