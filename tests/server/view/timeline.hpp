// Draws recorded runs on one time scale. A waterfall has a row for each request. A run of more than
// `most_rows` requests becomes a skyline, the number in flight over time.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "recorder.hpp"

namespace timeline {

using Runs = std::vector<std::shared_ptr<const Run>>;

constexpr std::size_t most_rows = 100;

// The run's name, such as 02-threads, and a line about it.
std::string name(const Run& run);
std::string summary(const Run& run, Clock::time_point now);

// How the request ended, if not with status 200: `404`, `cut off`, `no answer`, or `bytes` if they
// were not sent as an answer with a status. Empty for 200.
std::string outcome(const Bar& bar);

// How long the run has taken so far.
Micros span(const Run& run, Clock::time_point now);

// Requests that are still in flight are drawn up to `now`. The scale reaches to `least` at least.
std::string svg(const Runs& runs, Clock::time_point now, Micros least = {});

// The same for a terminal, `width` columns wide, at least 40.
std::string text(const Runs& runs, Clock::time_point now, Micros least = {}, std::size_t width = 80,
                 bool ascii = false);

// The same as Chrome trace events, which Perfetto and chrome://tracing open. A run is a process;
// its threads are as many as there were requests at once.
std::string trace(const Runs& runs, Clock::time_point now);

}  // namespace timeline

// `text` as a string of JSON.
std::string json_string(std::string_view text);
