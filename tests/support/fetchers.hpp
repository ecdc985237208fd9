// The chapters' programs that must keep the contract. Add a new one in fetchers.cpp.

#pragma once

#include <string>
#include <vector>

#include "process.hpp"

using Lines = std::vector<std::string>;

struct Fetcher {
  std::string program;         // below the build folder
  std::string agent;           // its User-Agent
  std::string engine;          // what speaks HTTP for it, to its first URL at least
  bool concurrent;             // whether it fetches all URLs at once
  bool on_one_thread = false;  // and needs no second thread or process for that
};

const std::vector<Fetcher>& fetchers();

// The command that has the fetcher fetch the URLs.
Lines command(const Fetcher& fetcher, const Lines& urls);

Result fetch(const Fetcher& fetcher, const Lines& urls, Process::Options options = {});

// The lines of a text.
Lines lines(const std::string& text);

// Each of the texts, with `end` behind.
Lines each(const Lines& texts, const std::string& end);

// Lines that only one of the two has, in whatever order: `+` those found, `-` those expected.
Lines difference(Lines found, Lines expected);

// Checks that there is one line for each URL, and a reason for each Bad. Returns how many are OK.
std::size_t count_ok(const Result& result, const Lines& urls);
