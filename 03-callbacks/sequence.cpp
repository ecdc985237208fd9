// Two requests, the second only if the first is OK: with plain callbacks, and then with Deferreds.

#include <cstdio>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>

#include "agent.hpp"
#include "deferred.hpp"
#include "reactor.hpp"

// #region get
// The interface of a library without Deferreds: it calls one of the two functions later.
void get(const RedirectAgent& agent, const std::string& url,
         std::function<void(const Response&)> callback,
         std::function<void(const std::exception&)> errback) {
  agent.get(url).add_callbacks(callback, errback);
}
// #endregion get

std::string status(const Response& response) {
  return "HTTP status " + std::to_string(response.status);
}

// #region callbacks
// Calls `done` with "both OK", or with what went wrong.
void with_callbacks(const RedirectAgent& agent, const std::string& first, const std::string& second,
                    std::function<void(const std::string&)> done) {
  get(
      agent, first,
      [=](const Response& response) {
        if (response.status != 200) return done(status(response));
        get(
            agent, second,
            [=](const Response& its_response) {
              if (its_response.status != 200) return done(status(its_response));
              done("both OK");
            },
            [=](const std::exception& error) { done(error.what()); });
      },
      [=](const std::exception& error) { done(error.what()); });
}
// #endregion callbacks

// #region deferreds
void demand_200(const Response& response) {
  if (response.status != 200) throw std::runtime_error(status(response));
}

// Fires with "both OK", or with what went wrong.
Deferred<std::string> with_deferreds(const RedirectAgent& agent, const std::string& first,
                                     const std::string& second) {
  return agent.get(first)
      .add_callback(demand_200)
      .add_callback([=] { return agent.get(second); })
      .add_callback(demand_200)
      .add_callback([] { return std::string("both OK"); })
      .add_errback([](const std::exception& error) { return std::string(error.what()); });
}
// #endregion deferreds

int main(int argc, char* argv[]) {
  if (argc != 3) return std::fprintf(stderr, "usage: %s URL URL\n", argv[0]), 2;
  return react([&](Reactor& reactor) {
    const RedirectAgent agent{Agent(reactor)};
    const Deferred<std::string> said;  // the bridge from callbacks to Deferreds
    with_callbacks(agent, argv[1], argv[2], [said](const std::string& it) { said.callback(it); });
    return said
        .add_callback([=](const std::string& it) {
          std::printf("callbacks: %s\n", it.c_str());
          return with_deferreds(agent, argv[1], argv[2]);
        })
        .add_callback([](const std::string& it) { std::printf("Deferreds: %s\n", it.c_str()); });
  });
}
