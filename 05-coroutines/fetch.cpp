// Fetches all URLs at once: chapter 01 with `co_await`. A fetch that waits is a suspended coroutine
// and blocks no thread. One thread runs all of them, so what they share needs no lock.

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <exception>
#include <string>

#include "cli.hpp"
#include "http_get.hpp"
#include "loop.hpp"

awaitable<Verdict> is_ok(std::string url) {  // by value: the frame keeps a copy
  const Response response = co_await http_get(url);
  co_return Verdict{response.status == 200, "HTTP status " + std::to_string(response.status)};
}

awaitable<void> fetch(std::string url) try {
  print(url, co_await is_ok(url));
} catch (const std::exception& error) {  // an error costs only this URL
  print(url, error);
}

int main(int argc, char* argv[]) {
  const auto urls = arguments(argc, argv);
  Loop loop;
  for (const auto& url : urls) try {
      co_spawn(loop, fetch(url), boost::asio::detached);
    } catch (const std::exception& error) {  // no memory for its frame
      print(url, error);
    }
  loop.run();
  return exit_status;
}
