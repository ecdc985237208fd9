// 04.7 A link checker with green threads: `get_patiently` and `check` are those of 01. Each answer
// starts the next pages. Between two waits no other green thread runs, so there is no lock.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <exception>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "get.hpp"
#include "green/green.hpp"

using namespace std::chrono_literals;

// #region site
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
// #endregion site

// #region queue
// The pages that are still to be asked for, and how many are in flight.
class Queue {
 public:
  void add(const std::string& url) { waiting_.push_back(url); }

  // Takes the first page that may be asked for now: at most 8 in flight, and 2 per host. Or none.
  std::optional<std::string> take() {
    if (in_flight_ == 8) return {};
    const auto next = std::find_if(waiting_.begin(), waiting_.end(),
                                   [this](const auto& url) { return of_host_[host_of(url)] < 2; });
    if (next == waiting_.end()) return {};
    std::string url = *next;
    waiting_.erase(next);
    ++in_flight_;
    ++of_host_[host_of(url)];
    return url;
  }

  void give_back(const std::string& url) {
    --in_flight_;
    --of_host_[host_of(url)];
  }

  bool is_empty() const { return waiting_.empty() && in_flight_ == 0; }

 private:
  std::deque<std::string> waiting_;
  int in_flight_ = 0;
  std::map<std::string, int> of_host_;
};
// #endregion queue

Clock::duration seconds(const char* text) {
  return std::chrono::duration_cast<Clock::duration>(
      std::chrono::duration<double>(std::atof(text)));
}

// #region model
Site site;
Queue queue;
Clock::duration each;

std::atomic<bool> stop = false;
void interrupt(int) { stop = true; }

// Asks up to three times while the server is busy.
Page get_patiently(const std::string& url) {
  for (auto pause = 100ms;; pause *= 2) {
    const Page page = get(url, Clock::now() + each, stop);
    if (page.status != 503 || pause == 400ms) return page;
    std::this_thread::sleep_for(pause);
  }
}

void ask();

void check(const std::string& url) {
  Page page;
  try {
    page = get_patiently(url);
  } catch (const std::exception&) {  // no answer means Bad
  }
  queue.give_back(url);
  if (stop) return;
  site.answer(url, page.status == 200);
  for (const auto& link : page.links)
    if (site.add(link, url)) queue.add(link);
  ask();
}

void ask() {
  while (const auto url = queue.take()) green::spawn(check, *url);
}

int main(int argc, char* argv[]) {
  if (argc != 4) return 2;
  green::patch_all();
  each = seconds(argv[2]);
  std::signal(SIGINT, interrupt);
  site.add(argv[1], "");
  queue.add(argv[1]);
  ask();
  const bool in_time = green::join_all(seconds(argv[3]));
  const char* const end = stop ? "interrupted" : in_time ? "done" : "out of time";
  stop = true;
  green::join_all();
  return site.report(end);
}
// #endregion model
