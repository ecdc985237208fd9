// 02.7 A link checker with eight threads, which look for a page that may be asked for now. One lock
// protects what they share. A thread that finds nothing to do waits for a change.

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "get.hpp"

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
std::mutex mutex;  // of these two
Site site;
Queue queue;
std::condition_variable changed;  // the queue, or `stop`
std::atomic<bool> stop = false;

// Asks up to three times while the server is busy.
Page get_patiently(const std::string& url, Clock::duration each) {
  for (auto pause = 100ms;; pause *= 2) {
    const Page page = get(url, Clock::now() + each, stop);
    if (page.status != 503 || pause == 400ms) return page;
    std::this_thread::sleep_for(pause);
  }
}

void check(const std::string& url, Clock::duration each) {
  Page page;
  try {
    page = get_patiently(url, each);
  } catch (const std::exception&) {  // no answer means Bad
  }
  const std::lock_guard lock(mutex);
  queue.give_back(url);
  if (!stop) {
    site.answer(url, page.status == 200);
    for (const auto& link : page.links)
      if (site.add(link, url)) queue.add(link);
  }
  if (queue.is_empty()) kill(getpid(), SIGUSR1);  // tells main
  changed.notify_all();
}

void work(Clock::duration each) {
  for (;;) {
    std::optional<std::string> url;
    {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return stop || queue.is_empty() || (url = queue.take()); });
    }
    if (!url) return;
    check(*url, each);
  }
}

// Returns the first of the signals, or -1 at `end`. Ctrl-Z, and then fg, interrupts sigtimedwait.
int wait_for(const sigset_t& signals, Clock::time_point end) {
  for (;;) {
    const std::chrono::nanoseconds left = std::max(end - Clock::now(), Clock::duration());
    const timespec time{static_cast<time_t>(left.count() / 1'000'000'000),
                        static_cast<long>(left.count() % 1'000'000'000)};
    const int first = sigtimedwait(&signals, nullptr, &time);
    if (first != -1 || errno != EINTR) return first;
  }
}

int main(int argc, char* argv[]) {
  if (argc != 4) return 2;
  sigset_t signals;  // Ctrl-C, and `done`: they wait until main asks for them
  sigemptyset(&signals);
  for (const int number : {SIGINT, SIGUSR1}) sigaddset(&signals, number);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  site.add(argv[1], "");
  queue.add(argv[1]);
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) threads.emplace_back(work, seconds(argv[2]));

  const int first = wait_for(signals, Clock::now() + seconds(argv[3]));
  {
    const std::lock_guard lock(mutex);
    stop = true;
  }
  changed.notify_all();
  threads.clear();  // joins them
  return site.report(first == SIGINT ? "interrupted" : first == SIGUSR1 ? "done" : "out of time");
}
// #endregion model
