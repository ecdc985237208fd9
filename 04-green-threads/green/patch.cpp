// Replaces libc's blocking calls (gevent's monkey.patch_all). When a shared library calls poll(),
// the dynamic linker prefers the executable's function to libc's. So libcurl's calls come here. In
// a green thread they switch to the hub; anywhere else they go on to libc.

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <memory>
#include <new>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "green.hpp"

// What poll(), recv() and so on become in a program compiled with _FORTIFY_SOURCE.
extern "C" {
int __poll_chk(pollfd*, nfds_t, int, size_t);
ssize_t __recv_chk(int, void*, size_t, size_t, int);
ssize_t __recvfrom_chk(int, void*, size_t, size_t, int, sockaddr*, socklen_t*);
ssize_t __read_chk(int, void*, size_t, size_t);
}

namespace {

using namespace green::detail;
using green::Clock;

// #region libc
// clang-format off
#define FOR_EACH_CALL(CALL)                                                                    \
  CALL(poll) CALL(ppoll) CALL(select) CALL(connect) CALL(accept) CALL(accept4) CALL(recv)      \
  CALL(recvfrom) CALL(recvmsg) CALL(read) CALL(readv) CALL(send) CALL(sendto) CALL(sendmsg)    \
  CALL(write) CALL(writev) CALL(close) CALL(nanosleep) CALL(clock_nanosleep) CALL(usleep)      \
  CALL(sleep) CALL(getaddrinfo) CALL(getaddrinfo_a) CALL(pthread_join) CALL(__poll_chk)        \
  CALL(__recv_chk) CALL(__recvfrom_chk) CALL(__read_chk)
// clang-format on

// The functions that ours hide.
struct Libc {
#define CALL(name) \
  decltype(&::name) name = reinterpret_cast<decltype(&::name)>(dlsym(RTLD_NEXT, #name));
  FOR_EACH_CALL(CALL)
#undef CALL
};

const Libc& libc() {
  static const Libc it;
  return it;
}
// #endregion libc

std::atomic<bool> patched = false;

bool cooperative() { return in_green() && patched; }

bool nonblocking(int fd) { return fcntl(fd, F_GETFL) & O_NONBLOCK; }  // or closed: -1

bool ready(int fd, short events) {
  pollfd one{fd, events, 0};
  return libc().poll(&one, 1, 0) != 0;
}

int fail(int error) {
  errno = error;
  return -1;
}

// For a killed green thread. If it goes on all the same, as in a loop, the others still run.
int cancelled() {
  green::yield();
  return fail(ECANCELED);
}

// SO_RCVTIMEO or SO_SNDTIMEO, from now.
TimePoint deadline_of(int fd, short events) {
  timeval limit{};
  socklen_t size = sizeof limit;
  getsockopt(fd, SOL_SOCKET, events & POLLIN ? SO_RCVTIMEO : SO_SNDTIMEO, &limit, &size);
  const auto time = std::chrono::seconds(limit.tv_sec) + std::chrono::microseconds(limit.tv_usec);
  return after(time.count() > 0 ? time : green::forever);
}

// #region cooperate
// A call that would block, for a green thread. `attempt` must not block, but fail with EAGAIN.
template <typename Attempt>
ssize_t cooperate(int fd, short events, Attempt attempt) try {
  const int before = errno;
  if (killed()) return cancelled();
  if (turn_is_long() && !nonblocking(fd)) green::yield();
  ssize_t result = attempt();
  if (result >= 0 || errno != EAGAIN || nonblocking(fd)) return result;

  const TimePoint deadline = deadline_of(fd, events);
  for (Wake wake = Wake::look_again; wake == Wake::look_again;) {
    pollfd one{fd, events, 0};
    errno = before;  // which a call that succeeds does not touch
    wake = wait_for(&one, 1, deadline);
    if (wake == Wake::closed) return fail(EBADF);
    if (wake == Wake::killed) return fail(ECANCELED);
    result = attempt();
    if (result >= 0 || errno != EAGAIN) return result;
  }
  return fail(EAGAIN);
} catch (const std::bad_alloc&) {  // C code does not expect exceptions
  return fail(ENOMEM);
}
// #endregion cooperate

// #region poll_until
// poll(), and the calls that are made from it.
int poll_until(pollfd* fds, nfds_t count, TimePoint deadline) try {
  if (killed()) return cancelled();
  if (turn_is_long()) green::yield();
  int result = libc().poll(fds, count, 0);
  for (Wake wake = Wake::look_again; wake == Wake::look_again && result == 0;) {
    if (Clock::now() >= deadline) return 0;
    wake = wait_for(fds, count, deadline);
    if (wake == Wake::killed) return fail(ECANCELED);
    if (wake == Wake::closed)
      return std::count_if(fds, fds + count, [](const pollfd& fd) { return fd.revents != 0; });
    result = libc().poll(fds, count, 0);
  }
  return result;
} catch (const std::bad_alloc&) {
  return fail(ENOMEM);
}
// #endregion poll_until

// A whole transfer: every blocking send(), and recv() with MSG_WAITALL.
template <typename Transfer>
ssize_t transfer_all(size_t size, Transfer transfer_from) {
  size_t done = 0;
  do {
    const ssize_t count = transfer_from(done);
    if (count <= 0) return done > 0 ? static_cast<ssize_t>(done) : count;
    done += count;
  } while (done < size);
  return done;
}

// The rest of a transfer of several buffers, after `done` bytes.
template <typename Transfer>
ssize_t transfer_rest(const iovec* buffers, size_t count, ssize_t done, Transfer transfer) {
  size_t skip = done;
  for (const iovec* buffer = buffers; done >= 0 && buffer != buffers + count; ++buffer) {
    const size_t skipped = std::min(skip, buffer->iov_len), size = buffer->iov_len - skipped;
    skip -= skipped;
    if (size == 0) continue;
    const ssize_t moved = transfer(static_cast<char*>(buffer->iov_base) + skipped, size);
    if (moved < 0 && done == 0) return moved;
    if (moved > 0) done += moved;
    if (moved < static_cast<ssize_t>(size)) break;
  }
  return done;
}

// MSG_WAITALL means something for streams only.
bool wants_all(int fd, int flags) {
  int type = 0;
  socklen_t size = sizeof type;
  return (flags & MSG_WAITALL) && !(flags & MSG_PEEK) &&
         getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

constexpr int never_waits = MSG_DONTWAIT | MSG_ERRQUEUE;

// connect() and accept() have no MSG_DONTWAIT. Others that share the socket see this for a moment.
template <typename Call>
ssize_t without_blocking(int fd, Call call) {
  const int flags = fcntl(fd, F_GETFL);
  fcntl(fd, F_SETFL, flags | O_NONBLOCK);
  const ssize_t result = call();
  const int error = errno;
  fcntl(fd, F_SETFL, flags);
  errno = error;
  return result;
}

// For a pipe, a terminal, a timer …: there is no MSG_DONTWAIT, but poll() can be asked.
template <typename Call>
ssize_t when_ready(int fd, short events, Call call) {
  return cooperate(fd, events,
                   [&]() -> ssize_t { return ready(fd, events) ? call() : fail(EAGAIN); });
}

bool is_pipe(int fd) {
  struct stat status {};
  return fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode);
}

int sleep_unless_killed(Clock::duration time) try {
  Queue nobody;
  return wait_in(nobody, after(time), killed) ? cancelled() : 0;
} catch (const std::bad_alloc&) {
  return fail(ENOMEM);
}

Clock::duration duration(const timespec& time) {
  if (time.tv_sec > 5'000'000'000) return green::forever;
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

// getaddrinfo() on an OS thread. It owns its data, because the green thread may be killed
// meanwhile.
struct Lookup {
  const std::string host;
  const std::optional<std::string> service;
  const addrinfo wanted;
  addrinfo* found = nullptr;
  int answer = 0, error = errno;

  Lookup(const char* a_host, const char* a_service, const addrinfo& hints)
      : host(a_host),
        service(a_service ? std::optional<std::string>(a_service) : std::nullopt),
        wanted(hints) {}
  Lookup(const Lookup&) = delete;
  ~Lookup() {
    if (found) freeaddrinfo(found);
  }
  void run() {
    errno = error;
    answer =
        libc().getaddrinfo(host.c_str(), service ? service->c_str() : nullptr, &wanted, &found);
    error = errno;
  }
};

bool valid(const timespec* time) {
  return time && time->tv_sec >= 0 && time->tv_nsec >= 0 && time->tv_nsec < 1'000'000'000;
}

}  // namespace

extern "C" {

// #region poll
int poll(pollfd* fds, nfds_t count, int timeout) {
  if (!cooperative()) return libc().poll(fds, count, timeout);
  const auto time = std::chrono::milliseconds(timeout);
  return poll_until(fds, count, after(timeout < 0 ? green::forever : time));
}
// #endregion poll

int ppoll(pollfd* fds, nfds_t count, const timespec* timeout, const sigset_t* mask) {
  if (!cooperative() || (timeout && !valid(timeout)))
    return libc().ppoll(fds, count, timeout, mask);
  const TimePoint deadline = timeout ? after(duration(*timeout)) : TimePoint::max();
  const timespec zero{};  // the mask is valid for this check, not for the wait
  const int result = libc().ppoll(fds, count, &zero, mask);
  return result != 0 ? result : poll_until(fds, count, deadline);
}

// select() is poll() with the kernel's own notion of what is readable, writable and exceptional.
int select(int size, fd_set* in, fd_set* out, fd_set* except, timeval* timeout) try {
  if (!cooperative() || size < 0 || (timeout && (timeout->tv_sec < 0 || timeout->tv_usec < 0)))
    return libc().select(size, in, out, except, timeout);
  const struct {
    fd_set* fds;
    short asked, also;
  } sets[] = {{in, POLLIN | POLLRDNORM | POLLRDBAND, POLLHUP | POLLERR},
              {out, POLLOUT | POLLWRNORM | POLLWRBAND, POLLERR},
              {except, POLLPRI, 0}};
  std::vector<pollfd> fds;
  for (int fd = 0; fd < size; ++fd) {
    pollfd one{fd, 0, 0};
    for (const auto& set : sets)
      if (set.fds && FD_ISSET(fd, set.fds)) one.events |= set.asked;
    if (one.events) fds.push_back(one);
  }
  const TimePoint deadline =
      timeout ? after(duration({timeout->tv_sec, timeout->tv_usec * 1000})) : TimePoint::max();
  const auto selected = [](const pollfd& fd, const auto& set) {
    return fd.events & set.asked && fd.revents & (set.asked | set.also);
  };
  int count = 0;
  for (bool in_time = true; in_time && count == 0;) {
    if (poll_until(fds.data(), fds.size(), deadline) < 0) return -1;
    for (const pollfd& fd : fds) {
      if (fd.revents & POLLNVAL) return fail(EBADF);
      for (const auto& set : sets) count += selected(fd, set);
    }
    in_time = Clock::now() < deadline;
    // A hang-up that nobody asked for: poll() reports it at once, again and again.
    if (in_time && count == 0) green::sleep_for(std::chrono::milliseconds(5));
  }
  for (const auto& set : sets)
    for (const pollfd& fd : fds)
      if (set.fds && !selected(fd, set)) FD_CLR(fd.fd, set.fds);
  if (timeout) {
    const auto left = std::max(deadline - Clock::now(), Clock::duration::zero());
    timeout->tv_sec = left / std::chrono::seconds(1);
    timeout->tv_usec = left % std::chrono::seconds(1) / std::chrono::microseconds(1);
  }
  return count;
} catch (const std::bad_alloc&) {
  return fail(ENOMEM);
}

int connect(int fd, const sockaddr* address, socklen_t size) {
  if (!cooperative() || nonblocking(fd)) return libc().connect(fd, address, size);
  bool begun = false;
  const ssize_t result = cooperate(fd, POLLOUT, [&]() -> ssize_t {
    if (begun) {
      if (!ready(fd, POLLOUT)) return fail(EAGAIN);
      int error = 0;
      socklen_t length = sizeof error;
      if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0) return -1;
      return error == 0 ? 0 : fail(error);
    }
    const ssize_t connected =
        without_blocking(fd, [&] { return libc().connect(fd, address, size); });
    begun = connected < 0 && (errno == EINPROGRESS || errno == EALREADY);
    const bool full = connected < 0 && errno == EAGAIN;  // a Unix socket's queue; poll() can't tell
    if (full) green::sleep_for(std::chrono::milliseconds(2));
    return begun || full ? fail(EAGAIN) : connected;
  });
  if (result < 0 && errno == EAGAIN && begun) errno = EINPROGRESS;  // as SO_SNDTIMEO has it
  return static_cast<int>(result);
}

int accept4(int fd, sockaddr* address, socklen_t* size, int flags) {
  const auto call = [&] { return libc().accept4(fd, address, size, flags); };
  if (!cooperative()) return call();
  return static_cast<int>(cooperate(fd, POLLIN, [&] { return without_blocking(fd, call); }));
}

int accept(int fd, sockaddr* address, socklen_t* size) { return accept4(fd, address, size, 0); }

ssize_t recvfrom(int fd, void* data, size_t size, int flags, sockaddr* from, socklen_t* length) {
  if (!cooperative() || flags & never_waits)
    return libc().recvfrom(fd, data, size, flags, from, length);
  size_t& left = green::may_receive();
  const auto receive = [&](size_t done) -> ssize_t {
    char* const rest = static_cast<char*>(data) + done;
    const size_t most = std::min(size - done, left);
    if (left == 0) return fail(EMSGSIZE);
    const ssize_t count = cooperate(fd, POLLIN, [&] {
      return libc().recvfrom(fd, rest, most, flags | MSG_DONTWAIT, from, length);
    });
    if (count > 0 && !(flags & MSG_PEEK)) left -= std::min(left, static_cast<size_t>(count));
    return count;
  };
  return wants_all(fd, flags) ? transfer_all(size, receive) : receive(0);
}

ssize_t recv(int fd, void* data, size_t size, int flags) {
  return recvfrom(fd, data, size, flags, nullptr, nullptr);
}

ssize_t recvmsg(int fd, msghdr* message, int flags) {
  if (!cooperative() || flags & never_waits) return libc().recvmsg(fd, message, flags);
  const ssize_t done =
      cooperate(fd, POLLIN, [&] { return libc().recvmsg(fd, message, flags | MSG_DONTWAIT); });
  if (done <= 0 || !wants_all(fd, flags)) return done;
  return transfer_rest(message->msg_iov, message->msg_iovlen, done,
                       [&](void* data, size_t size) { return recv(fd, data, size, flags); });
}

ssize_t sendto(int fd, const void* data, size_t size, int flags, const sockaddr* to,
               socklen_t length) {
  if (!cooperative() || flags & never_waits)
    return libc().sendto(fd, data, size, flags, to, length);
  return transfer_all(size, [&](size_t done) {
    const char* const rest = static_cast<const char*>(data) + done;
    return cooperate(fd, POLLOUT, [&] {
      return libc().sendto(fd, rest, size - done, flags | MSG_DONTWAIT, to, length);
    });
  });
}

ssize_t send(int fd, const void* data, size_t size, int flags) {
  return sendto(fd, data, size, flags, nullptr, 0);
}

ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  if (!cooperative() || flags & never_waits) return libc().sendmsg(fd, message, flags);
  const ssize_t done =
      cooperate(fd, POLLOUT, [&] { return libc().sendmsg(fd, message, flags | MSG_DONTWAIT); });
  return transfer_rest(message->msg_iov, message->msg_iovlen, done,
                       [&](void* data, size_t size) { return send(fd, data, size, flags); });
}

ssize_t read(int fd, void* data, size_t size) {
  if (!cooperative() || size == 0) return libc().read(fd, data, size);
  const int before = errno;
  const ssize_t result = recv(fd, data, size, 0);
  if (result >= 0 || errno != ENOTSOCK) return result;
  errno = before;
  return when_ready(fd, POLLIN, [&] { return libc().read(fd, data, size); });
}

ssize_t write(int fd, const void* data, size_t size) {
  if (!cooperative() || size == 0) return libc().write(fd, data, size);
  const int before = errno;
  const ssize_t result = send(fd, data, size, 0);
  if (result >= 0 || errno != ENOTSOCK) return result;
  errno = before;
  const bool in_pieces = is_pipe(fd) && !nonblocking(fd);
  return transfer_all(size, [&](size_t done) {
    const size_t piece = in_pieces ? std::min<size_t>(size - done, PIPE_BUF) : size - done;
    return when_ready(fd, POLLOUT, [&] {
      return libc().write(fd, static_cast<const char*>(data) + done, piece);
    });
  });
}

ssize_t readv(int fd, const iovec* buffers, int count) {
  if (!cooperative()) return libc().readv(fd, buffers, count);
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(buffers);
  message.msg_iovlen = count;
  const int before = errno;
  const ssize_t result = recvmsg(fd, &message, 0);
  if (result >= 0 || errno != ENOTSOCK) return result;
  errno = before;
  return when_ready(fd, POLLIN, [&] { return libc().readv(fd, buffers, count); });
}

ssize_t writev(int fd, const iovec* buffers, int count) {
  if (!cooperative()) return libc().writev(fd, buffers, count);
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(buffers);
  message.msg_iovlen = count;
  const int before = errno;
  const ssize_t result = sendmsg(fd, &message, 0);
  if (result >= 0 || errno != ENOTSOCK) return result;
  errno = before;
  const size_t size =
      std::accumulate(buffers, buffers + count, size_t{0},
                      [](size_t sum, const iovec& buffer) { return sum + buffer.iov_len; });
  if (size <= PIPE_BUF || !is_pipe(fd))
    return when_ready(fd, POLLOUT, [&] { return libc().writev(fd, buffers, count); });
  return transfer_rest(buffers, count, 0,
                       [&](void* data, size_t piece) { return write(fd, data, piece); });
}

int close(int fd) {
  const int result = libc().close(fd);
  const int error = errno;
  if (patched && (result == 0 || error != EBADF)) closed(fd);
  errno = error;
  return result;
}

int nanosleep(const timespec* time, timespec* rest) {
  if (!cooperative() || !valid(time)) return libc().nanosleep(time, rest);
  return sleep_unless_killed(duration(*time));
}

int clock_nanosleep(clockid_t clock, int flags, const timespec* time, timespec* rest) {
  timespec now{};
  if (!cooperative() || !valid(time) || (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC))
    return libc().clock_nanosleep(clock, flags, time, rest);
  if (flags & TIMER_ABSTIME) clock_gettime(clock, &now);
  const bool slept = sleep_unless_killed(duration(*time) - duration(now)) == 0;
  return slept ? 0 : errno;  // which it returns
}

int usleep(useconds_t time) {
  if (!cooperative()) return libc().usleep(time);
  return sleep_unless_killed(std::chrono::microseconds(time));
}

unsigned sleep(unsigned time) {
  if (!cooperative()) return libc().sleep(time);
  return sleep_unless_killed(std::chrono::seconds(time)) == 0 ? 0 : time;
}

// #region getaddrinfo
int getaddrinfo(const char* host, const char* service, const addrinfo* hints,
                addrinfo** result) try {
  if (!cooperative() || !host) return libc().getaddrinfo(host, service, hints, result);
  addrinfo wanted = hints ? *hints : addrinfo{};
  if (!hints) wanted.ai_flags = AI_V4MAPPED | AI_ADDRCONFIG;  // what libc takes then
  addrinfo numeric = wanted;
  numeric.ai_flags |= AI_NUMERICHOST;
  const int answer = libc().getaddrinfo(host, service, &numeric, result);
  if (answer != EAI_NONAME || wanted.ai_flags & AI_NUMERICHOST) return answer;

  const auto lookup = std::make_shared<Lookup>(host, service, wanted);
  if (!on_a_real_thread([lookup] { lookup->run(); })) return cancelled(), EAI_SYSTEM;
  *result = std::exchange(lookup->found, nullptr);
  errno = lookup->error;
  return lookup->answer;
} catch (const std::exception&) {  // no thread, no memory
  return EAI_AGAIN;
}
// #endregion getaddrinfo

// Newer versions of cpp-httplib call this. glibc would look the names up on threads of its own.
// Here the answers are complete on return, so gai_suspend() has nothing to wait for.
int getaddrinfo_a(int mode, gaicb* requests[], int count, sigevent* event) {
  if (!cooperative() || (event && event->sigev_notify != SIGEV_NONE))
    return libc().getaddrinfo_a(mode, requests, count, event);
  for (int i = 0; i < count; ++i)
    if (gaicb* const one = requests[i])
      one->__return = getaddrinfo(one->ar_name, one->ar_service, one->ar_request, &one->ar_result);
  return 0;
}

int pthread_join(pthread_t thread, void** value) try {
  if (!cooperative() || pthread_equal(thread, pthread_self()))
    return libc().pthread_join(thread, value);
  int result;
  while ((result = pthread_tryjoin_np(thread, value)) == EBUSY)
    green::sleep_for(std::chrono::milliseconds(2));
  return result;
} catch (const std::bad_alloc&) {
  return libc().pthread_join(thread, value);
}

// If the caller's buffer is too small, libc's own function reports it and ends the program.
int __poll_chk(pollfd* fds, nfds_t count, int timeout, size_t room) {
  if (room / sizeof(pollfd) < count) return libc().__poll_chk(fds, count, timeout, room);
  return poll(fds, count, timeout);
}

ssize_t __recv_chk(int fd, void* data, size_t size, size_t room, int flags) {
  if (room < size) return libc().__recv_chk(fd, data, size, room, flags);
  return recv(fd, data, size, flags);
}

ssize_t __recvfrom_chk(int fd, void* data, size_t size, size_t room, int flags, sockaddr* from,
                       socklen_t* length) {
  if (room < size) return libc().__recvfrom_chk(fd, data, size, room, flags, from, length);
  return recvfrom(fd, data, size, flags, from, length);
}

ssize_t __read_chk(int fd, void* data, size_t size, size_t room) {
  if (room < size) return libc().__read_chk(fd, data, size, room);
  return read(fd, data, size);
}

}  // extern "C"

// #region patch_all
void green::patch_all() {
  const auto check = [](const std::string& name, void* ours, void* theirs) {
    const bool wins = dlsym(RTLD_DEFAULT, name.c_str()) == ours;
    if (!wins || !theirs || theirs == ours)
      throw std::runtime_error("green::patch_all: libraries still call libc's " + name +
                               "(): link green/patch.cpp into the executable itself, not into a "
                               "shared library, with default visibility and a shared libc");
  };
#define CALL(name) \
  check(#name, reinterpret_cast<void*>(::name), reinterpret_cast<void*>(libc().name));
  FOR_EACH_CALL(CALL)
#undef CALL
  check_owner();  // the hub begins here, and belongs to this OS thread
  std::signal(SIGPIPE, SIG_IGN);
  patched = true;
}
// #endregion patch_all
