// FAIL: it burned CPU time while it waited

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <cstdio>
#include <exception>
#include <string>

#include "http_get.hpp"

namespace asio = boost::asio;

int under_way = 0;

awaitable<bool> is_ok(std::string url) try {
  co_return (co_await http_get(url)).status == 200;
} catch (const std::exception&) {
  co_return false;
}

awaitable<void> fetch(std::string url) {
  while (under_way == 3) co_await asio::post(co_await asio::this_coro::executor, asio::deferred);
  ++under_way;
  const bool ok = co_await is_ok(url);
  --under_way;
  std::printf("%s %s\n", url.c_str(), ok ? "OK" : "Bad");
}

int main(int argc, char* argv[]) {
  asio::io_context loop(1);
  for (int i = 1; i < argc; ++i) co_spawn(loop, fetch(argv[i]), asio::detached);
  loop.run();
}
