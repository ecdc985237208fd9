// FAIL: 6 requests in flight at once, where 3 are allowed

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <exception>
#include <string>

#include "http_get.hpp"

namespace asio = boost::asio;
using boost::system::error_code;

// Each entry of the channel stands for a fetch under way. A fetch that wants to begin waits until
// there is room for its entry.
using Places = asio::experimental::channel<Executor, void(error_code)>;

awaitable<bool> is_ok(std::string url) try {
  co_return (co_await http_get(url)).status == 200;
} catch (const std::exception&) {
  co_return false;
}

awaitable<void> fetch(std::string url, Places& places) {
  co_await places.async_send(error_code(), asio::deferred);
  const bool ok = co_await is_ok(url);
  places.try_receive([](error_code) {});
  std::printf("%s %s\n", url.c_str(), ok ? "OK" : "Bad");
  places.try_receive([](error_code) {});
}

int main(int argc, char* argv[]) {
  asio::io_context loop(1);
  Places places(loop.get_executor(), 3);
  for (int i = 1; i < argc; ++i) co_spawn(loop, fetch(argv[i], places), asio::detached);
  loop.run();
}
