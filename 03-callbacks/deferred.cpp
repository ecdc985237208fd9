// The chain behind a Deferred. It passes on results whose types only the callbacks know.

#include "deferred.hpp"

#include <cstdio>
#include <list>
#include <utility>

std::string describe(const std::exception_ptr& error) try {
  std::rethrow_exception(error);
} catch (const std::exception& exception) {
  return exception.what();
} catch (...) {
  return "an exception that is not a std::exception";
}

void report_unhandled_error(std::exception_ptr error) {
  std::fprintf(stderr, "Unhandled error in Deferred: %s\n", describe(error).c_str());
}

namespace detail {

// Ownership runs only down the chain (state, step, next state); pointers up the chain are weak. So
// whoever can fire a chain keeps it alive, and the chain itself has no cycle. (A callback that
// holds a Deferred above itself makes one, until it has run.)
struct State {
  AnyResult result;
  std::unique_ptr<Step> next;
  std::weak_ptr<State> upstream;  // what must fire before this one can
  std::function<void()> canceller;
  bool fired = false, chained = false, linked = false, cancelled = false;
  bool unwanted = false;  // it was cancelled, so its error is not reported

  void settle(AnyResult with) {
    result = std::move(with);
    fired = true;
    canceller = nullptr;
  }

  // This destroys the links of a long chain one after the other. Otherwise each destructor would
  // call the next one, and 100,000 of them would overflow the stack.
  ~State() {
    if (result.failure && !unwanted) on_unhandled_error(result.failure);
    for (auto step = std::move(next); step;) {
      const auto target = std::move(step->target);
      step = target.use_count() == 1 ? std::move(target->next) : nullptr;
    }
  }
};

namespace {

// #region pause
// The chain pauses: the steps behind the target move behind `inner`. Nothing stays in between, so
// an endless loop, in which each try returns the next one, does not grow.
void pause(const StatePtr& target, const StatePtr& inner) {
  for (auto state = inner; state; state = state->upstream.lock())
    if (state == target) throw std::logic_error("a callback returned what waits for it");
  inner->next = target->next ? std::move(target->next) : std::make_unique<Step>(target);
  inner->chained = true;
  target->upstream = inner->next->target->upstream = inner;
}
// #endregion pause

// Runs the callback, and returns the state to go on with.
StatePtr advance(Step& step, AnyResult& result) try {
  const StatePtr inner = step.run(result);
  if (inner && inner->chained) throw std::logic_error("a Deferred takes one callback");
  if (inner && !inner->fired) return pause(step.target, inner), inner;
  if (inner) inner->chained = true;  // its result is taken, also for those who keep a copy
  step.target->settle(std::move(inner ? inner->result : result));
  return step.target;
} catch (...) {
  step.target->settle(Result<void>(std::current_exception()));
  return step.target;
}

// #region run
// Runs the chain from `state` as far as there are results. It is a loop, so a long chain needs no
// more stack. A callback that adds to a fired Deferred makes a nested call; beyond 100 levels such
// calls wait, so a loop of retries that fail at once needs no more stack either.
void run(StatePtr state) {
  static thread_local int depth = 0;
  static thread_local std::list<StatePtr>* postponed = nullptr;
  if (depth == 100) return postponed->push_back(std::move(state));
  std::list<StatePtr> outermost;
  const auto before = std::exchange(postponed, depth == 0 ? &outermost : postponed);
  for (++depth;;) {
    while (state->fired && state->next) {
      const auto step = std::move(state->next);
      state = advance(*step, state->result);
    }
    if (postponed->empty()) break;
    state = std::move(postponed->front());
    postponed->pop_front();
  }
  --depth;
  postponed = before;
}
// #endregion run

}  // namespace

StatePtr make_state(std::function<void()> canceller) {
  auto state = std::make_shared<State>();
  state->canceller = std::move(canceller);
  return state;
}

void fire(const StatePtr& state, AnyResult result) {
  if (std::exchange(state->cancelled, false)) return;
  if (state->fired || state->linked) throw std::logic_error("a Deferred fires once");
  state->settle(std::move(result));
  run(state);
}

void link(const StatePtr& state, std::unique_ptr<Step> step) {
  if (state->chained) throw std::logic_error("a Deferred takes one callback");
  state->chained = step->target->linked = true;
  step->target->upstream = state;
  state->next = std::move(step);
  run(state);
}

void cancel(StatePtr state) {
  state->unwanted = true;
  while (!state->fired) {
    if (auto upstream = state->upstream.lock()) {
      state = std::move(upstream);
      continue;
    }
    if (const auto canceller = std::exchange(state->canceller, nullptr)) canceller();
    if (state->fired) return;
    state->cancelled = true;
    state->settle(Result<void>(std::make_exception_ptr(Cancelled())));
    return run(state);
  }
}

}  // namespace detail
