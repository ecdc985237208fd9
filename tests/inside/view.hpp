// What the picture and the text have in common.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "picture.hpp"

namespace inside {

// What a chapter keeps for a URL that waits. Threads and stacks are seen. Callbacks and frames are
// not; the chapter's source tells of them.
enum class Keeps { nothing, thread, callbacks, green_stack, frames };

Keeps keeps(const Subject& subject);

// Such as `1 thread, asleep 98 % of 1.01 s, 12 MB of memory at most`.
std::string summary(const Subject& subject);

// What waits meanwhile, as far as the kernel saw it: URLs and stacks.
std::string seen(const Subject& subject);

// What no call to the kernel shows, and only the program's source tells; empty if there is nothing.
std::string known(const Subject& subject);

// Each URL without the part that all of them share.
std::vector<std::string> labels(const std::vector<std::string>& urls);

std::string lane_name(std::size_t lane);

Micros longest(const std::vector<Subject>& subjects, Micros least);

// Awake between two sleeps; or one sleep.
struct Turn {
  Micros from{}, to{};
  std::string asleep;                 // the call; empty if awake
  Owner waits_for;                    // asleep, if it is for one URL
  std::vector<Span> spans;            // awake
  std::vector<Owner> owners() const;  // each once, in the order of their first spans
};

std::vector<Turn> turns(const Lane& lane);

// More lanes or URLs than that are counted, not drawn.
constexpr std::size_t most_rows = 100;

}  // namespace inside
