// The Deferred by itself, without network or loop. A list of waiting jobs replaces the reactor.

#include <cstdio>
#include <deque>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>

#include "deferred.hpp"

// #region slow_add
std::deque<std::function<void()>> waiting;  // jobs that the outside world finishes later

// Returns at once. The sum comes later, or an error.
Deferred<int> slow_add(int a, int b) {
  const Deferred<int> sum;
  waiting.push_back([=] {
    if (a < 0 || b < 0) return sum.errback(std::make_exception_ptr(std::domain_error("negative")));
    sum.callback(a + b);
  });
  return sum;
}

void run_what_waits() {
  for (; !waiting.empty(); waiting.pop_front()) waiting.front()();
}
// #endregion slow_add

// #region callbacks
int twice(int number) {
  std::printf("  twice: %d\n", 2 * number);
  return 2 * number;
}
void print_number(int number) { std::printf("  number: %d\n", number); }
void print_error(const std::exception& error) { std::printf("  error: %s\n", error.what()); }
// #endregion callbacks

// #region two_callbacks
void two_callbacks_and_an_errback() {
  for (const int a : {1, -1})
    slow_add(a, 2).add_callback(twice).add_callback(print_number).add_errback(print_error);
  std::puts("  nothing yet");
  run_what_waits();
}
// #endregion two_callbacks

// #region longer
void more_callbacks_behind() {
  const Deferred<int> doubled = slow_add(1, 2).add_callback(twice);
  run_what_waits();
  std::puts("  fired; what is added now runs at once:");
  doubled.add_callback(twice).add_callback(print_number);
}
// #endregion longer

// #region pause
// A callback that must wait returns a Deferred. The ones behind it wait too, and do not notice.
void a_callback_that_waits() {
  slow_add(1, 2)
      .add_callback([](int sum) { return slow_add(sum, 100); })
      .add_callback([](int sum) { return "the sum is " + std::to_string(sum); })
      .add_callback([](const std::string& text) { std::printf("  %s\n", text.c_str()); });
  run_what_waits();
}
// #endregion pause

// #region recover
void an_error_that_is_recovered_from() {
  slow_add(-1, 2)
      .add_callback(twice)  // is skipped
      .add_errback<std::domain_error>([](const std::domain_error& error) {
        std::printf("  %s: 0 instead\n", error.what());
        return 0;
      })
      .add_callback(print_number);
  run_what_waits();
}
// #endregion recover

// #region unhandled
void an_error_that_nobody_handles() {
  on_unhandled_error = [](std::exception_ptr error) {
    std::printf("  the chain died with: %s\n", describe(error).c_str());
  };
  slow_add(-1, 2).add_callback(twice);
  run_what_waits();
}
// #endregion unhandled

int main() {
  std::puts("two callbacks and an errback");
  two_callbacks_and_an_errback();
  std::puts("more callbacks behind");
  more_callbacks_behind();
  std::puts("a callback that waits");
  a_callback_that_waits();
  std::puts("an error that is recovered from");
  an_error_that_is_recovered_from();
  std::puts("an error that nobody handles");
  an_error_that_nobody_handles();
}
