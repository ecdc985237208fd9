// The reactor: an event loop, thin over Asio's, for Deferreds. After twisted.internet.reactor and
// task.react. Everything runs on the thread that calls react(); nothing here needs a lock but the
// way back from a helper thread.

#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <type_traits>
#include <utility>

#include "deferred.hpp"

namespace boost::asio {
class io_context;  // only declared: who includes this file does not compile Asio
}

class Reactor {
 public:
  Reactor();
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;
  ~Reactor();

  boost::asio::io_context& loop() { return *loop_; }

  // Runs until stop(), or until nothing is left to wait for. A handler that throws costs no other.
  void run();
  void stop();

  // Fires after `delay`.
  Deferred<void> call_later(std::chrono::steady_clock::duration delay);

  // #region defer_to_thread
  // Fires with what work() returns or throws. It may block: it runs on a thread of its own, which
  // nobody waits for. The thread has only a weak hold of the Deferred, and never fires it itself.
  template <typename Work>
  auto defer_to_thread(Work work) {
    using T = std::invoke_result_t<Work&>;
    struct Call {
      Deferred<T> answer;
      std::shared_ptr<void> pending;
    };
    const auto call = std::make_shared<Call>(Call{Deferred<T>(), keep_running()});
    std::thread([this, work = std::move(work), weak = std::weak_ptr(call), door = door_]() mutable {
      const auto result = std::make_shared<Result<T>>();
      try {
        *result = work();
      } catch (...) {
        *result = std::current_exception();
      }
      const std::lock_guard lock(door->mutex);
      if (!door->open) return;  // and `this` is gone
      call_from_thread([this, weak, result] {
        const auto back = weak.lock();
        at_work_.erase(back);
        back->answer.fire(std::move(*result));
      });
    }).detach();
    at_work_.insert(call);
    return call->answer;
  }
  // #endregion defer_to_thread

 private:
  struct Door {
    std::mutex mutex;
    bool open = true;
  };

  std::shared_ptr<void> keep_running();  // run() does not return while this is held
  void call_from_thread(std::function<void()> f);

  std::unique_ptr<boost::asio::io_context> loop_;
  std::set<std::shared_ptr<void>> at_work_;  // the calls that threads work for
  std::shared_ptr<Door> door_ = std::make_shared<Door>();
};

// Runs main(reactor), and then the loop until the Deferred that it returned fires. Returns what
// that fired with as the exit status; or 1, with the error on stderr.
int react(const std::function<Deferred<int>(Reactor&)>& main);
