// 03.6 The first answer wins. TODO: now every answer wins, and the program waits for the slow ones.

#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "agent.hpp"
#include "reactor.hpp"

struct Race {
  bool won = false;  // TODO: and what else?
};

void print(const std::string& url, const char* verdict) {
  std::printf("%s %s\n", url.c_str(), verdict);
}

// Fires when the verdict is printed.
Deferred<void> fetch(const Agent& agent, const std::string& url,
                     const std::shared_ptr<Race>& race) {
  return agent.get(url)
      .add_callback([race, url](const Response& response) {
        print(url,
              response.status == 200 ? "wins" : "Bad");  // TODO: one wins; the others are cancelled
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
