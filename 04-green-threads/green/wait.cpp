// Waits for file descriptors, and for jobs that only an OS thread can do.

#include <sys/epoll.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <memory_resource>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "hub.hpp"

namespace green::detail {

namespace asio = boost::asio;

namespace {

struct Waiter {
  Green* green;
  pollfd* wanted;
};

struct Awaited {              // an fd for which a green thread waits, or has waited
  std::uint32_t watched = 0;  // the epoll events that will be reported, once
  bool known = false;         // to the epoll: a guess, as an fd may be closed without our notice
  std::vector<Waiter> waiters;
};

// #region fds
// Asio refuses to watch an fd twice, but two green threads may wait for the same one. So the fds
// are in an epoll of the hub's own, and Asio watches that epoll.
struct Fds {
  asio::posix::stream_descriptor epoll;
  std::vector<Awaited> awaited;                   // by fd
  std::pmr::unsynchronized_pool_resource memory;  // has room for the handler from the start

  explicit Fds(asio::io_context& loop) : epoll(loop, epoll_create1(EPOLL_CLOEXEC)) {}
  bool watch(int fd, short events);
  void wake_waiters(int fd, short revents);
  void await_events();
};

std::atomic<int> waits = 0;  // calls that wait; other OS threads read this
Fds* fds = nullptr;          // never destroyed, like the hub

// Makes the epoll report the next event on the fd, once. Unless a green thread waits for it
// already, this asks the kernel whether it knows the fd, because fds come and go without our
// notice.
bool Fds::watch(int fd, short events) {
  Awaited& it = awaited[fd];
  epoll_event event{it.watched | static_cast<std::uint32_t>(events) | EPOLLONESHOT, {.fd = fd}};
  if (it.watched == event.events) return true;
  const auto control = [&](int operation) {
    return epoll_ctl(epoll.native_handle(), operation, fd, &event) == 0;
  };
  it.known = it.known ? control(EPOLL_CTL_MOD) || control(EPOLL_CTL_ADD)
                      : control(EPOLL_CTL_ADD) || control(EPOLL_CTL_MOD);
  if (it.known) it.watched = event.events;
  return it.known;
}

void Fds::wake_waiters(int fd, short revents) {
  if (fd >= static_cast<int>(awaited.size())) return;
  awaited[fd].watched = 0;
  for (const Waiter& waiter : awaited[fd].waiters) {
    waiter.wanted->revents |= revents;
    wake(*waiter.green);
  }
}

void Fds::await_events() {
  const auto wake_them = [this](boost::system::error_code) {
    epoll_event events[256];
    const int count = epoll_wait(epoll.native_handle(), events, 256, 0);
    for (int i = 0; i < count; ++i) wake_waiters(events[i].data.fd, 0);
    await_events();
  };
  const std::pmr::polymorphic_allocator<> allocator(&memory);
  epoll.async_wait(asio::posix::descriptor_base::wait_read,
                   asio::bind_allocator(allocator, wake_them));
}
// #endregion fds

// A green thread among the waiters of its fds, for as long as this lives.
struct Registration {
  pollfd *begin, *end;

  Registration(pollfd* first, std::size_t count) : begin(first), end(first + count) { ++waits; }
  Registration(const Registration&) = delete;
  ~Registration() {
    for (pollfd* fd = begin; fd != end; ++fd) {
      if (fd->fd < 0 || fd->fd >= static_cast<int>(fds->awaited.size())) continue;
      Awaited& it = fds->awaited[fd->fd];
      std::erase_if(it.waiters, [&](const Waiter& one) { return one.wanted == fd; });
      if (it.waiters.empty()) it.watched = 0;
    }
    --waits;
  }
};

}  // namespace

void watch_fds(asio::io_context& loop) {
  fds = new Fds(loop);
  fds->await_events();
}

// #region wait_for
Wake wait_for(pollfd* wanted, std::size_t count, TimePoint deadline) {
  const Registration registration(wanted, count);
  const int error = errno;
  bool watched = true;  // epoll refuses files, and may lack memory: then check again soon
  for (pollfd* fd = wanted; fd != registration.end; ++fd) {
    if (fd->fd < 0) continue;
    if (fd->fd >= static_cast<int>(fds->awaited.size())) fds->awaited.resize(2 * fd->fd + 1);
    fds->awaited[fd->fd].waiters.push_back({current(), fd});
    watched &= fds->watch(fd->fd, fd->events);
  }
  if (killed()) return Wake::killed;  // while it let others run, since the caller looked
  suspend(watched ? deadline : std::min(deadline, after(std::chrono::milliseconds(5))));
  errno = error;
  if (killed()) return Wake::killed;
  const auto is_closed = [](const pollfd& fd) { return (fd.revents & POLLNVAL) != 0; };
  if (std::any_of(wanted, registration.end, is_closed)) return Wake::closed;
  return Clock::now() < deadline ? Wake::look_again : Wake::timed_out;
}
// #endregion wait_for

void closed(int fd) {
  if (waits == 0) return;
  if (is_owner()) return fds->wake_waiters(fd, POLLNVAL);
  try {
    asio::post(loop(), [fd] { fds->wake_waiters(fd, 0); });  // they check again, and find it closed
  } catch (const std::bad_alloc&) {  // they will notice only at their deadline
  }
}

namespace {

// #region workers
// OS threads for jobs that only they can do. A job that hangs keeps its thread, and the next job
// gets another one, a new one if none is idle: however many hang, no job waits for them. Idle
// threads end after a second.
class Workers {
 public:
  // Throws std::system_error if there is no thread, and none to wait for.
  void post(std::function<void()> job) {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
    if (idle_ >= jobs_.size()) return there_is_one_.notify_one();
    try {
      std::thread([this] { work(); }).detach();
      ++threads_;
    } catch (const std::system_error&) {
      if (threads_ > 0) return;
      jobs_.pop_back();
      throw;
    }
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      ++idle_;
      const bool in_time =
          there_is_one_.wait_for(lock, std::chrono::seconds(1), [this] { return !jobs_.empty(); });
      --idle_;
      if (!in_time) break;
      {
        const auto job = std::move(jobs_.front());
        jobs_.pop_front();
        lock.unlock();
        job();
      }
      lock.lock();
    }
    --threads_;
  }

  std::mutex mutex_;
  std::condition_variable there_is_one_;
  std::deque<std::function<void()>> jobs_;
  std::size_t threads_ = 0, idle_ = 0;
};
// #endregion workers

}  // namespace

bool on_a_real_thread(std::function<void()> job) {
  static Workers& workers = *new Workers;  // never destroyed, like the hub
  struct Awaiting {
    Green* green = current();  // null once it no longer waits, and may have ended
    bool done = false;
    std::byte room[256];  // for the handler: a lack of memory could not be reported here
    std::pmr::monotonic_buffer_resource memory{room, sizeof room};
  };
  const auto awaiting = std::make_shared<Awaiting>();
  const struct Leave {
    Awaiting& it;
    ~Leave() { it.green = nullptr; }
  } leave{*awaiting};
  workers.post([awaiting, job = std::move(job)] {
    job();
    const std::pmr::polymorphic_allocator<> allocator(&awaiting->memory);
    asio::post(loop(), asio::bind_allocator(allocator, [awaiting] {
                 awaiting->done = true;
                 if (awaiting->green) wake(*awaiting->green);
               }));
  });
  while (!awaiting->done && !killed()) suspend(TimePoint::max());
  return awaiting->done;
}

}  // namespace green::detail
