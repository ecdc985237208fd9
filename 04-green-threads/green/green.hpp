// Green threads, as gevent has them: functions that take turns on one OS thread. Each has a stack
// of its own and keeps the turn until it waits: for a socket, a moment, or another green thread.
// All of this belongs to the OS thread that uses it first.

#pragma once

#include <poll.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace green {

using Clock = std::chrono::steady_clock;
constexpr auto forever = Clock::duration::max();

struct Green;
// What spawn() returns and join() takes. An exception that nobody joins is told on stderr.
using Thread = std::shared_ptr<Green>;

// Replaces libc's blocking calls for green threads (gevent's monkey.patch_all). It ignores SIGPIPE.
// Throws std::runtime_error when the program was linked in such a way that they stay libc's own.
void patch_all();

// The stack of the green threads spawned from now on, in bytes. Only pages in use take memory.
inline std::size_t stack_size = 1 << 20;

// Starts f(args...) as a green thread; it has its first turn when the caller waits.
// Throws std::system_error when there is no memory for its stack.
template <typename F, typename... Args>
Thread spawn(F&& f, Args&&... args);

// Waits until the green thread has ended, and throws what ended it. Outside of green threads,
// waiting is what runs the hub. With a timeout: whether it has ended; if not, it goes on.
void join(const Thread& thread);
bool join(const Thread& thread, Clock::duration timeout);

// Waits for all of them, or for all there are. Returns whether they ended in time; stragglers go
// on.
bool join_all(const std::vector<Thread>& threads, Clock::duration timeout = forever);
bool join_all(Clock::duration timeout = forever);

// Has every call of libc that the green thread waits in, now and from now on, fail with ECANCELED,
// so that it comes to its own end. (gevent's kill() throws; but here that would cross C code.)
void kill(const Thread& thread);

void sleep_for(Clock::duration time);
void yield();  // lets the others have their turns

// Part two: what the above and patch.cpp are made of.
namespace detail {

// A place in a ring, which it takes no search to leave.
struct Place {
  Place *before = this, *behind = this;
  Green* green = nullptr;
  Place() = default;
  Place(const Place&) = delete;
  ~Place() { leave(); }
  void leave() {
    before->behind = behind, behind->before = before;
    before = behind = this;
  }
};

// Green threads that wait for the same, in the order in which they came.
class Queue {
 public:
  void push(Place& place);
  void wake_one();  // who has waited longest, and leaves the queue with that
  void wake_all();

 private:
  Place ring_;  // before the first, behind the last
};

using TimePoint = Clock::time_point;

Thread start(std::function<void()> body);
TimePoint after(Clock::duration time);  // from now; forever stays forever
// Waits until ready(), looked at again after each wake-up. Returns ready() at the deadline.
bool wait_in(Queue& queue, TimePoint deadline, const std::function<bool()>& ready);

void check_owner();   // throws std::logic_error on any but the green threads' OS thread
bool in_green();      // is this code a green thread's?
bool killed();        // and if so, is it to come to its end?
bool turn_is_long();  // has it kept the others waiting for 10 ms?

enum class Wake { look_again, timed_out, closed, killed };
// Leaves for the hub until something happens to one of the fds. Look again: it may be nothing.
// The fds that close() took away meanwhile get the revents POLLNVAL.
Wake wait_for(pollfd* fds, std::size_t count, TimePoint deadline);
void closed(int fd);  // wakes those who wait for it

// Waits for the job's end, or to be killed: then the job goes on alone, with what it holds. Returns
// whether it has ended.
bool on_a_real_thread(std::function<void()> job);

template <typename F, typename... Args>
std::function<void()> bind(F&& f, Args&&... args) {
  auto call = [f = std::decay_t<F>(std::forward<F>(f)),
               ... args = std::decay_t<Args>(std::forward<Args>(args))]() mutable {
    std::invoke(std::move(f), std::move(args)...);
  };
  return [call = std::make_shared<decltype(call)>(std::move(call))] { (*call)(); };
}

}  // namespace detail

template <typename F, typename... Args>
Thread spawn(F&& f, Args&&... args) {
  return detail::start(detail::bind(std::forward<F>(f), std::forward<Args>(args)...));
}

// At most `size` green threads at a time.
class Pool {
 public:
  explicit Pool(std::size_t size) : size_(size) {}
  Pool(const Pool&) = delete;
  ~Pool() { join(); }

  // Waits for a place, then green::spawn().
  template <typename F, typename... Args>
  Thread spawn(F&& f, Args&&... args) {
    detail::wait_in(for_place_, detail::TimePoint::max(), [this] { return running_ < size_; });
    ++running_;
    const auto leave = [](Pool* pool) {
      if (--pool->running_ == 0) pool->for_last_.wake_all();
      pool->for_place_.wake_one();  // one place, one of those who wait
    };
    const std::shared_ptr<Pool> place(this, leave);  // the green thread's body ends with it
    return green::spawn(
        [place, body = detail::bind(std::forward<F>(f), std::forward<Args>(args)...)] { body(); });
  }

  void join() {
    detail::wait_in(for_last_, detail::TimePoint::max(), [this] { return running_ == 0; });
  }

 private:
  const std::size_t size_;
  std::size_t running_ = 0;
  detail::Queue for_place_, for_last_;
};

}  // namespace green
