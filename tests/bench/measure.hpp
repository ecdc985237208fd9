// One run of one program under one load, measured from outside.

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

struct Run {
  std::int64_t wall = 0, cpu = 0, server_cpu = 0;  // microseconds; CPU is user and system
  std::int64_t user = 0, faults = 0;               // of the CPU; page faults
  std::int64_t peak = 0;                           // KiB that all its processes had at once
  std::int64_t processes = 0, threads = 0, descriptors = 0, in_flight = 0;  // the most at once
  std::string lost;  // what went wrong; empty if each URL got its OK
};

// Runs `command` with `n` URLs of `path` behind, each another one, on a test server of their own.
// A path that begins with https: is asked for over TLS.
Run measure(std::vector<std::string> command, const std::string& path, std::int64_t n);

// How often each system call is made in such a run, by all its threads and processes. It takes
// strace, and so is never a run that is timed. Throws std::runtime_error.
std::map<std::string, std::int64_t> count_calls(std::vector<std::string> command,
                                                const std::string& path, std::int64_t n);
