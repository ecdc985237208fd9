// The chapter's fetch on several cores: a thread for each, and a loop of its own for each thread. A
// coroutine stays with its loop, so the coroutines of one loop need no locks among themselves. What
// all loops share needs one again.

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "cli.hpp"
#include "http_get.hpp"
#include "loop.hpp"

std::mutex printing;  // print() changes exit_status, which is not atomic

awaitable<Verdict> is_ok(std::string url) {
  const Response response = co_await http_get(url);
  co_return Verdict{response.status == 200, "HTTP status " + std::to_string(response.status)};
}

awaitable<void> fetch(std::string url) try {
  const Verdict verdict = co_await is_ok(url);
  const std::lock_guard lock(printing);  // never across a co_await
  print(url, verdict);
} catch (const std::exception& error) {
  const std::lock_guard lock(printing);
  print(url, error);
}

// #region cores
// Fetches every `cores`-th URL from the `first` on, with a loop of this thread.
void fetch_some(const std::vector<std::string>& urls, std::size_t first, std::size_t cores) {
  Loop loop;
  for (std::size_t i = first; i < urls.size(); i += cores) try {
      co_spawn(loop, fetch(urls[i]), boost::asio::detached);
    } catch (const std::exception& error) {  // no memory for its frame
      const std::lock_guard lock(printing);
      print(urls[i], error);
    }
  loop.run();
}

void fetch_all(const std::vector<std::string>& urls, std::size_t cores) {
  std::vector<std::jthread> threads;
  for (std::size_t i = 1; i < cores; ++i) try {
      threads.emplace_back(fetch_some, std::cref(urls), i, cores);
    } catch (const std::system_error&) {  // no thread to be had: this one does its part
      fetch_some(urls, i, cores);
    }
  fetch_some(urls, 0, cores);
}
// #endregion cores

int main(int argc, char* argv[]) {
  char* end = nullptr;
  const long cores = argc > 2 ? std::strtol(argv[1], &end, 10) : 0;
  if (cores < 1 || cores > 1000 || *end) {
    std::fprintf(stderr, "usage: %s CORES URL...\n", argv[0]);
    return 2;
  }
  fetch_all(arguments(argc - 1, argv + 1), static_cast<std::size_t>(cores));
  return exit_status;
}
