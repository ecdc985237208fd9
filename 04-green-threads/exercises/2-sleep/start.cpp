// 04.2 A sleep that lets the others run. TODO: replace libc's nanosleep.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "green/green.hpp"

// TODO: extern "C" int nanosleep(...)

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
