// 05.6 A link checker with coroutines. TODO: it asks for one page only.

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include "get.hpp"
#include "loop.hpp"

using Clock = std::chrono::steady_clock;

Clock::duration seconds(const char* text) {
  return std::chrono::duration_cast<Clock::duration>(
      std::chrono::duration<double>(std::atof(text)));
}

void answer(const std::string& url, bool ok) {
  std::printf("%s %s\n", url.c_str(), ok ? "OK" : "Bad");
  std::fflush(stdout);  // the next line may come much later
}

awaitable<void> check(std::string url) {
  Page page;
  try {
    page = co_await get(url);
  } catch (const std::exception&) {  // no answer means Bad
  }
  answer(url, page.status == 200);
  // TODO: the pages that it links to, and so on
}

// links START EACH ALL: the first page, the seconds for each request, and the seconds for all.
int main(int argc, char* argv[]) {
  if (argc != 4) return 2;
  // TODO: the deadlines, argv[2] and argv[3], and Ctrl-C
  [[maybe_unused]] const auto each = seconds(argv[2]);
  Loop loop;
  co_spawn(loop, check(argv[1]), boost::asio::detached);
  loop.run();
  std::printf("done: 1 pages, 0 broken\n");
}
