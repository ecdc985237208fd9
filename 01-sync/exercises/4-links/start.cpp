// 01.4 A link checker. TODO: it asks for one page only.

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include "get.hpp"

Clock::duration seconds(const char* text) {
  return std::chrono::duration_cast<Clock::duration>(
      std::chrono::duration<double>(std::atof(text)));
}

std::atomic<bool> stop = false;  // TODO: Ctrl-C

void answer(const std::string& url, bool ok) {
  std::printf("%s %s\n", url.c_str(), ok ? "OK" : "Bad");
  std::fflush(stdout);  // the next line may come much later
}

// links START EACH ALL: the first page, the seconds for each request, and the seconds for all.
int main(int argc, char* argv[]) {
  if (argc != 4) return 2;
  const auto each = seconds(argv[2]);
  [[maybe_unused]] const auto end = Clock::now() + seconds(argv[3]);
  Page page;
  try {
    page = get(argv[1], Clock::now() + each, stop);
  } catch (const std::exception&) {  // no answer means Bad
  }
  answer(argv[1], page.status == 200);
  // TODO: the pages that it links to, and so on
  std::printf("done: 1 pages, %d broken\n", page.status == 200 ? 0 : 1);
}
