// A coroutine without any network: a function that stops in the middle, and goes on from there when
// it is resumed. This one prints what it was sent. It has a stack of its own, so it could also stop
// in a function that it calls. Green threads need that.

#include <boost/context/fiber.hpp>
#include <cstdio>
#include <string>
#include <utility>

namespace context = boost::context;

// #region echo
std::string sent;  // what the next resume() sends into the coroutine

// Boost passes the caller, as a fiber to resume. At the end, the coroutine returns the fiber that
// goes on.
context::fiber echo(context::fiber&& caller) {
  std::puts("  started");
  for (;;) {
    caller = std::move(caller).resume();  // stops here until something is sent
    if (sent.empty()) break;
    std::printf("  received: %s\n", sent.c_str());
  }
  std::puts("  ended");
  return std::move(caller);
}
// #endregion echo

// #region main
int main() {
  std::puts("create it: nothing runs yet");
  context::fiber coroutine(echo);
  std::puts("start it: it runs until it stops to be sent something");
  coroutine = std::move(coroutine).resume();
  for (const char* word : {"hello", "world", ""}) {
    std::printf("send \"%s\"\n", word);
    sent = word;
    coroutine = std::move(coroutine).resume();
  }
  std::puts(coroutine ? "it is still there" : "it is over");
}
// #endregion main
