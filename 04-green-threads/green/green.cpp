// The hub: Asio's event loop, which resumes green threads, and the functions with which they wait.

#include "green.hpp"

#include <cxxabi.h>

#include <algorithm>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "hub.hpp"
#include "stack.hpp"

namespace green {

namespace asio = boost::asio;
using namespace detail;

namespace {

// #region exceptions
// What the C++ runtime stores about exceptions that are being handled, per OS thread. Each switch
// must swap it. Otherwise `throw;` in one green thread could throw an exception of another one.
struct Exceptions {
  void* caught = nullptr;
  unsigned int uncaught = 0;
};

void swap_exceptions(Exceptions& other) {
  std::swap(other, *reinterpret_cast<Exceptions*>(abi::__cxa_get_globals()));
}
// #endregion exceptions

// #region hub
struct Hub {
  asio::io_context loop{1};
  Hub() { watch_fds(loop); }
};

Hub* make_hub() try { return new Hub; } catch (const boost::system::system_error& error) {
  throw std::system_error(error.code(), "no event loop for green threads");
}
// #endregion hub

}  // namespace

// It is never destroyed, because that would unwind stacks that are still in use, through C code.
asio::io_context& detail::loop() {
  static Hub& hub = *make_hub();
  return hub.loop;
}

// #region green
using Yield = asio::basic_yield_context<asio::io_context::executor_type>;
using Resume = asio::async_result<Yield, void()>::handler_type;

struct Green {
  std::function<void()> body;
  Yield* yield = nullptr;
  std::optional<Resume> resume;  // resumes it, while it waits
  asio::steady_timer alarm{loop()};
  bool woken = false, killed = false, ended = false, told = false;
  Queue joiners;
  std::size_t may_receive = SIZE_MAX;
  std::exception_ptr error;
  Exceptions exceptions;  // its own while it waits, the hub's while it runs

  ~Green() {
    if (error && !told) try {
        std::rethrow_exception(error);
      } catch (const std::exception& e) {
        std::fprintf(stderr, "a green thread ended with: %s\n", e.what());
      } catch (...) {
        std::fprintf(stderr, "a green thread ended with an exception\n");
      }
  }
};
// #endregion green

namespace {

thread_local Green* running = nullptr;
thread_local TimePoint turn_began;
std::size_t alive = 0;  // green threads that have not ended
Queue to_last;          // those that wait for all the others to end

void begin_turn(Green& me) {
  swap_exceptions(me.exceptions);
  running = &me;
  turn_began = Clock::now();
}

void end_turn(Green& me) {
  running = nullptr;
  swap_exceptions(me.exceptions);
}

void leave(Green& me) {
  asio::async_initiate<Yield, void()>(
      [&me](Resume resume) { me.resume.emplace(std::move(resume)); }, *me.yield);
}

// Called by the hub. Runs the green thread until it switches back.
void resume(Green& green) {
  Resume next = std::move(*green.resume);
  green.resume.reset();
  next();
}

// #region switch_to_hub
// Every wait switches here. The caller must first start what will resume() this green thread. If
// there is no memory to start that, the start throws, before the switch, where the error can be
// reported.
void switch_to_hub() {
  Green& me = *running;
  const int error = errno;
  end_turn(me);
  leave(me);
  begin_turn(me);
  errno = error;
}
// #endregion switch_to_hub

void run(Green& me, Yield yield) {
  me.yield = &yield;
  leave(me);
  begin_turn(me);
  try {
    const auto body = std::move(me.body);  // destroys what it holds before the joiners wake
    body();
  } catch (...) {
    me.error = std::current_exception();
  }
  end_turn(me);
  me.ended = true;
  me.joiners.wake_all();
  if (--alive <= 1) to_last.wake_all();
}

}  // namespace

bool detail::suspend(TimePoint deadline) {
  Green& me = *running;
  me.woken = false;
  me.alarm.expires_at(deadline);
  me.alarm.async_wait([&me](boost::system::error_code) { resume(me); });
  switch_to_hub();
  return me.woken;
}

// If the alarm has gone off already, cancel() does nothing: the green thread will resume anyway.
void detail::wake(Green& green) {
  green.woken = true;
  green.alarm.cancel();
}

bool detail::is_owner() {
  static const std::thread::id owner = std::this_thread::get_id();
  return owner == std::this_thread::get_id();
}

void detail::check_owner() {
  if (!is_owner()) throw std::logic_error("the green threads belong to another OS thread");
}

// #region spawn
Thread detail::start(std::function<void()> body) {
  check_owner();
  const auto green = std::make_shared<Green>();
  green->body = std::move(body);
  const Stack stack(stack_size);
  const auto run_it = [green](Yield yield) { run(*green, yield); };
  // asio::spawn alone would run it at once if the caller is a green thread.
  try {
    asio::post(loop(), [green, run_it, stack] {
      asio::spawn(loop().get_executor(), std::allocator_arg, stack, run_it, asio::detached);
      resume(*green);
    });
  } catch (...) {
    stack.deallocate(stack.context);
    throw;
  }
  ++alive;
  return green;
}
// #endregion spawn

// #region queue
void detail::Queue::push(Place& place) {
  place.before = ring_.before, place.behind = &ring_;
  place.before->behind = place.behind->before = &place;
}

// A green thread that is woken leaves the queue, so the next wake-up goes to another one.
void detail::Queue::wake_one() {
  Place& first = *ring_.behind;
  if (&first == &ring_) return;
  first.leave();
  wake(*first.green);
}

void detail::Queue::wake_all() {
  while (ring_.behind != &ring_) wake_one();
}
// #endregion queue

// #region join
bool detail::wait_in(Queue& queue, TimePoint deadline, const std::function<bool()>& ready) {
  check_owner();
  bool in_time = true;
  while (in_time && !ready()) {
    if (running) {
      Place place;
      place.green = running;
      queue.push(place);
      in_time = suspend(deadline);
    } else {  // the main program runs the loop while it waits
      in_time =
          deadline == TimePoint::max() ? loop().run_one() > 0 : loop().run_one_until(deadline) > 0;
    }
  }
  return ready();
}

bool join(const Thread& thread, Clock::duration timeout) {
  const auto ended = [&] { return thread->ended; };
  if (!wait_in(thread->joiners, after(timeout), ended)) return false;
  if (!thread->error) return true;
  thread->told = true;
  std::rethrow_exception(thread->error);
}

void join(const Thread& thread) { join(thread, forever); }

bool join_all(const std::vector<Thread>& threads, Clock::duration timeout) {
  const TimePoint deadline = after(timeout);
  return std::all_of(threads.begin(), threads.end(), [&](const Thread& thread) {
    return wait_in(thread->joiners, deadline, [&] { return thread->ended; });
  });
}

bool join_all(Clock::duration timeout) {
  return wait_in(to_last, after(timeout), [] { return alive == (running ? 1 : 0); });
}

void kill(const Thread& thread) {
  check_owner();
  thread->killed = true;
  wake(*thread);
}

void sleep_for(Clock::duration time) {
  if (!running) yield();  // even if there is no time
  Queue nobody;
  wait_in(nobody, after(time), [] { return false; });
}

void yield() {
  if (!running) {
    loop().poll();
  } else {
    asio::post(loop(), [me = running] { resume(*me); });
    switch_to_hub();
  }
}
// #endregion join

std::size_t& may_receive() {
  if (!running) throw std::logic_error("may_receive() is for green threads");
  return running->may_receive;
}

TimePoint detail::after(Clock::duration time) {
  const TimePoint now = Clock::now();
  return time < TimePoint::max() - now ? now + time : TimePoint::max();
}

Green* detail::current() { return running; }

bool detail::in_green() { return running != nullptr; }

bool detail::killed() { return running && running->killed; }

bool detail::turn_is_long() { return Clock::now() - turn_began > std::chrono::milliseconds(10); }

}  // namespace green
