// 05.3 The first answer wins. TODO: and the others?

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <exception>
#include <string>

#include "http_get.hpp"

namespace asio = boost::asio;

struct Race {
  bool won = false;
};

awaitable<void> fetch(std::string url, Race& race) try {
  const Response response = co_await http_get(url);
  const bool wins = response.status == 200 && !race.won;
  std::printf("%s %s\n", url.c_str(), wins ? "wins" : "Bad");
  if (!wins) co_return;
  race.won = true;
  // TODO: cancel the others
} catch (const std::exception&) {
  std::printf("%s %s\n", url.c_str(), race.won ? "cancelled" : "Bad");
}

int main(int argc, char* argv[]) {
  asio::io_context loop(1);
  Race race;  // outlives them all: run() returns after they end
  for (int i = 1; i < argc; ++i) co_spawn(loop, fetch(argv[i], race), asio::detached);
  loop.run();
}
