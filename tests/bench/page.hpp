// Turns the results into tables, for the terminal and for the READMEs.

#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "results.hpp"

// All of it, for a terminal.
std::string report(const Results& results);

// `text` with what stands between each <!-- bench WORD... --> and its <!-- bench end --> written
// anew. WORD... is one of
//   about fetching|serving|building           under what that was measured
//   table N [NAME, NAME...]                   N URLs at once, with a delay
//   costs N [NAME...]                         the same in brief
//   work N [NAME...]                          where the time of each fetch goes, and its memory
//   calls [NAME...]                           the system calls of each fetch
//   seed                                      of the order
//   tls [NAME...]                             the same as throughput, over TLS
//   throughput                                without one
//   figure NAME N time|cpu|peak|each|cpu-each a number within a sentence
//   ratio NAME OTHER N                        how much more CPU it takes than another
//   targets | absences | serving | building
// Throws std::runtime_error for others.
std::string refreshed(const std::string& text, const Results& results);

// Writes the READMEs and slides below `root`, and the pictures of tests/bench, anew. Returns which
// of these changed; or would have, if `only_look`.
std::vector<std::filesystem::path> refresh(const std::filesystem::path& root,
                                           const Results& results, bool only_look);
