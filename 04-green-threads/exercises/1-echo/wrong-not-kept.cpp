// CRASH: nobody caught the boost::context::detail::forced_unwind

#include <boost/context/fiber.hpp>
#include <cstdio>
#include <functional>
#include <string>
#include <utility>

namespace context = boost::context;

// A function that runs in pieces. In it, receive() stops until something is sent.
class Coroutine {
 public:
  explicit Coroutine(std::function<void(Coroutine&)> body)
      : inside_([this, body = std::move(body)](context::fiber&& caller) {
          outside_ = std::move(caller);
          body(*this);
          return std::move(outside_);
        }) {
    inside_ = std::move(inside_).resume();  // runs to its first receive()
  }
  Coroutine(const Coroutine&) = delete;

  // Makes receive() return `value`, and runs to the next receive() or to the end.
  void send(std::string value) {
    sent_ = std::move(value);
    inside_ = std::move(inside_).resume();
  }

  std::string receive() {
    auto somebody = std::move(outside_).resume();
    return std::move(sent_);
  }

  bool is_over() const { return !inside_; }

 private:
  context::fiber inside_, outside_;  // the one that runs now is empty
  std::string sent_;
};

// It may also stop in a function that the coroutine calls, because the stack is kept.
std::string ask(Coroutine& me, int number) {
  const std::string word = me.receive();
  return word.empty() ? word : std::to_string(number) + ": " + word;
}

void echo(Coroutine& me) {
  std::puts("started");
  int count = 0;
  for (std::string line; !(line = ask(me, ++count)).empty();) std::puts(line.c_str());
  std::printf("ended after %d\n", count - 1);
}

int main(int argc, char* argv[]) {
  Coroutine one(echo), other(echo);
  for (int i = 1; i < argc; ++i) (i % 3 == 0 ? other : one).send(argv[i]);
  one.send("");
  other.send("");
  std::puts(one.is_over() && other.is_over() ? "both are over" : "one is still there");
}
