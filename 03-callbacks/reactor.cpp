// The reactor's few words to Asio.

#include "reactor.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdio>

namespace asio = boost::asio;

Reactor::Reactor() : loop_(std::make_unique<asio::io_context>(1)) {}

Reactor::~Reactor() {
  const std::lock_guard lock(door_->mutex);
  door_->open = false;  // as threads still at work will find
}

// #region run
void Reactor::run() {
  for (;;) try {
      loop_->run();
      return;
    } catch (...) {
      on_unhandled_error(std::current_exception());
    }
}
// #endregion run

void Reactor::stop() { loop_->stop(); }

// #region call_later
// The waiting handler owns the timer and the Deferred; the canceller only knows the timer.
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

void Reactor::call_from_thread(std::function<void()> f) { asio::post(*loop_, std::move(f)); }

// #region react
int react(const std::function<Deferred<int>(Reactor&)>& main) {
  int status = 1;
  bool done = false;
  Reactor reactor;
  main(reactor)
      .add_callback([&](int its_status) { status = its_status; })
      .add_both([&](Result<void> result) {
        done = true;
        reactor.stop();
        return result;  // an error goes on to the end of the chain, which reports it
      });
  reactor.run();
  if (!done) std::fprintf(stderr, "react: nothing left to wait for, and main has not fired\n");
  return status;
}
// #endregion react
