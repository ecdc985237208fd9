// One run of one program under one load, measured from outside.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

struct Run {
  std::int64_t wall = 0, cpu = 0, server_cpu = 0;  // microseconds; CPU is user and system
  std::int64_t peak = 0;                           // KiB that all its processes had at once
  std::int64_t processes = 0, threads = 0, descriptors = 0, in_flight = 0;  // the most at once
  std::string lost;  // what went wrong; empty if each URL got its OK
};

// Runs `command` with `n` URLs of `path` behind, each another one, on a test server of their own.
Run measure(std::vector<std::string> command, const std::string& path, std::int64_t n);
