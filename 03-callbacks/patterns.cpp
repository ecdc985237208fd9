// Six problems of every network program, solved with Deferreds. A timer replaces the network.
// ../05-coroutines/patterns.md shows them beside the other models.

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <functional>
#include <map>
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
// The alarm cancels the request, or the request's end cancels the alarm. The request owns the
// alarm, and the alarm's handler, which the loop owns, holds the request. So there is no cycle.
template <typename T>
Deferred<T> within(Reactor& reactor, Time limit, const Deferred<T>& request) {
  const auto expired = std::make_shared<bool>(false);
  const auto alarm = std::make_shared<boost::asio::steady_timer>(reactor.loop(), limit);
  alarm->async_wait([=](const boost::system::error_code& error) {
    if (error) return;  // it was in time
    *expired = true;
    request.cancel();
  });
  return request.add_both([=](Result<T> result) {
    alarm->cancel();
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
// Runs at most so many jobs at a time. When one ends, the next one starts. It must outlive them. A
// job that is cancelled while it waits leaves the queue, and has no place to give back.
class Limit {
 public:
  explicit Limit(int places) : places_(places) {}

  Deferred<void> run(std::function<Deferred<void>()> job) {
    const int ticket = ++last_ticket_;
    const Deferred<void> turn([this, ticket] { waiting_.erase(ticket); });
    waiting_.emplace(ticket, turn);
    next();
    return turn.add_callback([this, job] {
      return succeed().add_callback(job).add_both([this](Result<void> result) {
        ++places_;
        next();
        return result;
      });
    });
  }

 private:
  void next() {
    if (places_ == 0 || waiting_.empty()) return;
    --places_;
    waiting_.extract(waiting_.begin()).mapped().callback();
  }

  int places_, last_ticket_ = 0;
  std::map<int, Deferred<void>> waiting_;  // by ticket: the first has waited longest
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
struct Busy : std::runtime_error {
  using std::runtime_error::runtime_error;
};

using Attempt = std::function<Deferred<std::string>()>;

// Only a server that is busy is asked again. Any other error ends it, and so does cancel().
Deferred<std::string> retry(Reactor& reactor, Attempt attempt, Time pause = 10ms) {
  return attempt().add_errback<Busy>([=, &reactor](const Busy& busy) {
    if (pause > 1s) throw busy;
    return reactor.call_later(pause).add_callback(
        [=, &reactor] { return retry(reactor, attempt, 2 * pause); });
  });
}
// #endregion retry

// #region first
// Fires with the first answer, or with the last error if all of them fail. There must be some.
Deferred<std::string> first(const std::vector<Deferred<std::string>>& racers) {
  const Deferred<std::string> winner;
  const auto left = std::make_shared<std::size_t>(racers.size());  // that can still decide it
  std::vector<Deferred<void>> ends;
  for (const auto& racer : racers)
    ends.push_back(racer.add_both([=](Result<std::string> result) {
      if (*left == 0) return;  // it lost
      *left = result.ok() ? 0 : *left - 1;
      if (*left == 0) winner.fire(std::move(result));
    }));
  const auto all = gather(ends);  // can cancel them, but does not own them
  return winner.add_both([all](Result<std::string> result) {
    all.cancel();
    return result;
  });
}
// #endregion first

// #region interrupt
Deferred<void> until_interrupted(Reactor& reactor, Time time) {
  const auto request = ask(reactor, time, "answered");
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

int main(int argc, char* argv[]) {
  const Time time = argc > 2 ? Time(std::stoi(argv[2])) : 1h;
  if (argc > 1) return react([time](Reactor& reactor) { return until_interrupted(reactor, time); });
  return react([](Reactor& reactor) {
    const auto tries = std::make_shared<int>(0);
    const Attempt flaky = [tries] {
      if (++*tries < 3) return fail<std::string>(std::make_exception_ptr(Busy("busy")));
      return succeed("answered at try " + std::to_string(*tries));
    };
    return deadline(reactor)
        .add_callback([&] { return cancel(reactor); })
        .add_callback([&] { return limit(reactor); })
        .add_callback([&, flaky] { return retry(reactor, flaky); })
        .add_callback([](const std::string& how) { say("retry", how); })
        .add_callback([&] {
          return first({ask(reactor, 1h, "slow"), ask(reactor, 10ms, "fast")});
        })
        .add_callback([](const std::string& how) { say("first answer", how); });
  });
}
