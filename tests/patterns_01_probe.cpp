// 01's patterns, where things go wrong.

#pragma GCC diagnostic ignored "-Wreturn-type"  // main needs no return, others do
#define main of_the_patterns
#include "../01-sync/patterns.cpp"
#undef main

int main() try {
  const int closed = 999;
  ask(closed, 1s);
} catch (const std::exception& error) {
  say("no server", error.what());
}
