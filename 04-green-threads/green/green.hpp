// Green threads like those of gevent: functions that take turns on one OS thread. Each has a stack
// of its own, and runs until it waits: for a socket, some time, or another green thread. All of
// this belongs to the OS thread that uses it first.

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
// Returned by spawn(), and taken by join(). An exception that nobody joins is printed to stderr.
using Thread = std::shared_ptr<Green>;

// Replaces libc's blocking calls for green threads (gevent's monkey.patch_all). It ignores SIGPIPE.
// Throws std::runtime_error if the program was linked in a way that keeps libc's own calls.
void patch_all();

// The stack of the green threads spawned from now on, in bytes. Only pages in use take memory.
inline std::size_t stack_size = 1 << 20;

// Starts f(args...) as a green thread. It first runs when the caller waits.
// Throws std::system_error when there is no memory for its stack.
template <typename F, typename... Args>
Thread spawn(F&& f, Args&&... args);

// Waits until the green thread has ended, and throws its exception if it had one. Outside green
// threads, this wait runs the hub. With a timeout, returns whether it has ended; if not, it goes
// on.
void join(const Thread& thread);
bool join(const Thread& thread, Clock::duration timeout);

// Waits for these, or for all green threads. Returns whether they ended in time; the others go on.
bool join_all(const std::vector<Thread>& threads, Clock::duration timeout = forever);
bool join_all(Clock::duration timeout = forever);

// Makes each call of libc in which the green thread waits, now or later, fail with ECANCELED, so
// that it ends by itself. (gevent's kill() throws, but here an exception would cross C code.) It
// does not end sleep_for(), join(), join_all(), the waits of a Pool, nor pthread_join().
void kill(const Thread& thread);

void sleep_for(Clock::duration time);
void yield();  // lets the others run

// How many bytes the calling green thread may still receive, at first without a limit. When none
// are left, its recv() and read() fail with EMSGSIZE. So a library that keeps what it reads takes
// no more memory than that.
std::size_t& may_receive();

// The parts that the functions above and patch.cpp use.
namespace detail {

// A place in a ring. It can leave the ring without a search.
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

// Green threads that wait for the same thing, in the order in which they came.
class Queue {
 public:
  void push(Place& place);
  void wake_one();  // the one that has waited longest; it leaves the queue
  void wake_all();

 private:
  Place ring_;  // before the first, behind the last
};

using TimePoint = Clock::time_point;

Thread start(std::function<void()> body);
TimePoint after(Clock::duration time);  // from now; forever stays forever
// Waits until ready() is true, and checks it after each wake-up. At the deadline, returns ready().
bool wait_in(Queue& queue, TimePoint deadline, const std::function<bool()>& ready);

void check_owner();   // throws std::logic_error on any but the green threads' OS thread
bool in_green();      // does a green thread run this code?
bool killed();        // and if so, has it been killed?
bool turn_is_long();  // has it run for 10 ms without a pause?

enum class Wake { look_again, timed_out, closed, killed };
// Switches to the hub until something may have happened to one of the fds; check them again.
// An fd that close() has closed meanwhile gets the revents POLLNVAL.
Wake wait_for(pollfd* fds, std::size_t count, TimePoint deadline);
void closed(int fd);  // wakes those that wait for it

// Waits until the job has ended, or this green thread is killed; then the job goes on alone, with
// what it holds. Returns whether it has ended.
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
      pool->for_place_.wake_one();  // one place wakes one waiter
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
