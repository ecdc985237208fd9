// FAIL: where one does all the work
// 05.4 A thread and a loop for each URL, so that it is no matter if a semaphore blocks one of them.

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <exception>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

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

void run(std::string url) {
  asio::io_context loop(1);
  co_spawn(loop, fetch(url), asio::detached);
  loop.run();
}

int main(int argc, char* argv[]) {
  std::vector<std::jthread> threads;
  for (int i = 1; i < argc; ++i) threads.emplace_back(run, argv[i]);
}
