// Deferred<T>: a result that comes later, and the chain of callbacks that waits for it. It is
// twisted.internet.defer with types: each add_... returns the next link of the chain, a Deferred of
// the callback's result. Use it only on the reactor's thread.

#pragma once

#include <concepts>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

// The error of a cancelled Deferred.
struct Cancelled : std::runtime_error {
  Cancelled() : std::runtime_error("cancelled") {}
};

// The error in words for a person.
std::string describe(const std::exception_ptr& error);

// Prints it to stderr.
void report_unhandled_error(std::exception_ptr error);

// Called with each error that reached the end of its chain and found no errback there.
inline std::function<void(std::exception_ptr)> on_unhandled_error = report_unhandled_error;

template <typename T>
class Deferred;

// The chain does not know the types of its results, so it is compiled only once, in deferred.cpp.
namespace detail {

struct Nothing {};  // the value of a Result<void>
inline Nothing nothing;

struct AnyResult {
  bool ok() const { return box != nullptr; }
  std::exception_ptr error() const { return failure; }

  std::unique_ptr<void, void (*)(void*)> box{nullptr, nullptr};  // holds the value
  std::exception_ptr failure;
};

}  // namespace detail

// #region result
// The result of a Deferred: a value, or an exception of any type. ok() says which.
template <typename T>
class Result : public detail::AnyResult {
 public:
  using Value = std::conditional_t<std::is_void_v<T>, detail::Nothing, T>;
  Result() = default;  // not known yet: a null error
  Result(Value value) {
    if constexpr (std::is_void_v<T>)
      box = {&detail::nothing, [](void*) {}};  // needs no memory
    else
      box = {new Value(std::move(value)), [](void* held) { delete static_cast<Value*>(held); }};
  }
  Result(std::same_as<std::exception_ptr> auto error) { failure = std::move(error); }
  explicit Result(std::same_as<AnyResult> auto& its) : AnyResult(std::move(its)) {}

  // Returns the value. Call it only if there is one.
  Value& value() { return *static_cast<Value*>(box.get()); }

  // The value, moved out; throws the exception if it holds one.
  T get() {
    if (!ok()) std::rethrow_exception(failure);
    if constexpr (!std::is_void_v<T>) return std::move(value());
  }
};
// #endregion result

namespace detail {

struct State;  // what the copies of a Deferred share
using StatePtr = std::shared_ptr<State>;

StatePtr make_state(std::function<void()> canceller);
void fire(const StatePtr& state, AnyResult result);
void cancel(StatePtr state);

// #region step
// A callback, and the state that receives its result. run() replaces the result that it is given,
// or leaves it if it is not for this callback. If the callback waits, it returns the state to wait
// for.
struct Step {
  explicit Step(StatePtr state) : target(std::move(state)) {}
  virtual ~Step() = default;
  virtual StatePtr run(AnyResult&) { return nullptr; }
  StatePtr target;
};
template <typename F>
struct StepOf final : Step {
  StepOf(StatePtr state, F callback) : Step(std::move(state)), f(std::move(callback)) {}
  StatePtr run(AnyResult& result) override { return f(result); }
  F f;
};
void link(const StatePtr& state, std::unique_ptr<Step> step);
// #endregion step

// The U of a callback on a T that returns U, Result<U> or Deferred<U>.
template <typename R>
struct Unwrap : std::type_identity<R> {};
template <typename U>
struct Unwrap<Deferred<U>> : std::type_identity<U> {};
template <typename U>
struct Unwrap<Result<U>> : std::type_identity<U> {};
template <typename F, typename T>
struct Return : std::invoke_result<F&, T> {};
template <typename F>
struct Return<F, void> : std::invoke_result<F&> {};
template <typename F, typename T>
using Returned = typename Unwrap<std::remove_cvref_t<typename Return<F, T>::type>>::type;

template <typename U, typename F, typename... Args>
StatePtr call(F& f, AnyResult& result, Args&&... args) {
  using R = std::remove_cvref_t<std::invoke_result_t<F&, Args...>>;
  if constexpr (std::is_void_v<R>) {
    static_assert(std::is_void_v<U>, "return what the chain goes on with");
    f(std::forward<Args>(args)...);
    result = Result<void>(Nothing());
    return nullptr;
  } else if constexpr (std::is_same_v<R, Deferred<U>>) {
    return f(std::forward<Args>(args)...).state_;
  } else {
    static_assert(std::is_constructible_v<Result<U>, R>, "return what the chain goes on with");
    result = Result<U>(f(std::forward<Args>(args)...));
    return nullptr;
  }
}

template <typename U, typename T, typename F>
StatePtr on_value(F& f, AnyResult& result) {
  if constexpr (std::is_void_v<T>)
    return call<U>(f, result);
  else
    return call<U>(f, result, Result<T>(result).get());
}

template <typename U, typename E, typename F>
StatePtr on_error(F& f, AnyResult& result) {
  const auto error = std::exchange(result.failure, nullptr);
  if constexpr (std::is_invocable_v<F&, const E&>) try {
      std::rethrow_exception(error);
    } catch (const E& exception) {
      return call<U>(f, result, exception);
    }
  else
    return call<U>(f, result, error);
}

}  // namespace detail

// #region deferred
// Copies share one state, as references do in Python: keep one to fire, and give one away. A
// Deferred takes one callback; add the next one to the Deferred that add_... returns.
template <typename T>
class Deferred {
 public:
  using Value = typename Result<T>::Value;

  // Not fired yet. cancel() calls the canceller, which ends the work.
  explicit Deferred(std::function<void()> canceller = nullptr)
      : state_(detail::make_state(std::move(canceller))) {}
  Deferred(const Deferred&) = default;  // and no move: none is ever left empty
  Deferred& operator=(const Deferred&) = default;

  // Fires, and runs the callbacks. Throws std::logic_error the second time; after a cancel() the
  // first time does nothing.
  void callback(Value value) const { fire(std::move(value)); }
  void callback() const requires std::is_void_v<T> { fire(Value()); }
  void errback(std::exception_ptr error) const { fire(std::move(error)); }
  void fire(Result<T> result) const { detail::fire(state_, std::move(result)); }

  // Calls f(value) if there is a value. An error skips f and goes to the next errback.
  template <typename F>
  auto add_callback(F f) const {
    using U = detail::Returned<F, T>;
    return link<U>([f = std::move(f)](detail::AnyResult& result) mutable {
      return result.ok() ? detail::on_value<U, T>(f, result) : nullptr;
    });
  }

  // Calls f(const E&) for an error of that type, or f(std::exception_ptr) for any error. Everything
  // else skips f. The chain goes on with the result of f.
  template <typename E = std::exception, typename F>
  Deferred add_errback(F f) const {
    return link<T>([f = std::move(f)](detail::AnyResult& result) mutable {
      return result.ok() ? nullptr : detail::on_error<T, E>(f, result);
    });
  }

  // Calls one of the two. An error that `ok` throws does not go to `err`.
  template <typename E = std::exception, typename F, typename G>
  auto add_callbacks(F ok, G err) const {
    using U = detail::Returned<F, T>;
    return link<U>([ok = std::move(ok), err = std::move(err)](detail::AnyResult& result) mutable {
      return result.ok() ? detail::on_value<U, T>(ok, result) : detail::on_error<U, E>(err, result);
    });
  }

  // Calls f(Result<T>) in either case.
  template <typename F>
  auto add_both(F f) const {
    using U = detail::Returned<F, Result<T>>;
    return link<U>([f = std::move(f)](detail::AnyResult& result) mutable {
      return detail::call<U>(f, result, Result<T>(result));
    });
  }

  // Cancels what the chain is waiting for. The chain goes on with Cancelled, unless the canceller
  // has fired it. If no errback handles that error, it is not reported.
  void cancel() const { detail::cancel(state_); }

 private:
  template <typename U, typename F>
  Deferred<U> link(F f) const {
    const Deferred<U> behind;
    detail::link(state_, std::make_unique<detail::StepOf<F>>(behind.state_, std::move(f)));
    return behind;
  }

  template <typename>
  friend class Deferred;
  template <typename U, typename F, typename... Args>
  friend detail::StatePtr detail::call(F&, detail::AnyResult&, Args&&...);
  template <typename U>
  friend Deferred<std::vector<Result<U>>> gather(const std::vector<Deferred<U>>& entries);

  detail::StatePtr state_;
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
// Like Twisted's DeferredList: fires when all of them have fired, with their results in order. Each
// result is a value or an error, so it never fails itself. Cancelling it cancels all of them.
template <typename T>
using DeferredList = Deferred<std::vector<Result<T>>>;

template <typename T>
DeferredList<T> gather(const std::vector<Deferred<T>>& entries) {
  // The links behind the entries, which stay where they are if an entry's chain pauses. Weak,
  // because they own `all`.
  const auto links = std::make_shared<std::vector<std::weak_ptr<detail::State>>>();
  const DeferredList<T> all([links] {
    for (const auto& weak : *links)
      if (const auto link = weak.lock()) detail::cancel(link);
  });
  struct Gathering {
    Result<std::vector<Result<T>>> results;  // made now, because later there may be no memory
    std::size_t missing;
  };
  const std::size_t count = entries.size();
  const auto gathering =
      std::make_shared<Gathering>(Gathering{std::vector<Result<T>>(count), count});
  links->reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto link = entries[i].add_both([gathering, all, i](Result<T> result) {
      gathering->results.value()[i] = std::move(result);
      if (--gathering->missing == 0) all.fire(std::move(gathering->results));
    });
    links->push_back(link.state_);
  }
  if (count == 0) all.callback({});
  return all;
}
// #endregion gather
