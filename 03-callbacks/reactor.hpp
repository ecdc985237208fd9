// The reactor: a thin layer on Asio's event loop, for Deferreds, like twisted.internet.reactor and
// task.react. Everything runs on the thread that calls react(). Only the way back from a helper
// thread needs a lock.

#pragma once

#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <type_traits>
#include <utility>

#include "deferred.hpp"

namespace boost::asio {
class io_context;  // only declared, so that users of this file do not compile Asio
}

class Reactor {
 public:
  Reactor();
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;
  ~Reactor();

  boost::asio::io_context& loop() { return *loop_; }

  // Runs until stop(), or until nothing is left to wait for. A handler that throws harms no other.
  void run();
  void stop();
  bool is_running() const { return running_; }

  // Fires after `delay`.
  Deferred<void> call_later(std::chrono::steady_clock::duration delay);

  // #region defer_to_thread
  // Fires with the result or the exception of work(), which may block: it runs on a thread of its
  // own, and nothing waits for that thread. The thread holds the Deferred weakly, and never fires
  // it itself. Throws std::system_error if no thread can be made.
  template <typename Work>
  auto defer_to_thread(Work work) {
    using T = std::invoke_result_t<Work&>;
    struct Call {
      Deferred<T> answer;
      std::shared_ptr<void> pending;
    };
    const auto call = std::make_shared<Call>(Call{Deferred<T>(), keep_running()});
    const auto result = std::make_shared<Result<T>>();
    const std::function<void()> fire = [this, weak = std::weak_ptr(call), result] {
      const auto back = weak.lock();
      at_work_.erase(back);
      back->answer.fire(std::move(*result));
    };
    at_work_.insert(call);
    try {
      std::thread([work = std::move(work), result, fire, door = door_]() mutable {
        try {
          *result = work();
        } catch (...) {
          *result = std::current_exception();
        }
        door->call(fire);
      }).detach();
    } catch (...) {
      at_work_.erase(call);
      throw;
    }
    return call->answer;
  }
  // #endregion defer_to_thread

 private:
  // The way into the loop for a thread that may outlive it.
  struct Door {
    explicit Door(boost::asio::io_context* its_loop) : loop(its_loop) {}
    void call(const std::function<void()>& f);  // on the reactor's thread, if the loop is there
    void close();
    std::mutex mutex;
    boost::asio::io_context* loop;
  };

  std::shared_ptr<void> keep_running();  // run() does not return while this is held

  bool running_ = false;
  std::unique_ptr<boost::asio::io_context> loop_;
  std::set<std::shared_ptr<void>> at_work_;  // the calls that threads are working for
  std::shared_ptr<Door> door_;
};

// The exit status for a result. An error is reported.
template <typename T>
int status_of(Result<T>& result) {
  if (!result.ok()) on_unhandled_error(result.error());
  if constexpr (std::is_same_v<T, int>)
    return result.ok() ? result.value() : 1;
  else
    return result.ok() ? 0 : 1;
}

// #region react
// Runs main(reactor), and then the loop, until the Deferred that main returned fires. Returns the
// exit status: its value if that is an int, otherwise 0. After an error, prints it and returns 1.
template <typename Main>
int react(const Main& main) {
  std::optional<int> status;
  Reactor reactor;
  main(reactor).add_both([&](auto result) {
    status = status_of(result);
    reactor.stop();
  });
  reactor.run();
  if (!status) std::fputs("react: nothing left to wait for, and main has not fired\n", stderr);
  return status.value_or(1);
}
// #endregion react
