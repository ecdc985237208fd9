// One green thread that computes stops all the others. The watchdog says which one it is.

#include <chrono>

#include "green/green.hpp"
#include "watchdog.hpp"

using namespace std::chrono_literals;

// #region heart
// Beats while the hub runs the green threads.
void heart(Watchdog& watchdog, const bool& stop) {
  while (!stop) {
    watchdog.beat();
    green::sleep_for(5ms);
  }
}
// #endregion heart

// Imagine that it sorts a million rows. It computes until the watchdog complains.
[[gnu::noinline]] void sort_everything(const Watchdog& watchdog) {
  for (const int before = watchdog.barks(); watchdog.barks() == before;) {
  }
}

int main() {
  green::patch_all();
  Watchdog watchdog(50ms);
  bool stop = false;
  green::spawn([&] { heart(watchdog, stop); });
  green::spawn([&] {
    green::sleep_for(100ms);
    sort_everything(watchdog);
    stop = true;
  });
  green::join_all();
}
