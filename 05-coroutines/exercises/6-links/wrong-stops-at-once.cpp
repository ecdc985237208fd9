// FAIL: after Ctrl-C the last line should be `interrupted: 4 pages, 1 broken`

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <exception>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "get.hpp"
#include "loop.hpp"

namespace asio = boost::asio;
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
Loop loop;

// Throws after `each`.
awaitable<Page> get_in_time(std::string url) {
  asio::steady_timer timer(loop, each);
  auto [order, error, page, expired] =
      co_await asio::experimental::make_parallel_group(co_spawn(loop, get(url), asio::deferred),
                                                       timer.async_wait(asio::deferred))
          .async_wait(asio::experimental::wait_for_one(), asio::deferred);
  if (order[0] == 1) throw std::runtime_error("timed out");
  if (error) std::rethrow_exception(error);
  co_return page;
}

// Asks up to three times while the server is busy.
awaitable<Page> get_patiently(std::string url) {
  for (auto pause = 100ms;; pause *= 2) {
    const Page page = co_await get_in_time(url);
    if (page.status != 503 || pause == 400ms) co_return page;
    asio::steady_timer timer(loop, pause);
    co_await timer.async_wait(asio::deferred);
  }
}

void ask();

awaitable<void> check(std::string url) {
  Page page;
  try {
    page = co_await get_patiently(url);
  } catch (const std::exception&) {  // no answer means Bad
  }
  queue.give_back(url);
  site.answer(url, page.status == 200);
  for (const auto& link : page.links)
    if (site.add(link, url)) queue.add(link);
  ask();
  if (queue.is_empty()) loop.stop();
}

void ask() {
  while (const auto url = queue.take()) co_spawn(loop, check(*url), asio::detached);
}

int main(int argc, char* argv[]) {
  if (argc != 4) return 2;
  each = seconds(argv[2]);
  std::string end = "done";
  asio::signal_set signals(loop, SIGINT);
  signals.async_wait([](auto, int) { std::_Exit(1); });
  asio::steady_timer timer(loop, seconds(argv[3]));
  timer.async_wait([&end](auto) { end = "out of time", loop.stop(); });
  site.add(argv[1], "");
  queue.add(argv[1]);
  ask();
  loop.run();
  return site.report(end);
}
