// Runs the contestants one after the other, in rounds.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "results.hpp"

struct Plan {
  std::vector<std::int64_t> sizes{10, 100, 1'000, 4'000, 10'000};  // URLs at once, with a delay
  std::int64_t throughput = 1'000;                                 // URLs at once, without one
  std::string delay = delayed;
  int rounds = 3;
  std::int64_t few = 50, many = 250;  // URLs for which system calls are counted
  std::uint32_t seed = 0;             // of the order
  std::vector<std::string> only;      // contestants with one of these in their names; all if empty
};

// Runs all that are there; tells on stderr how far it is. Throws std::runtime_error when nothing
// can be measured at all.
Fetching measure_fetching(const Plan& plan);

// This machine, its compiler and libraries, now.
About about(const std::string& command);
