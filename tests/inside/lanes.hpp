// From a trace of a fetcher: where each thread slept, and which URL it worked for.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "trace.hpp"

namespace inside {

// The place of a URL among those that were given; none is no URL in particular.
using Owner = std::optional<std::size_t>;

struct Span {
  Micros from{}, to{};
  std::string asleep;  // the call that it sleeps in; empty if it is awake
  Owner owner;         // awake: whom it works for; asleep: the one that it waits for
};

// A thread of the operating system: its spans have no gaps.
struct Lane {
  std::vector<Span> spans;
  std::vector<std::size_t> owners() const;  // all it ever worked for, in order
};

// From the first sign of a URL to the line that tells its verdict.
struct Life {
  Micros from{}, to{};
};

struct Inside {
  std::vector<Lane> lanes;                 // the main thread's first
  std::vector<std::optional<Life>> lives;  // by URL; none if no call is known to be for it
  std::size_t stacks = 0;                  // made beside the main thread's
  Micros end{};

  double asleep() const;             // the part of all lanes' time, from 0 to 1
  std::size_t most_at_once() const;  // of the URLs
};

// All times count from the first work for a URL: what came before, which is loading libraries for
// the most part, is left out.
Inside lanes(const Trace& trace, const std::vector<std::string>& urls);

}  // namespace inside
