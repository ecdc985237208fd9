// Fetches the URLs all at once: 01 with `co_await`. A fetch that waits is a coroutine suspended,
// not a thread blocked; one thread runs them all, so nothing that they share needs a lock.

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <exception>
#include <string>

#include "cli.hpp"
#include "http_get.hpp"
#include "loop.hpp"

awaitable<Verdict> is_ok(std::string url) {
  const Response response = co_await http_get(url);
  co_return Verdict{response.status == 200, "HTTP status " + std::to_string(response.status)};
}

awaitable<void> fetch(std::string url) try {
  print(url, co_await is_ok(url));
} catch (const std::exception& error) {  // it costs this URL, not the others
  print(url, error);
}

int main(int argc, char* argv[]) {
  const auto urls = arguments(argc, argv);
  Loop loop;
  for (const auto& url : urls) co_spawn(loop, fetch(url), boost::asio::detached);
  loop.run();
  return exit_status;
}
