// CRASH: read of freed memory at line

#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agent.hpp"
#include "reactor.hpp"

int alive = 0;  // sessions

class Session {
 public:
  explicit Session(std::string url) : url_(std::move(url)) { ++alive; }
  ~Session() { --alive; }
  Session(const Session&) = delete;

  // Returns at once. Fires when the verdict is printed.
  Deferred<void> start(const Agent& agent) {
    return agent.get(url_)
        .add_callback([this](const Response& response) { print(response.status == 200); })
        .add_errback([this](const std::exception&) { print(false); });
  }

 private:
  void print(bool ok) const { std::printf("%s %s\n", url_.c_str(), ok ? "OK" : "Bad"); }

  std::string url_;
};

int main(int argc, char* argv[]) {
  const int status = react([&](Reactor& reactor) {
    std::vector<std::shared_ptr<Session>> kept;  // until this function returns
    std::vector<Deferred<void>> sessions;
    for (int i = 1; i < argc; ++i) {
      kept.push_back(std::make_shared<Session>(argv[i]));
      sessions.push_back(kept.back()->start(Agent(reactor)));
    }
    return gather(sessions).add_callback([](const auto&) { return 0; });
  });
  std::printf("%d still alive\n", alive);
  return status;
}
