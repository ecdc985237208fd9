// FAIL: they slept one after the other

#include <dlfcn.h>
#include <time.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "green/green.hpp"

// An executable's function wins over libc's of that name: std::this_thread::sleep_for comes here.
int my_nanosleep(const timespec* time, timespec* left) {
  static const auto libc_nanosleep =
      reinterpret_cast<decltype(&::nanosleep)>(dlsym(RTLD_NEXT, "nanosleep"));
  if (!green::detail::in_green()) return libc_nanosleep(time, left);
  green::sleep_for(std::chrono::seconds(time->tv_sec) + std::chrono::nanoseconds(time->tv_nsec));
  return 0;
}

// Does not know of green threads.
void nap(int milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
  std::printf("%d ms\n", milliseconds);
}

int main(int argc, char* argv[]) {
  for (int i = 1; i < argc; ++i) green::spawn(nap, std::atoi(argv[i]));
  std::jthread real(nap, 50);
  green::join_all();
}
