// 03.5 At most three at a time. TODO: all of them ask at once.

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "agent.hpp"
#include "reactor.hpp"

Deferred<void> fetch(const Agent& agent, const std::string& url) {
  return agent.get(url)
      .add_callback([url](const Response& response) {
        std::printf("%s %s\n", url.c_str(), response.status == 200 ? "OK" : "Bad");
      })
      .add_errback([url](const std::exception&) { std::printf("%s Bad\n", url.c_str()); });
}

int main(int argc, char* argv[]) {
  return react([&](Reactor& reactor) {
    const Agent agent(reactor);
    std::vector<Deferred<void>> fetches;
    for (int i = 1; i < argc; ++i) fetches.push_back(fetch(agent, argv[i]));
    return gather(fetches);
  });
}
