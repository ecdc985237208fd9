// FAIL: the fourth mirror was OK, and 5 were asked

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <exception>
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
awaitable<void> visit(std::vector<std::string> mirrors) {
  bool found = false;
  for (const auto& url : mirrors) {
    const bool ok = co_await is_ok(url);
    std::printf("%s %s\n", url.c_str(), ok ? "OK" : "Bad");
    found = found || ok;
  }
  if (!found) std::puts("no mirror is OK");
}

int main(int argc, char* argv[]) {
  asio::io_context loop(1);
  co_spawn(loop, visit({argv + 1, argv + argc}), asio::detached);
  loop.run();
}
