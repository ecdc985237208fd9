// The calls that a program made to the kernel, read from the output of strace.

#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inside {

using Micros = std::chrono::microseconds;

// One call. Its times count from the first line of the log.
struct Call {
  int thread = 0;
  Micros from{}, to{};
  std::string name;
  std::vector<std::string> arguments;  // as strace wrote them
  std::optional<long long> result;     // none if it never returned, as exit does

  // The descriptors that it names first, or that it waits for.
  std::vector<int> descriptors() const;
  // All bytes that its arguments show.
  std::string bytes() const;
};

struct Trace {
  std::vector<Call> calls;  // as they were made
  Micros end{};             // of the last line
};

// Reads the log of `strace -f -ttt -T -o`. Throws std::runtime_error, with the number of the line,
// if it is not one, or breaks off before the program's end, or the program was killed.
Trace parse(std::string_view log);

}  // namespace inside
