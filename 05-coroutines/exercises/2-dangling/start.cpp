// 05.2 A dangling reference. TODO: what keeps the URL alive?

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <exception>
#include <string>

#include "http_get.hpp"

namespace asio = boost::asio;

void print(const std::string& url, bool ok) {
  std::printf("%s %s\n", url.c_str(), ok ? "OK" : "Bad");
}

awaitable<void> fetch(const std::string& url) try {
  const Response response = co_await http_get(url);
  print(url, response.status == 200);
} catch (const std::exception&) {
  print(url, false);
}

int main(int argc, char* argv[]) {
  asio::io_context loop(1);
  for (int i = 1; i < argc; ++i) {
    const std::string url = argv[i];
    co_spawn(loop, fetch(url), asio::detached);
  }
  loop.run();
}
