// 05.1 From callbacks to co_await. TODO: this supports two mirrors; make it support any number.

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <exception>
#include <functional>
#include <string>
#include <vector>

#include "http_get.hpp"

namespace asio = boost::asio;

// As in chapter 03: calls back with whether `url` is OK.
void is_ok(asio::io_context& loop, std::string url, std::function<void(bool)> callback) {
  co_spawn(loop, http_get(url), [callback](std::exception_ptr error, Response response) {
    callback(!error && response.status == 200);
  });
}

// Asks one mirror after the other, until one is OK. TODO: with co_await this is a loop.
void visit(asio::io_context& loop, std::vector<std::string> mirrors) {
  is_ok(loop, mirrors[0], [&loop, mirrors](bool ok) {
    std::printf("%s %s\n", mirrors[0].c_str(), ok ? "OK" : "Bad");
    if (ok) return;
    is_ok(loop, mirrors[1], [mirrors](bool second_ok) {
      std::printf("%s %s\n", mirrors[1].c_str(), second_ok ? "OK" : "Bad");
      if (!second_ok) std::puts("no mirror is OK");
    });
  });
}

int main(int argc, char* argv[]) {
  asio::io_context loop(1);
  visit(loop, {argv + 1, argv + argc});
  loop.run();
}
