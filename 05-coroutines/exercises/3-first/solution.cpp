// 05.3 The first answer wins: the first URL that is OK cancels the others, wherever they wait.

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "http_get.hpp"

namespace asio = boost::asio;

struct Race {
  explicit Race(std::size_t size) : signals(size) {}
  std::vector<asio::cancellation_signal> signals;  // one for each that runs
  bool won = false;
};

awaitable<void> fetch(std::string url, Race& race) try {
  const Response response = co_await http_get(url);
  const bool wins = response.status == 200 && !race.won;
  std::printf("%s %s\n", url.c_str(), wins ? "wins" : "Bad");
  if (!wins) co_return;
  race.won = true;
  for (auto& signal : race.signals) signal.emit(asio::cancellation_type::terminal);
} catch (const std::exception&) {
  std::printf("%s %s\n", url.c_str(), race.won ? "cancelled" : "Bad");
}

int main(int argc, char* argv[]) {
  asio::io_context loop(1);
  Race race(static_cast<std::size_t>(argc - 1));  // outlives them all: run() returns after they end
  for (int i = 1; i < argc; ++i) {
    const auto slot = race.signals[static_cast<std::size_t>(i - 1)].slot();
    co_spawn(loop, fetch(argv[i], race), asio::bind_cancellation_slot(slot, asio::detached));
  }
  loop.run();
}
