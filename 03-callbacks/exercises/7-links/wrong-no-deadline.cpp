// FAIL: is never answered, and was still waited for

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "get.hpp"

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

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

Clock::duration seconds(const char* text) {
  return std::chrono::duration_cast<Clock::duration>(
      std::chrono::duration<double>(std::atof(text)));
}

Site site;
Queue queue;
Clock::duration each;
Deferred<int> finished;

void finish(const std::string& end) { finished.callback(site.report(end)); }

// Fails after `each`.
Deferred<Page> get_in_time(Reactor& reactor, const std::string& url) {
  const auto page = get(reactor, url);
  const auto timer = reactor.call_later(each);
  timer.add_callback([page] { page.cancel(); });
  return page.add_both([timer](Result<Page> result) {
    timer.cancel();
    return result;
  });
}

// Asks up to three times while the server is busy.
Deferred<Page> get_patiently(Reactor& reactor, const std::string& url,
                             std::chrono::milliseconds pause = 100ms) {
  return get(reactor, url).add_callback([=, &reactor](Page page) -> Deferred<Page> {
    if (page.status != 503 || pause == 400ms) return succeed(std::move(page));
    return reactor.call_later(pause).add_callback(
        [=, &reactor] { return get_patiently(reactor, url, 2 * pause); });
  });
}

void ask(Reactor& reactor);

void check(Reactor& reactor, const std::string& url) {
  get_patiently(reactor, url).add_both([&reactor, url](Result<Page> result) {
    const Page page = result.ok() ? result.get() : Page();  // no answer is Bad
    queue.give_back(url);
    site.answer(url, page.status == 200);
    for (const auto& link : page.links)
      if (site.add(link, url)) queue.add(link);
    ask(reactor);
    if (queue.is_empty()) finish("done");
  });
}

void ask(Reactor& reactor) {
  while (const auto url = queue.take()) check(reactor, *url);
}

int main(int argc, char* argv[]) {
  if (argc != 4) return 2;
  each = seconds(argv[2]);
  site.add(argv[1], "");
  queue.add(argv[1]);
  return react([&](Reactor& reactor) {
    interrupted(reactor).add_callback([] { finish("interrupted"); });
    reactor.call_later(seconds(argv[3])).add_callback([] { finish("out of time"); });
    ask(reactor);
    return finished;
  });
}
