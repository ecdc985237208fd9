// FAIL: with no URL, what `collect` returned never fired

#include <cstdio>
#include <memory>
#include <utility>
#include <vector>

#include "agent.hpp"
#include "reactor.hpp"

using Results = std::vector<Result<Response>>;

// Fires when all of `entries` have fired, with their results in the same order, each a response or
// an error. (The chapter's gather() does this; write your own.)
Deferred<Results> collect(const std::vector<Deferred<Response>>& entries) {
  struct Collection {
    Results results;
    std::size_t missing;
  };
  const auto collection =
      std::make_shared<Collection>(Collection{Results(entries.size()), entries.size()});
  const Deferred<Results> all;
  for (std::size_t i = 0; i < entries.size(); ++i)
    entries[i].add_both([collection, all, i](Result<Response> result) {
      collection->results[i] = std::move(result);
      if (--collection->missing == 0) all.callback(std::move(collection->results));
    });
  return all;
}

int main(int argc, char* argv[]) {
  return react([&](Reactor& reactor) {
    std::vector<Deferred<Response>> answers;
    for (int i = 1; i < argc; ++i) answers.push_back(Agent(reactor).get(argv[i]));
    return collect(answers).add_callback([&](Results results) {
      for (std::size_t i = 0; i < results.size(); ++i) {
        const bool ok = results[i].ok() && results[i].get().status == 200;
        std::printf("%s %s\n", argv[i + 1], ok ? "OK" : "Bad");
      }
      std::printf("%zu answers\n", results.size());
      return 0;
    });
  });
}
