// 03.7 A link checker with callbacks. TODO: it asks for one page only.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "get.hpp"

using Clock = std::chrono::steady_clock;

Clock::duration seconds(const char* text) {
  return std::chrono::duration_cast<Clock::duration>(
      std::chrono::duration<double>(std::atof(text)));
}

void answer(const std::string& url, bool ok) {
  std::printf("%s %s\n", url.c_str(), ok ? "OK" : "Bad");
  std::fflush(stdout);  // the next line may come much later
}

Deferred<void> check(Reactor& reactor, const std::string& url) {
  return get(reactor, url).add_both([url](Result<Page> result) {
    const Page page = result.ok() ? result.get() : Page();  // no answer is Bad
    answer(url, page.status == 200);
    // TODO: the pages that it links to, and so on
  });
}

// links START EACH ALL: the first page, the seconds for each request, and the seconds for all.
int main(int argc, char* argv[]) {
  if (argc != 4) return 2;
  return react([&](Reactor& reactor) {
    // TODO: the deadlines, argv[2] and argv[3], and Ctrl-C
    [[maybe_unused]] const auto each = seconds(argv[2]);
    return check(reactor, argv[1]).add_callback([] {
      std::printf("done: 1 pages, 0 broken\n");
      return 0;
    });
  });
}
