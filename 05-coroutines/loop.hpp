// Asio's event loop, which goes on after it has lost a coroutine, and a door into it for other
// threads.

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

// The way into a loop for a thread that may outlive it.
class Door {
 public:
  static std::shared_ptr<Door> of(boost::asio::io_context& loop);

  // Makes the loop call `f` on its own thread, if the loop still exists.
  void call(const std::function<void()>& f);

 private:
  struct Service;
  std::mutex mutex_;
  boost::asio::io_context* loop_ = nullptr;
};
