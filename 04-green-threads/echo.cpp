// A coroutine, before there is any network: a function that stops in the middle, and goes on from
// there when it is resumed. This one says what it was sent. It has a stack of its own, so that it
// could stop in a function that it calls, too: that is what makes a green thread of a coroutine.

#include <boost/context/fiber.hpp>
#include <cstdio>
#include <string>
#include <utility>

namespace context = boost::context;

// #region echo
std::string sent;  // what goes into the coroutine with the next resume()

// Boost gives a coroutine its caller, as something to resume, and takes one to go on with at its
// end.
context::fiber echo(context::fiber&& caller) {
  std::puts("  started");
  for (;;) {
    caller = std::move(caller).resume();  // stops here until it is sent something
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
