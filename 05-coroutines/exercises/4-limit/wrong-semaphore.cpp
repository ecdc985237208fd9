// HANG: 1 thread waits for something that never comes

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <exception>
#include <semaphore>
#include <string>

#include "http_get.hpp"

namespace asio = boost::asio;
std::counting_semaphore places(3);

awaitable<bool> is_ok(std::string url) try {
  co_return (co_await http_get(url)).status == 200;
} catch (const std::exception&) {
  co_return false;
}

awaitable<void> fetch(std::string url) {
  places.acquire();
  const bool ok = co_await is_ok(url);
  places.release();
  std::printf("%s %s\n", url.c_str(), ok ? "OK" : "Bad");
}

int main(int argc, char* argv[]) {
  asio::io_context loop(1);
  for (int i = 1; i < argc; ++i) co_spawn(loop, fetch(argv[i]), asio::detached);
  loop.run();
}
