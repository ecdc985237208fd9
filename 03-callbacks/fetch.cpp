// Fetches all URLs at once on one thread: an event loop calls a callback when an answer arrives.
// is_ok and fetch return before there is a result. They return a Deferred, which promises the
// result, and the code that used to follow the call is now in a callback.

#include <exception>
#include <string>
#include <vector>

#include "agent.hpp"
#include "cli.hpp"
#include "deferred.hpp"
#include "reactor.hpp"

Deferred<Verdict> is_ok(const RedirectAgent& agent, const std::string& url) {
  return agent.get(url).add_callback([](const Response& response) {
    return Verdict{response.status == 200, "HTTP status " + std::to_string(response.status)};
  });
}

Deferred<void> fetch(const RedirectAgent& agent, const std::string& url) {
  return is_ok(agent, url)
      .add_callback([url](const Verdict& verdict) { print(url, verdict); })
      .add_errback([url](const std::exception& error) { print(url, error); });
}

int main(int argc, char* argv[]) {
  const auto urls = arguments(argc, argv);
  react([&](Reactor& reactor) {
    const RedirectAgent agent{Agent(reactor)};  // callbacks copy it
    std::vector<Deferred<void>> fetches;
    for (const auto& url : urls) fetches.push_back(fetch(agent, url));
    return gather(fetches);
  });
  return exit_status;
}
