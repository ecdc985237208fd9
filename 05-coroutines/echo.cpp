// 04's echo, stackless: it says what it was sent each time it is resumed, but has no stack of its
// own. The compiler turns it into an object, the frame, with what lives across a suspension. How it
// behaves is for a library to say: C++20 asks its promise_type. 04 prints the same lines.

#include <coroutine>
#include <cstdio>
#include <exception>
#include <string>
#include <utility>

// #region generator
class Generator {
 public:
  // The part of the frame that its owner sees. The compiler calls each of these at its step.
  struct promise_type {
    std::string value;  // what a `co_yield` sends out, and then what it was sent
    std::exception_ptr error;

    Generator get_return_object() { return Generator(Frame::from_promise(*this)); }
    std::suspend_always initial_suspend() noexcept { return {}; }  // created is not yet started
    std::suspend_always final_suspend() noexcept { return {}; }    // the owner destroys the frame
    void return_void() noexcept {}
    void unhandled_exception() { error = std::current_exception(); }

    // #region yield
    struct Yield {
      promise_type& promise;
      bool await_ready() noexcept { return false; }                    // always suspend,
      void await_suspend(std::coroutine_handle<>) noexcept {}          // back into resume(),
      std::string await_resume() { return std::move(promise.value); }  // and be worth what was sent
    };
    Yield yield_value(std::string out) {
      value = std::move(out);
      return {*this};
    }
    // #endregion yield
  };

  Generator(Generator&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  Generator& operator=(Generator&&) = delete;
  ~Generator() {
    if (frame_) frame_.destroy();
  }

  // Has its co_yield return `value`, and runs it to the next one. Throws what it throws.
  void send(std::string value) {
    frame_.promise().value = std::move(value);
    frame_.resume();
    if (auto error = std::exchange(frame_.promise().error, {})) std::rethrow_exception(error);
  }
  void start() { send({}); }
  explicit operator bool() const { return !frame_.done(); }

 private:
  using Frame = std::coroutine_handle<promise_type>;
  explicit Generator(Frame frame) : frame_(frame) {}
  Frame frame_;
};
// #endregion generator

// #region echo
Generator echo() {
  std::puts("  started");
  for (std::string sent;;) {
    sent = co_yield sent;  // stops here until it is sent something
    if (sent.empty()) break;
    std::printf("  received: %s\n", sent.c_str());
  }
  std::puts("  ended");
}
// #endregion echo

// #region main
int main() {
  std::puts("create it: nothing runs yet");
  Generator coroutine = echo();
  std::puts("start it: it runs until it stops to be sent something");
  coroutine.start();
  for (const char* word : {"hello", "world", ""}) {
    std::printf("send \"%s\"\n", word);
    coroutine.send(word);
  }
  std::puts(coroutine ? "it is still there" : "it is over");
}
// #endregion main
