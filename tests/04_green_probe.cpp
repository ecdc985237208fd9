// Shows what chapter 04's green threads can only show in a program of their own. The first argument
// says what; tests/04_programs_test.cpp runs it. Built twice, once with a patch that is not
// visible.

#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <exception>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "green/green.hpp"

namespace {

// Two that sleep: do they take turns?
void turns() {
  for (const char* name : {"a", "b"})
    green::spawn([name] {
      std::printf("%s ", name);
      usleep(1000);
      std::printf("%s ", name);
    });
  green::join_all();
}

[[gnu::noinline]] int overflow(int depth) {
  volatile char frame[1000] = "";
  frame[depth % 1000] = 1;
  return frame[1] == 2 ? 0 : overflow(depth + 1) + frame[0];
}

void many_stacks() {
  std::size_t count = 0;
  try {
    for (; count < 100'000; ++count) green::spawn([] {});
  } catch (const std::exception& error) {
    std::printf("%s\n", error.what());
  }
  green::join_all();  // those that there are run all the same
  std::printf("%s\n", count > 1000 ? "many" : "few");
  green::join(green::spawn([] { std::printf("one more\n"); }));
}

void have(const char* name) {
  std::printf("%s has it\n", name);
  std::fflush(stdout);
  usleep(1000);
  std::printf("%s leaves it\n", name);
}

// One has the lock and waits; the other one wants it.
void share(const std::function<void(const char* name)>& lock_and_have) {
  for (const char* name : {"1", "2"}) green::spawn([&, name] { lock_and_have(name); });
  green::join_all();
}

template <typename Mutex>
void share() {
  Mutex one;
  share([&](const char* name) {
    const std::lock_guard lock(one);
    have(name);
  });
}

void have_static(const char* name) {
  [[maybe_unused]] static const bool initialized = (have(name), true);
}

int run(const std::string& what) {
  if (what == "unpatched") return turns(), 0;
  green::patch_all();
  if (what == "patched") turns();
  if (what == "overflow") green::join(green::spawn([] { overflow(0); }));
  if (what == "many-stacks") many_stacks();
  if (what == "mutex") share<std::mutex>();
  if (what == "recursive-mutex") share<std::recursive_mutex>();
  if (what == "static") share(have_static);
  if (what == "unjoined") {
    green::spawn([] { throw std::runtime_error("nobody joins me"); });
    green::join_all();
  }
  if (what == "straggler") {
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0) return 1;
    struct Loud {
      ~Loud() { std::printf("unwound\n"); }
    };
    green::spawn([fd = fds[0]] {
      const Loud loud;
      char data;
      recv(fd, &data, 1, 0);
    });
    if (!green::join_all(std::chrono::milliseconds(10))) std::printf("left behind\n");
  }
  return 0;
}

}  // namespace

int main(int argc, char* argv[]) try {
  return run(argc > 1 ? argv[1] : "");
} catch (const std::exception& error) {
  std::printf("%s\n", error.what());
  return 3;
}
