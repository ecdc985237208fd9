// A handler that takes too long stops all the others, without any message. A watchdog on a thread
// of its own sees that, and prints where the handler is. It works for any event loop.

#pragma once

#include <cxxabi.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <pthread.h>
#include <semaphore.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>

// Watches the thread that makes it, until it is destroyed. That thread's loop must call beat()
// several times within `limit`. There may be one watchdog in a program: it uses SIGUSR1.
class Watchdog {
 public:
  explicit Watchdog(std::chrono::milliseconds limit) : limit_(limit) {
    backtrace(frames, 1);  // its first call allocates, which a signal handler must not
    sem_init(&noted, 0, 0);
    std::signal(SIGUSR1, note_frames);
    watcher_ = std::jthread([this](std::stop_token stop) { watch(stop); });
  }
  void beat() { ++beats_; }
  int barks() const { return barks_; }  // how often it has looked at the loop's stack

 private:
  // #region watch
  void watch(std::stop_token stop) {
    for (int last = -1;;) {
      std::this_thread::sleep_for(limit_);
      if (stop.stop_requested()) return;
      const int now = beats_;
      if (now == last) bark();
      last = now;
    }
  }

  void bark() {
    pthread_kill(loop_, SIGUSR1);  // the loop's thread looks at its own stack
    while (sem_wait(&noted) != 0) {
    }
    std::fprintf(stderr, "the loop has stood still for %d ms, in\n", int(limit_.count()));
    for (int i = 2; i < depth; ++i)  // behind note_frames and the call of it
      if (const std::string name = function(frames[i]); !name.empty())
        std::fprintf(stderr, "  %s\n", name.c_str());
  }
  // #endregion watch

  static void note_frames(int) {
    const int error = errno;  // of the function that this interrupts
    depth = backtrace(frames, 100);
    ++barks_;
    sem_post(&noted);
    errno = error;
  }

  // The name of the function that has this address. Empty for one that the linker does not know,
  // and for Boost's and libc's, and for templates, which would fill the page.
  static std::string function(void* address) {
    Dl_info info;
    if (!dladdr(address, &info) || !info.dli_sname) return "";
    const std::unique_ptr<char, decltype(&std::free)> name(
        abi::__cxa_demangle(info.dli_sname, nullptr, nullptr, nullptr), std::free);
    const std::string text = name ? name.get() : info.dli_sname;
    const bool is_ours =
        text.find('<') == text.npos && text.rfind("boost::", 0) != 0 && text[0] != '_';
    return is_ours ? text : "";
  }

  static inline void* frames[100];
  static inline int depth = 0;
  static inline sem_t noted;
  static inline std::atomic<int> barks_ = 0;

  const std::chrono::milliseconds limit_;
  const pthread_t loop_ = pthread_self();
  std::atomic<int> beats_ = 0;
  std::jthread watcher_;  // the last member, so that it is joined before the others go
};
