#include "loop.hpp"

#include <boost/asio/execution_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <exception>
#include <new>
#include <thread>

namespace asio = boost::asio;

// #region run
// Asio starts an operation only after its coroutine is suspended. If there is no memory for it, the
// exception cannot reach the co_await. It comes out of run(), and the coroutine is destroyed. The
// others go on, unless there is no memory even for that.
void Loop::run() {
  while (!stopped()) try {
      io_context::run();
    } catch (const std::exception&) {
    }
}
// #endregion run

// A service of the loop, which is told when the loop is destroyed.
struct Door::Service : asio::execution_context::service {
  static inline asio::execution_context::id id;
  explicit Service(asio::io_context& loop) : service(loop), door(std::make_shared<Door>()) {
    door->loop_ = &loop;
  }
  void shutdown() override {
    const std::lock_guard lock(door->mutex_);
    door->loop_ = nullptr;
  }
  const std::shared_ptr<Door> door;
};

std::shared_ptr<Door> Door::of(asio::io_context& loop) {
  return asio::use_service<Service>(loop).door;
}

void Door::call(const std::function<void()>& f) {
  for (;; std::this_thread::sleep_for(std::chrono::milliseconds(10))) try {
      const std::lock_guard lock(mutex_);
      if (loop_) asio::post(*loop_, f);
      return;
    } catch (const std::bad_alloc&) {  // try again when there is memory
    }
}
