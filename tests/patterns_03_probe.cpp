// 03's patterns, where things go wrong.

#pragma GCC diagnostic ignored "-Wreturn-type"  // main needs no return, others do
#define main of_the_patterns
#include "../03-callbacks/patterns.cpp"
#undef main

namespace {

Deferred<std::string> busy() { return fail<std::string>(std::make_exception_ptr(Busy("busy"))); }

Deferred<void> all_fail(Reactor& reactor) {
  const auto later = [&](Time time) {
    return ask(reactor, time, "").add_callback([](const std::string&) { return busy(); });
  };
  return first({later(10ms), busy(), later(20ms)})
      .add_errback([](const std::exception& error) { return std::string(error.what()); })
      .add_callback([](const std::string& how) { say("all fail", how); });
}

Deferred<void> cancelled_race(Reactor& reactor) {
  const auto race = first({ask(reactor, 1h, ""), ask(reactor, 1h, "")});
  const auto end =
      race.add_both([](Result<std::string> result) { say("a race", describe(result.error())); });
  race.cancel();
  return end;
}

Deferred<void> cancelled_try(Reactor& reactor) {
  const auto tries = std::make_shared<int>(0);
  const auto request = retry(reactor, [&reactor, tries] {
    ++*tries;
    return ask(reactor, 1h, "late");
  });
  const auto end = request.add_both([tries](Result<std::string> result) {
    say("cancelled in a try", std::to_string(*tries) + ", " + describe(result.error()));
  });
  request.cancel();
  return end;
}

// The fourth job is cancelled while it waits for a place. The last one throws.
Deferred<void> cancelled_in_the_queue(Reactor& reactor) {
  struct State {
    Limit limit{2};
    int now = 0, most = 0, started = 0;
  };
  const auto state = std::make_shared<State>();
  std::vector<Deferred<void>> jobs;
  for (int i = 0; i < 6; ++i) {
    jobs.push_back(state->limit.run([state, &reactor, i] {
      ++state->started;
      if (i == 5) throw std::runtime_error("a job that throws");
      state->most = std::max(state->most, ++state->now);
      return ask(reactor, 20ms, "").add_callback([state](const std::string&) { --state->now; });
    }));
  }
  jobs[3].cancel();
  return gather(jobs)
      .add_callback([state](const auto&) { return state->limit.run([] { return succeed(); }); })
      .add_callback([state] {
        say("cancelled in the queue", std::to_string(state->started) + " of 6 started, " +
                                          std::to_string(state->most) + " at once");
      });
}

// What waits for a request is freed, although the loop has gone before the request ended.
template <typename Begin>
void left_behind(const char* what, Begin begin) {
  std::weak_ptr<int> held;
  {
    Reactor reactor;
    const auto holder = std::make_shared<int>();
    held = holder;
    begin(reactor).add_callback([holder](const std::string&) {});
  }
  say(what, held.expired() ? "freed" : "leaked");
}

}  // namespace

int main() {
  left_behind("within",
              [](Reactor& reactor) { return within(reactor, 1h, ask(reactor, 1h, "late")); });
  left_behind("first", [](Reactor& reactor) {
    return first({ask(reactor, 1h, "late"), ask(reactor, 1h, "late")});
  });
  return react([](Reactor& reactor) {
    return all_fail(reactor)
        .add_callback([&] { return cancelled_race(reactor); })
        .add_callback([&] { return cancelled_try(reactor); })
        .add_callback([&] { return cancelled_in_the_queue(reactor); });
  });
}
