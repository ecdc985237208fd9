// 04's echo without a stack of its own: each time it is resumed, it prints what it was sent. The
// compiler turns it into an object, the frame, which holds what must survive a suspension. Its
// promise_type, which a library defines, decides how it behaves. 04 prints the same lines.

#include <coroutine>
#include <cstdio>
#include <exception>
#include <string>
#include <utility>

// #region generator
class Generator {
 public:
  // The part of the frame that its owner can use. The compiler calls each function at its step.
  struct promise_type {
    std::string value;  // what a `co_yield` sends out, and then what it was sent
    std::exception_ptr error;

    Generator get_return_object() { return Generator(Frame::from_promise(*this)); }
    std::suspend_always initial_suspend() noexcept {
      return {};
    }  // does not start when it is created
    std::suspend_always final_suspend() noexcept { return {}; }  // the owner destroys the frame
    void return_void() noexcept {}
    void unhandled_exception() { error = std::current_exception(); }

    // #region yield
    struct Yield {
      promise_type& promise;
      bool await_ready() noexcept { return false; }                    // always suspend,
      void await_suspend(std::coroutine_handle<>) noexcept {}          // back into resume(),
      std::string await_resume() { return std::move(promise.value); }  // the value of the co_yield
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

  // Makes its co_yield return `value`, and runs it to the next one. Throws what it throws.
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
    sent = co_yield sent;  // stops here until something is sent
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
