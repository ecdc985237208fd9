// One slow handler stops the whole loop. The watchdog says which one it is.

#include <chrono>
#include <exception>

#include "deferred.hpp"
#include "reactor.hpp"
#include "watchdog.hpp"

using namespace std::chrono_literals;

// #region heart
// Beats while the loop runs: each beat is a handler, which asks for the next one.
Deferred<void> heart(Reactor& reactor, Watchdog& watchdog) {
  watchdog.beat();
  return reactor.call_later(5ms).add_callback([&] { return heart(reactor, watchdog); });
}
// #endregion heart

// Imagine that it sorts a million rows. It computes until the watchdog complains.
[[gnu::noinline]] void sort_everything(const Watchdog& watchdog) {
  for (const int before = watchdog.barks(); watchdog.barks() == before;) {
  }
}

int main() {
  Watchdog watchdog(50ms);
  return react([&](Reactor& reactor) {
    const auto beating = heart(reactor, watchdog).add_errback([](std::exception_ptr) {});
    return reactor.call_later(100ms).add_callback([&watchdog, beating] {
      sort_everything(watchdog);
      beating.cancel();
    });
  });
}
