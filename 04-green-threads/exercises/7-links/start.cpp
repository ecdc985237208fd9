// 04.7 A link checker with green threads. TODO: it asks for one page only.

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include "get.hpp"
#include "green/green.hpp"

Clock::duration seconds(const char* text) {
  return std::chrono::duration_cast<Clock::duration>(
      std::chrono::duration<double>(std::atof(text)));
}

std::atomic<bool> stop = false;  // TODO: Ctrl-C, and the deadline for all

void answer(const std::string& url, bool ok) {
  std::printf("%s %s\n", url.c_str(), ok ? "OK" : "Bad");
  std::fflush(stdout);  // the next line may come much later
}

void check(const std::string& url, Clock::duration each) {
  Page page;
  try {
    page = get(url, Clock::now() + each, stop);
  } catch (const std::exception&) {  // no answer means Bad
  }
  answer(url, page.status == 200);
  // TODO: the pages that it links to, and so on
}

// links START EACH ALL: the first page, the seconds for each request, and the seconds for all.
int main(int argc, char* argv[]) {
  if (argc != 4) return 2;
  green::patch_all();
  green::spawn(check, std::string(argv[1]), seconds(argv[2]));
  green::join_all();
  std::printf("done: 1 pages, 0 broken\n");
}
