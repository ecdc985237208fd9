// 03.5 At most three at a time: a place is a Deferred, which fires when it is yours.

#include <cstdio>
#include <deque>
#include <exception>
#include <string>
#include <vector>

#include "agent.hpp"
#include "reactor.hpp"

// After Twisted's DeferredSemaphore.
class Places {
 public:
  explicit Places(int count) : free_(count) {}

  Deferred<void> take() {
    if (free_ == 0) return waiting_.emplace_back();
    --free_;
    return succeed();
  }

  // Whoever waits longest has it now; no place is free in between.
  void give_back() {
    if (waiting_.empty()) return void(++free_);
    const Deferred<void> next = waiting_.front();
    waiting_.pop_front();
    next.callback();
  }

 private:
  int free_;
  std::deque<Deferred<void>> waiting_;
};

Places places(3);

Deferred<void> fetch(const Agent& agent, const std::string& url) {
  return places.take()
      .add_callback([agent, url] { return agent.get(url); })
      .add_callback([url](const Response& response) {
        std::printf("%s %s\n", url.c_str(), response.status == 200 ? "OK" : "Bad");
      })
      .add_errback([url](const std::exception&) { std::printf("%s Bad\n", url.c_str()); })
      .add_both([](Result<void>) { places.give_back(); });
}

int main(int argc, char* argv[]) {
  return react([&](Reactor& reactor) {
    const Agent agent(reactor);
    std::vector<Deferred<void>> fetches;
    for (int i = 1; i < argc; ++i) fetches.push_back(fetch(agent, argv[i]));
    return gather(fetches);
  });
}
