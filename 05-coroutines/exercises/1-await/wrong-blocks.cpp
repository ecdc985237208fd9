// HANG: 1 thread waits for something that never comes

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <cstdio>
#include <exception>
#include <future>
#include <string>
#include <vector>

#include "http_get.hpp"

namespace asio = boost::asio;

awaitable<bool> is_ok(std::string url) try {
  co_return (co_await http_get(url)).status == 200;
} catch (const std::exception&) {
  co_return false;
}

// Asks one mirror after the other, until one is OK.
awaitable<void> visit(asio::io_context& loop, std::vector<std::string> mirrors) {
  for (const auto& url : mirrors) {
    std::future<bool> answer = co_spawn(loop, is_ok(url), asio::use_future);
    const bool ok = answer.get();  // blocks the only thread
    std::printf("%s %s\n", url.c_str(), ok ? "OK" : "Bad");
    if (ok) co_return;
  }
  std::puts("no mirror is OK");
}

int main(int argc, char* argv[]) {
  asio::io_context loop(1);
  co_spawn(loop, visit(loop, {argv + 1, argv + argc}), asio::detached);
  loop.run();
}
