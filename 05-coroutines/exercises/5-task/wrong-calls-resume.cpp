// CRASH: it used memory that is not its own

#include <coroutine>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <utility>

// A coroutine with a number as its result. It begins when it is awaited.
class Task {
 public:
  struct promise_type {
    long value = 0;
    std::exception_ptr error;
    std::coroutine_handle<> waiter = std::noop_coroutine();  // goes on when this one is over

    struct ResumeWaiter {
      bool await_ready() noexcept { return false; }
      void await_suspend(std::coroutine_handle<promise_type> ended) noexcept {
        ended.promise().waiter.resume();
      }
      void await_resume() noexcept {}
    };

    Task get_return_object() { return Task(Handle::from_promise(*this)); }
    std::suspend_always initial_suspend() noexcept { return {}; }
    ResumeWaiter final_suspend() noexcept { return {}; }
    void return_value(long result) { value = result; }
    void unhandled_exception() { error = std::current_exception(); }
  };

  Task(Task&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (frame_) frame_.destroy();
  }

  // co_await task: starts it. Its value is the task's result; or it throws what the task throws.
  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiter) {
    frame_.promise().waiter = waiter;
    return frame_;
  }
  long await_resume() const {
    if (frame_.promise().error) std::rethrow_exception(frame_.promise().error);
    return frame_.promise().value;
  }

  void start() { frame_.resume(); }  // for one that nobody awaits

 private:
  using Handle = std::coroutine_handle<promise_type>;
  explicit Task(Handle frame) : frame_(frame) {}
  Handle frame_;
};

// The thing to wait for: main resumes it.
struct World {
  std::coroutine_handle<> waiter;
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) { waiter = handle; }
  void await_resume() const noexcept {}
} world;

Task slow_double(long number) {
  std::puts("asked for");
  co_await world;
  co_return 2 * number;
}

Task sum_to(long number) {
  if (number == 0) co_return 0;
  co_return number + co_await sum_to(number - 1);
}

Task fail() {
  throw std::runtime_error("no luck");
  co_return 0;
}

Task all(long number) {
  Task doubled = slow_double(number);
  std::puts("made");
  std::printf("doubled: %ld\n", co_await doubled);
  std::printf("sum: %ld\n", co_await sum_to(number));
  try {
    co_await fail();
  } catch (const std::exception& error) {
    std::printf("failed: %s\n", error.what());
  }
  co_return 0;
}

int main(int, char* argv[]) {
  Task task = all(std::atol(argv[1]));
  task.start();
  std::puts("nothing yet");
  if (world.waiter) world.waiter.resume();
}
