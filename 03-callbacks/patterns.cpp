// Six problems of every network program, solved with Deferreds. A timer replaces the network.
// ../05-coroutines/patterns.md shows them beside the other models.

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "deferred.hpp"
#include "reactor.hpp"

using namespace std::chrono_literals;
using Time = std::chrono::milliseconds;

// #region ask
// Fires with `answer` after `time`.
Deferred<std::string> ask(Reactor& reactor, Time time, std::string answer) {
  return reactor.call_later(time).add_callback([answer] { return answer; });
}
// #endregion ask

void say(const char* what, const std::string& how) { std::printf("%s: %s\n", what, how.c_str()); }

// #region deadline
// The alarm cancels the request, or the request's end cancels the alarm.
template <typename T>
Deferred<T> within(Reactor& reactor, Time limit, const Deferred<T>& request) {
  const auto expired = std::make_shared<bool>(false);
  const auto alarm = reactor.call_later(limit);
  alarm
      .add_callback([=] {
        *expired = true;
        request.cancel();
      })
      .add_errback([](std::exception_ptr) {});  // it was in time
  return request.add_both([=](Result<T> result) {
    alarm.cancel();
    if (*expired) throw std::runtime_error("timed out");
    return result;
  });
}

Deferred<void> deadline(Reactor& reactor) {
  return within(reactor, 50ms, ask(reactor, 1h, "late"))
      .add_errback([](const std::exception& error) { return std::string(error.what()); })
      .add_callback([](const std::string& how) { say("deadline", how); });
}
// #endregion deadline

// #region cancel
Deferred<void> cancel(Reactor& reactor) {
  const auto request = ask(reactor, 1h, "late");
  const auto said =
      request
          .add_errback<Cancelled>([](const Cancelled& error) { return std::string(error.what()); })
          .add_callback([](const std::string& how) { say("cancel", how); });
  request.cancel();
  return said;
}
// #endregion cancel

// #region limit
// Starts at most so many jobs at a time, and another one whenever one has ended.
class Limit {
 public:
  explicit Limit(int places) : places_(places) {}

  Deferred<void> run(std::function<Deferred<void>()> job) {
    const Deferred<void> place;
    waiting_.push_back(place);
    next();
    return place.add_callback(job).add_both([this](Result<void> result) {
      ++places_;
      next();
      return result;
    });
  }

 private:
  void next() {
    if (places_ == 0 || waiting_.empty()) return;
    --places_;
    const auto place = waiting_.front();
    waiting_.pop_front();
    place.callback();
  }

  int places_;
  std::deque<Deferred<void>> waiting_;
};

Deferred<void> limit(Reactor& reactor) {
  struct State {
    Limit limit{2};
    int now = 0, most = 0;
  };
  const auto state = std::make_shared<State>();
  std::vector<Deferred<void>> jobs;
  for (int i = 0; i < 6; ++i)
    jobs.push_back(state->limit.run([state, &reactor] {
      state->most = std::max(state->most, ++state->now);
      return ask(reactor, 20ms, "").add_callback([state](const std::string&) { --state->now; });
    }));
  return gather(jobs).add_callback(
      [state](const auto&) { say("at most 2 of 6", std::to_string(state->most) + " at once"); });
}
// #endregion limit

// #region retry
using Attempt = std::function<Deferred<std::string>()>;

Deferred<std::string> retry(Reactor& reactor, Attempt attempt, Time pause = 10ms) {
  return attempt().add_errback([=, &reactor](std::exception_ptr error) {
    if (pause > 1s) std::rethrow_exception(error);
    return reactor.call_later(pause).add_callback(
        [=, &reactor] { return retry(reactor, attempt, 2 * pause); });
  });
}
// #endregion retry

// #region first
Deferred<void> first(Reactor& reactor) {
  const std::vector racers{ask(reactor, 1h, "slow"), ask(reactor, 10ms, "fast")};
  const Deferred<std::string> winner;
  const auto won = std::make_shared<bool>(false);
  for (const auto& racer : racers)
    racer
        .add_callback([=](const std::string& answer) {
          if (std::exchange(*won, true)) return;
          for (const auto& other : racers)
            other.cancel();  // no effect on the winner, which has fired
          winner.callback(answer);
        })
        .add_errback([](std::exception_ptr) {});  // it lost
  return winner.add_callback([](const std::string& answer) { say("first answer", answer); });
}
// #endregion first

// #region interrupt
Deferred<void> until_interrupted(Reactor& reactor) {
  const auto request = ask(reactor, 1h, "late");
  const auto interrupt = std::make_shared<boost::asio::signal_set>(reactor.loop(), SIGINT);
  interrupt->async_wait([=](const boost::system::error_code& error, int) {
    if (!error) request.cancel();
  });
  std::puts("press Ctrl-C");
  std::fflush(stdout);
  return request
      .add_both([interrupt](Result<std::string> result) {
        interrupt->cancel();
        say("the request", result.ok() ? result.value() : describe(result.error()));
      })
      .add_callback([] { say("shutdown", "clean"); });
}
// #endregion interrupt

int main(int argc, char*[]) {
  if (argc > 1) return react(until_interrupted);
  return react([](Reactor& reactor) {
    const auto tries = std::make_shared<int>(0);
    const Attempt flaky = [tries] {
      if (++*tries < 3)
        return fail<std::string>(std::make_exception_ptr(std::runtime_error("busy")));
      return succeed("answered at try " + std::to_string(*tries));
    };
    return deadline(reactor)
        .add_callback([&] { return cancel(reactor); })
        .add_callback([&] { return limit(reactor); })
        .add_callback([&, flaky] { return retry(reactor, flaky); })
        .add_callback([](const std::string& how) { say("retry", how); })
        .add_callback([&] { return first(reactor); });
  });
}
