// FAIL: line 5 of the output should be `14`, and is missing

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

// A number that comes later. Copies share it.
class Deferred {
 public:
  void fire(int value) const {
    state_->value = value;
    if (state_->callback) std::exchange(state_->callback, nullptr)(value);
  }

  // Calls f(number) once the number is there. Returns the Deferred of what f returns: if that is a
  // Deferred itself, it fires when that one does.
  template <typename F>
  Deferred then(F f) const {
    const Deferred behind;
    when_fired([f, behind](int value) {
      if constexpr (std::is_same_v<decltype(f(value)), Deferred>)
        f(value).when_fired([behind](int result) { behind.fire(result); });
      else
        behind.fire(f(value));
    });
    return behind;
  }

 private:
  struct State {
    std::optional<int> value;
    std::function<void(int)> callback;
  };

  void when_fired(std::function<void(int)> callback) const {
    state_->callback = std::move(callback);
  }

  std::shared_ptr<State> state_ = std::make_shared<State>();
};

std::deque<std::function<void()>> waiting;  // jobs that the outside world finishes later

// Fires with `number`, later.
Deferred later(int number) {
  const Deferred deferred;
  waiting.push_back([=] { deferred.fire(number); });
  return deferred;
}

int twice(int number) { return 2 * number; }
int print(int number) {
  std::printf("%d\n", number);
  return number;
}

int main(int argc, char* argv[]) {
  const int number = argc > 1 ? std::atoi(argv[1]) : 1;
  later(number).then(twice).then(twice).then(print);                                 // 4 times
  later(number).then([](int n) { return later(n + 100); }).then(twice).then(print);  // it waits
  const Deferred first = later(number).then(print);
  std::puts("nothing yet");
  for (; !waiting.empty(); waiting.pop_front()) waiting.front()();
  first.then(twice).then(print);                       // it has fired already: at once
  first.then([=](int) { return first; }).then(print);  // and so has the one to wait for
}
