// The reactor, on top of Asio.

#include "reactor.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <new>

namespace asio = boost::asio;

Reactor::Reactor()
    : loop_(std::make_unique<asio::io_context>(1)), door_(std::make_shared<Door>(loop_.get())) {}

Reactor::~Reactor() { door_->close(); }

// #region run
void Reactor::run() {
  for (running_ = true; running_;) try {
      loop_->run();
      running_ = false;
    } catch (const std::bad_alloc&) {
      // An operation could not begin, and its handler was destroyed. Its owner reports it.
    } catch (...) {
      on_unhandled_error(std::current_exception());
    }
}
// #endregion run

void Reactor::stop() { loop_->stop(); }

// #region call_later
// The handler that waits owns the timer and the Deferred. The canceller holds a weak pointer.
Deferred<void> Reactor::call_later(std::chrono::steady_clock::duration delay) {
  const auto timer = std::make_shared<asio::steady_timer>(*loop_, delay);
  const Deferred<void> later([weak = std::weak_ptr(timer)] {
    if (const auto waiting = weak.lock()) waiting->cancel();
  });
  timer->async_wait([timer, later](const boost::system::error_code& error) {
    if (!error) later.callback();
  });
  return later;
}
// #endregion call_later

std::shared_ptr<void> Reactor::keep_running() {
  return std::make_shared<decltype(asio::make_work_guard(*loop_))>(asio::make_work_guard(*loop_));
}

// #region door
void Reactor::Door::call(const std::function<void()>& f) {
  for (;; std::this_thread::sleep_for(std::chrono::milliseconds(10))) try {
      const std::lock_guard lock(mutex);
      if (loop) asio::post(*loop, f);
      return;
    } catch (const std::bad_alloc&) {  // try again when there is memory
    }
}

void Reactor::Door::close() {
  const std::lock_guard lock(mutex);
  loop = nullptr;
}
// #endregion door
