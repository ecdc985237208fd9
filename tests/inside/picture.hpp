// Draws what happened inside fetchers, all on one scale of time: a lane for each thread, and below
// the lanes whatever waited meanwhile.

#pragma once

#include <string>
#include <vector>

#include "lanes.hpp"

namespace inside {

struct Subject {
  std::string chapter;  // such as 03-callbacks
  Inside inside;
  long peak_kib = 0;  // of memory; 0 if it is not known
};

// The scale reaches to `least` at least.
std::string svg(const std::vector<Subject>& subjects, const std::vector<std::string>& urls,
                Micros least = {});

struct Style {
  std::size_t width = 80;
  bool ascii = false, coloured = false;
};

// The same for a terminal.
std::string text(const std::vector<Subject>& subjects, const std::vector<std::string>& urls,
                 Micros least = {}, Style style = {});

}  // namespace inside
