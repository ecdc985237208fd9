// The event loop: Asio's, which runs on where one coroutine has been lost, and a door in it for
// other threads.

#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <mutex>

class Loop : public boost::asio::io_context {
 public:
  Loop() : io_context(1) {}

  // Runs until every coroutine has ended.
  void run();
};

// The way into a loop from a thread that may outlive it.
class Door {
 public:
  static std::shared_ptr<Door> of(boost::asio::io_context& loop);

  // Has the loop call `f` on its own thread, if it is still there.
  void call(const std::function<void()>& f);

 private:
  struct Service;
  std::mutex mutex_;
  boost::asio::io_context* loop_ = nullptr;
};
