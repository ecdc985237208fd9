// FAIL: nothing waits for what `rest` returns
// 03.4 It asks for a rest, and goes on without it.

#include <chrono>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "agent.hpp"
#include "reactor.hpp"

using namespace std::chrono_literals;

int beats = 0;

// The loop's heart: it beats every 20 ms, unless something blocks the loop.
void beat(Reactor& reactor) {
  reactor.call_later(20ms).add_callback([&reactor] {
    ++beats;
    beat(reactor);
  });
}

// Fires after that time, and prints it for you and the judge.
Deferred<void> rest(Reactor& reactor, std::chrono::milliseconds time) {
  std::printf("rest of %d ms\n", static_cast<int>(time.count()));
  return reactor.call_later(time);
}

// Asks up to `tries` times while the server is busy (503), with a pause in between that doubles.
Deferred<Response> get(Reactor& reactor, const std::string& url, int tries = 3,
                       std::chrono::milliseconds pause = 100ms) {
  return Agent(reactor).get(url).add_callback(
      [=, &reactor](const Response& response) -> Deferred<Response> {
        if (response.status != 503 || tries == 1) return succeed(response);
        rest(reactor, pause);
        return get(reactor, url, tries - 1, 2 * pause);
      });
}

Deferred<void> fetch(Reactor& reactor, const std::string& url) {
  return get(reactor, url)
      .add_callback([url](const Response& response) {
        std::printf("%s %s\n", url.c_str(), response.status == 200 ? "OK" : "Bad");
      })
      .add_errback([url](const std::exception&) { std::printf("%s Bad\n", url.c_str()); });
}

int main(int argc, char* argv[]) {
  return react([&](Reactor& reactor) {
    beat(reactor);
    std::vector<Deferred<void>> fetches;
    for (int i = 1; i < argc; ++i) fetches.push_back(fetch(reactor, argv[i]));
    return gather(fetches).add_callback([](const auto&) {
      std::printf("%d beats\n", beats);
      return 0;
    });
  });
}
