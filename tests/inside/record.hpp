// Runs a program under strace.

#pragma once

#include <string>
#include <vector>

namespace inside {

struct Recorded {
  std::string log;    // strace's
  long peak_kib = 0;  // the memory that the program held at most
  int status = 0;     // of the program, or 128 and the signal that killed it
};

// Runs `command`, without its output, as `strace` allows. Throws std::runtime_error, with strace's
// own words, if it may not look into the program.
Recorded record(const std::vector<std::string>& command, const std::string& strace = "strace");

}  // namespace inside
