// Runs any sequence of operations on Deferreds. Each callback must run at most once, the only error
// is std::logic_error, and LeakSanitizer finds leaks.

#include "deferred.hpp"

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <vector>

namespace {

class Machine {
 public:
  Machine(const std::uint8_t* data, std::size_t size) : data_(data), end_(data + size) {}

  void run() {
    while (data_ != end_) try {
        step();
      } catch (const std::logic_error&) {  // fired twice, or a second callback
      }
  }

 private:
  unsigned next() { return data_ == end_ ? 0 : *data_++; }
  Deferred<int>& any() { return pool_[next() % pool_.size()]; }
  void keep(const Deferred<int>& made) { pool_[next() % pool_.size()] = made; }

  // What a callback does first: it must not have run before.
  static auto once() {
    return [ran = std::make_shared<bool>(false)] {
      if (std::exchange(*ran, true)) std::abort();
    };
  }

  static std::vector<Deferred<int>> fresh() {  // eight, each with a state of its own
    std::vector<Deferred<int>> all;
    while (all.size() < 8) all.emplace_back();
    return all;
  }

  void step() {
    const unsigned operation = next();
    switch (operation % 15) {
      case 0:
        return keep(Deferred<int>());
      case 1:
        return keep(Deferred<int>([run = once()] { run(); }));
      case 2:
        return any().callback(int(next()));
      case 3:
        return any().errback(std::make_exception_ptr(std::runtime_error("an error")));
      case 4:
        return any().cancel();
      case 5:
        return keep(any().add_callback([run = once()](int value) { return run(), value + 1; }));
      case 6:
        return keep(any().add_callback([run = once()](int) -> int {
          run();
          throw std::runtime_error("thrown");
        }));
      case 7:
        return keep(any().add_errback([run = once()](std::exception_ptr) { return run(), 1; }));
      case 8:
        return keep(
            any().add_errback<Cancelled>([run = once()](const Cancelled&) { return run(), 2; }));
      case 9: {  // goes on with another; the callback must not own it, which might own the callback
        const unsigned other = next() % pool_.size();
        return keep(
            any().add_callback([this, run = once(), other](int) { return run(), pool_[other]; }));
      }
      case 10:  // fires, cancels, adds from within
        return keep(any().add_both([this, run = once()](Result<int> result) {
          run();
          if (++depth_ < 50) try {
              step();
            } catch (const std::logic_error&) {
            }
          --depth_;
          return result;
        }));
      case 11: {
        std::vector<Deferred<int>> some;
        for (unsigned count = next() % 4; count > 0; --count) some.push_back(any());
        // Kept apart from the others: a callback that returned what waits for it by way of a gather
        // would be a circle that nobody finds.
        gathered_[next() % gathered_.size()] = gather(some).add_callback(
            [run = once()](const auto& results) { return run(), int(results.size()); });
        return;
      }
      case 12: {
        const Deferred<int> fresh([this] {
          if (++depth_ < 50) try {
              step();
            } catch (const std::logic_error&) {
            }
          --depth_;
        });
        return keep(fresh);
      }
      case 13:
        return keep(succeed(int(next())));
      case 14:
        return gathered_[next() % gathered_.size()].cancel();
    }
  }

  const std::uint8_t *data_, *end_;
  int depth_ = 0;
  std::vector<Deferred<int>> pool_ = fresh(), gathered_ = fresh();
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  on_unhandled_error = [](std::exception_ptr) {};
  if (size < 4096) Machine(data, size).run();
  return 0;
}
