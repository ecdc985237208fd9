// FAIL: 2 s later it still waits for a page that is never answered

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <exception>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "get.hpp"

using namespace std::chrono_literals;

// What is known about the site.
class Site {
 public:
  // Records that `page` has this link. Returns whether to ask for it: only once, and not if it
  // leads to another site.
  bool add(const std::string& link, const std::string& page) {
    if (!page.empty() && host_of(link).rfind("127.", 0) != 0) return false;
    const auto [entry, is_new] = pages_with_.try_emplace(link);
    if (!page.empty()) entry->second.insert(page);
    return is_new;
  }

  void answer(const std::string& url, bool ok) {
    std::printf("%s %s\n", url.c_str(), ok ? "OK" : "Bad");
    std::fflush(stdout);
    ++answers_;
    if (!ok) broken_.push_back(url);
  }

  // Prints what is known at the end. Returns the exit status.
  int report(const std::string& end) const {
    for (const auto& url : broken_)
      for (const auto& page : pages_with_.at(url))
        std::printf("%s broken on %s\n", url.c_str(), page.c_str());
    std::printf("%s: %zu pages, %zu broken\n", end.c_str(), answers_, broken_.size());
    return end == "done" && broken_.empty() ? 0 : 1;
  }

 private:
  std::map<std::string, std::set<std::string>> pages_with_;  // by link
  std::size_t answers_ = 0;
  std::vector<std::string> broken_;
};

Clock::duration seconds(const char* text) {
  return std::chrono::duration_cast<Clock::duration>(
      std::chrono::duration<double>(std::atof(text)));
}

Site site;
std::deque<std::string> urls;
Clock::duration each;
Clock::time_point end;

std::atomic<bool> stop = false;
void interrupt(int) { stop = true; }

bool is_over() { return stop || Clock::now() >= end; }

// Asks up to three times while the server is busy.
Page get_patiently(const std::string& url) {
  for (auto pause = 100ms;; pause *= 2) {
    const Page page = get(url, Clock::now() + each, stop);
    if (page.status != 503 || pause == 400ms) return page;
    std::this_thread::sleep_for(pause);
  }
}

void check(const std::string& url) {
  Page page;
  try {
    page = get_patiently(url);
  } catch (const std::exception&) {  // no answer means Bad
  }
  if (is_over()) return;
  site.answer(url, page.status == 200);
  for (const auto& link : page.links)
    if (site.add(link, url)) urls.push_back(link);
}

int main(int argc, char* argv[]) {
  if (argc != 4) return 2;
  each = seconds(argv[2]);
  end = Clock::now() + seconds(argv[3]);
  std::signal(SIGINT, interrupt);
  site.add(argv[1], "");
  for (urls = {argv[1]}; !urls.empty(); urls.pop_front()) {
    check(urls.front());
    if (is_over()) break;
  }
  return site.report(stop ? "interrupted" : urls.empty() ? "done" : "out of time");
}
