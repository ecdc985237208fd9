// FAIL: the winner was known, and the others were waited for all the same
// 03.6 A deadline ends the others in the end, and would end a slow winner as well.

#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "agent.hpp"
#include "reactor.hpp"

struct Race {
  std::vector<Deferred<Response>> requests;
  bool won = false;
};

void print(const std::string& url, const char* verdict) {
  std::printf("%s %s\n", url.c_str(), verdict);
}

// Fires when the verdict is printed.
Deferred<void> fetch(const Agent& agent, const std::string& url,
                     const std::shared_ptr<Race>& race) {
  const Deferred<Response> request =
      agent.get(url, std::chrono::steady_clock::now() + std::chrono::seconds(1));
  race->requests.push_back(request);
  return request
      .add_callback([race, url](const Response& response) {
        if (response.status != 200 || race->won) return print(url, race->won ? "cancelled" : "Bad");
        race->won = true;  // before the others are cancelled: their errbacks run at once
        print(url, "wins");
      })
      .add_errback(
          [race, url](const std::exception&) { print(url, race->won ? "cancelled" : "Bad"); });
}

int main(int argc, char* argv[]) {
  return react([&](Reactor& reactor) {
    const Agent agent(reactor);
    const auto race = std::make_shared<Race>();
    std::vector<Deferred<void>> fetches;
    for (int i = 1; i < argc; ++i) fetches.push_back(fetch(agent, argv[i], race));
    return gather(fetches);
  });
}
