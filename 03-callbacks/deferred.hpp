// Deferred<T>: a result that will be there later, and the chain of callbacks that waits for it.
// After Twisted's twisted.internet.defer, in types: each add_... returns the next link of the
// chain, a Deferred of what that callback returns. For one thread: the reactor's.

#pragma once

#include <cstdio>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

// #region result
// What a Deferred fires with: a value, or an exception of whatever type.
template <typename T>
class Result {
 public:
  using Value = std::conditional_t<std::is_void_v<T>, std::monostate, T>;
  Result() = default;  // not known yet: a null error
  Result(Value value) : held_(std::in_place_index<1>, std::move(value)) {}
  Result(std::exception_ptr error) : held_(std::in_place_index<0>, std::move(error)) {}

  bool ok() const { return held_.index() == 1; }
  std::exception_ptr error() const { return ok() ? nullptr : std::get<0>(held_); }

  // The value, moved out; throws the exception if it holds one.
  T get() {
    if (!ok()) std::rethrow_exception(std::get<0>(held_));
    if constexpr (!std::is_void_v<T>) return std::move(std::get<1>(held_));
  }

 private:
  std::variant<std::exception_ptr, Value> held_;
};
// #endregion result

// What a cancelled Deferred fires with.
struct Cancelled : std::runtime_error {
  Cancelled() : std::runtime_error("cancelled") {}
};

// The error in words for a person.
inline std::string describe(const std::exception_ptr& error) try {
  std::rethrow_exception(error);
} catch (const std::exception& exception) {
  return exception.what();
} catch (...) {
  return "an exception that is no std::exception";
}

// Called with each error that reached the end of its chain and found no errback there.
inline std::function<void(std::exception_ptr)> on_unhandled_error = [](std::exception_ptr error) {
  std::fprintf(stderr, "Unhandled error in Deferred: %s\n", describe(error).c_str());
};

template <typename T>
class Deferred;

namespace detail {

struct State;

// A callback, and the state that its result is for.
struct Step {
  explicit Step(std::shared_ptr<State> state) : target(std::move(state)) {}
  virtual ~Step() = default;
  virtual std::shared_ptr<State> run(State& from) noexcept = 0;  // the state to go on with
  std::shared_ptr<State> target;
};

// What the copies of a Deferred share. Ownership runs down the chain only (state, step, next
// state), the way back up is weak: a chain lives as long as somebody can fire it, and makes no
// cycle.
struct State : std::enable_shared_from_this<State> {
  std::unique_ptr<Step> next;
  std::weak_ptr<State> upstream;  // what must fire before this one can
  std::function<void()> canceller;
  bool fired = false, chained = false, linked = false, cancelled = false;

  virtual void fail(std::exception_ptr error) = 0;

  // The links of a long chain go one after the other here: left to itself, each would destroy the
  // next from within its own destructor, and 100,000 of them overflow the stack.
  virtual ~State() {
    for (auto step = std::move(next); step;) {
      const auto target = std::move(step->target);
      step = target.use_count() == 1 ? std::move(target->next) : nullptr;
    }
  }
};

template <typename T>
struct StateOf : State {
  std::optional<Result<T>> result;

  ~StateOf() override {
    if (result && !result->ok()) on_unhandled_error(result->error());
  }
  void settle(auto with) {
    result.emplace(std::move(with));
    fired = true;
    canceller = nullptr;
  }
  void fail(std::exception_ptr error) override { settle(std::move(error)); }
};

// #region run
// Runs the chain from `state` as far as there are results: in a loop, so its length costs no stack.
// A callback that itself adds to a fired Deferred nests; from 100 deep on that waits until the
// 100th is back, so that a loop of retries that fail at once costs no stack either.
inline void run(std::shared_ptr<State> state) {
  static thread_local std::deque<std::shared_ptr<State>> postponed;
  static thread_local int depth = 0;
  if (depth == 100) return postponed.push_back(std::move(state));
  for (++depth;;) {
    while (state->fired && state->next) {
      const auto step = std::move(state->next);
      state = step->run(*state);
    }
    if (postponed.empty()) break;
    state = std::move(postponed.front());
    postponed.pop_front();
  }
  --depth;
}
// #endregion run

inline void cancel(std::shared_ptr<State> state) {
  while (!state->fired) {
    if (auto upstream = state->upstream.lock()) {
      state = std::move(upstream);
      continue;
    }
    if (const auto canceller = std::exchange(state->canceller, nullptr)) canceller();
    if (state->fired) return;
    state->cancelled = true;
    state->fail(std::make_exception_ptr(Cancelled()));
    return run(state);
  }
}

// What a callback returned: a result, or a Deferred to wait for.
template <typename T>
using Outcome = std::variant<Result<T>, Deferred<T>>;

// The T of a callback that returns T, Result<T> or Deferred<T>.
template <typename R>
struct Unwrap : std::type_identity<R> {};
template <typename T>
struct Unwrap<Deferred<T>> : std::type_identity<T> {};
template <typename T>
struct Unwrap<Result<T>> : std::type_identity<T> {};
template <typename R>
using Returned = typename Unwrap<std::remove_cvref_t<R>>::type;

// Says what `f` returned as a result, or as a Deferred to wait for.
template <typename T, typename F>
Outcome<T> outcome(F f) {
  using R = std::remove_cvref_t<std::invoke_result_t<F&>>;
  if constexpr (std::is_void_v<R>) {
    static_assert(std::is_void_v<T>, "return what the chain shall go on with");
    f();
    return Result<T>(std::monostate());
  } else if constexpr (std::is_same_v<R, Deferred<T>> || std::is_same_v<R, Result<T>>) {
    return f();
  } else {
    static_assert(std::is_convertible_v<R, T>, "return what the chain shall go on with");
    return Result<T>(typename Result<T>::Value(f()));
  }
}

template <typename T, typename F>
decltype(auto) on_value(F& f, Result<T>& result) {
  if constexpr (std::is_void_v<T>)
    return f();
  else
    return f(result.get());
}

template <typename E, typename F>
decltype(auto) on_error(F& f, const std::exception_ptr& error) {
  if constexpr (std::is_invocable_v<F&, const E&>) try {
      std::rethrow_exception(error);
    } catch (const E& exception) {
      return f(exception);
    }
  else
    return f(error);
}

template <typename T>
struct Pass {
  Outcome<T> operator()(Result<T> result) const { return result; }
};

// #region link
template <typename T, typename U, typename F>
struct Link : Step {
  Link(std::shared_ptr<State> to, F callback) : Step(std::move(to)), f(std::move(callback)) {}
  F f;

  std::shared_ptr<State> run(State& from) noexcept override try {
    auto result = std::exchange(static_cast<StateOf<T>&>(from).result, std::nullopt);
    Outcome<U> outcome = f(std::move(*result));
    if (auto* deferred = std::get_if<Deferred<U>>(&outcome)) return pause(deferred->state_);
    static_cast<StateOf<U>&>(*target).settle(std::get<Result<U>>(std::move(outcome)));
    return target;
  } catch (...) {
    target->fail(std::current_exception());
    return target;
  }

  // The chain pauses: what stands behind the target now stands behind `inner`. Nothing stays in
  // between, so a loop that goes on for ever, each try inside the one before, does not grow.
  std::shared_ptr<State> pause(const std::shared_ptr<State>& inner) {
    for (auto state = inner; state; state = state->upstream.lock())
      if (state == target) throw std::logic_error("a callback returned what waits for it");
    if (inner->chained) throw std::logic_error("a Deferred takes one callback");
    if (!target->next) target->next = std::make_unique<Link<U, U, Pass<U>>>(target, Pass<U>());
    inner->next = std::move(target->next);
    inner->chained = true;
    target->upstream = inner->next->target->upstream = inner;
    return inner;
  }
};
// #endregion link

}  // namespace detail

// #region deferred
// Copies share one state, as in Python: keep one to fire, give one away. A Deferred takes one
// callback; the next goes behind the Deferred that add_... returns.
template <typename T>
class Deferred {
 public:
  using Value = typename Result<T>::Value;

  // Not fired yet. cancel() calls the canceller, which ends the work.
  explicit Deferred(std::function<void()> canceller = nullptr) {
    state_->canceller = std::move(canceller);
  }
  Deferred(const Deferred&) = default;  // and no move: none is ever left empty
  Deferred& operator=(const Deferred&) = default;

  // Fires, and runs the callbacks. Throws std::logic_error the second time; after a cancel() the
  // first time does nothing.
  void callback(Value value) const { fire(std::move(value)); }
  void callback() const requires std::is_void_v<T> { fire(Value()); }
  void errback(std::exception_ptr error) const { fire(std::move(error)); }
  void fire(Result<T> result) const {
    if (std::exchange(state_->cancelled, false)) return;
    if (state_->fired || state_->linked) throw std::logic_error("a Deferred fires once");
    state_->settle(std::move(result));
    detail::run(state_);
  }

  // f(value) if there is one; an error goes past it to the next errback.
  template <typename F>
  auto add_callback(F f) const {
    using U = detail::Returned<decltype(detail::on_value(f, std::declval<Result<T>&>()))>;
    return link<U>([f = std::move(f)](Result<T> result) mutable -> detail::Outcome<U> {
      if (!result.ok()) return Result<U>(result.error());
      return detail::outcome<U>([&] { return detail::on_value(f, result); });
    });
  }

  // f(const E&) if there is an error of that type, or f(std::exception_ptr) for any; anything else
  // goes past it. The chain goes on with what f returns.
  template <typename E = std::exception, typename F>
  Deferred add_errback(F f) const {
    return link<T>([f = std::move(f)](Result<T> result) mutable -> detail::Outcome<T> {
      if (result.ok()) return result;
      return detail::outcome<T>([&] { return detail::on_error<E>(f, result.error()); });
    });
  }

  // One of the two: an error of `ok` does not go to `err`.
  template <typename E = std::exception, typename F, typename G>
  auto add_callbacks(F ok, G err) const {
    using U = detail::Returned<decltype(detail::on_value(ok, std::declval<Result<T>&>()))>;
    return link<U>(
        [ok = std::move(ok), err = std::move(err)](Result<T> result) mutable -> detail::Outcome<U> {
          if (result.ok()) return detail::outcome<U>([&] { return detail::on_value(ok, result); });
          return detail::outcome<U>([&] { return detail::on_error<E>(err, result.error()); });
        });
  }

  // f(Result<T>), whatever there is.
  template <typename F>
  auto add_both(F f) const {
    using U = detail::Returned<std::invoke_result_t<F&, Result<T>>>;
    return link<U>([f = std::move(f)](Result<T> result) mutable {
      return detail::outcome<U>([&] { return f(std::move(result)); });
    });
  }

  // Ends what the chain waits for now: it goes on with Cancelled, unless the canceller fired first.
  void cancel() const { detail::cancel(state_); }

 private:
  template <typename, typename, typename>
  friend struct detail::Link;
  template <typename U>
  friend Deferred<std::vector<Result<U>>> gather(const std::vector<Deferred<U>>& entries);

  template <typename U, typename F>
  Deferred<U> link(F f) const {
    if (state_->chained) throw std::logic_error("a Deferred takes one callback");
    const Deferred<U> behind;
    state_->next = std::make_unique<detail::Link<T, U, F>>(behind.state_, std::move(f));
    state_->chained = behind.state_->linked = true;
    behind.state_->upstream = state_;
    detail::run(state_);
    return behind;
  }

  template <typename>
  friend class Deferred;
  std::shared_ptr<detail::StateOf<T>> state_ = std::make_shared<detail::StateOf<T>>();
};
// #endregion deferred

// Deferreds that have fired already.
template <typename T>
Deferred<T> succeed(T value) {
  const Deferred<T> fired;
  fired.callback(std::move(value));
  return fired;
}
inline Deferred<void> succeed() {
  const Deferred<void> fired;
  fired.callback();
  return fired;
}
template <typename T>
Deferred<T> fail(std::exception_ptr error) {
  const Deferred<T> fired;
  fired.errback(std::move(error));
  return fired;
}

// #region gather
// Twisted's DeferredList: fires when all have, with their results in order, each a value or an
// error; so it never fails itself. Cancelling it cancels them.
template <typename T>
using DeferredList = Deferred<std::vector<Result<T>>>;

template <typename T>
DeferredList<T> gather(const std::vector<Deferred<T>>& entries) {
  struct Gathering {
    std::vector<Result<T>> results;
    std::size_t missing;
    DeferredList<T> all;
  };
  std::vector<std::weak_ptr<detail::State>> states;  // weak: the entries own `all`
  for (const auto& entry : entries) states.push_back(entry.state_);
  const auto gathering = std::make_shared<Gathering>();
  gathering->all = DeferredList<T>([states = std::move(states)] {
    for (const auto& weak : states)
      if (const auto state = weak.lock()) detail::cancel(state);
  });
  gathering->results.resize(entries.size());
  gathering->missing = entries.size();
  for (std::size_t i = 0; i < entries.size(); ++i)
    entries[i].add_both([gathering, i](Result<T> result) {
      gathering->results[i] = std::move(result);
      if (--gathering->missing == 0) gathering->all.callback(std::move(gathering->results));
    });
  if (entries.empty()) gathering->all.callback({});
  return gathering->all;
}
// #endregion gather
