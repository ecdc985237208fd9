// 05.4 At most three at a time. TODO: all of them ask at once.

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <exception>
#include <string>

#include "http_get.hpp"

namespace asio = boost::asio;
awaitable<bool> is_ok(std::string url) try {
  co_return (co_await http_get(url)).status == 200;
} catch (const std::exception&) {
  co_return false;
}

awaitable<void> fetch(std::string url) {
  const bool ok = co_await is_ok(url);
  std::printf("%s %s\n", url.c_str(), ok ? "OK" : "Bad");
}

int main(int argc, char* argv[]) {
  asio::io_context loop(1);
  for (int i = 1; i < argc; ++i) co_spawn(loop, fetch(argv[i]), asio::detached);
  loop.run();
}
