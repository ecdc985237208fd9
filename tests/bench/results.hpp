// The results, as in results.json: times in microseconds, memory in KiB.

#pragma once

#include <boost/describe/class.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

struct Spread {
  std::int64_t median = 0, least = 0, most = 0;
};
BOOST_DESCRIBE_STRUCT(Spread, (), (median, least, most))

// Of some values, in whatever order; all 0 if there are none.
Spread spread(std::vector<std::int64_t> values);

// One program's runs under one load.
struct Cell {
  std::string program;  // a contestant's name
  std::string path;     // what is asked of the server: /delay/1, or /status/200 for no delay
  std::int64_t n = 0;   // URLs, all given at once
  std::int64_t rounds = 0;
  Spread wall, cpu, user, faults, server_cpu, peak;
  std::int64_t processes = 0, threads = 0, descriptors = 0;  // the most at once
  std::int64_t in_flight = 0;  // the most at once, as the server saw it; the least of all rounds
  std::string lost;            // why this is no result; empty if it is one
};
BOOST_DESCRIBE_STRUCT(Cell, (),
                      (program, path, n, rounds, wall, cpu, user, faults, server_cpu, peak,
                       processes, threads, descriptors, in_flight, lost))

// The conditions of a measurement.
struct About {
  std::string date, command, machine;
  std::map<std::string, std::string> versions;
};
BOOST_DESCRIBE_STRUCT(About, (), (date, command, machine, versions))

// A program that does not run at some sizes, or not at all, and why.
struct Absence {
  std::string program, why;
};
BOOST_DESCRIBE_STRUCT(Absence, (), (program, why))

// The system calls of one program for some fetches beyond the first, by name.
struct Calls {
  std::string program;
  std::int64_t fetches = 0;
  std::map<std::string, std::int64_t> calls;
  double each() const;  // all of them, per fetch
};
BOOST_DESCRIBE_STRUCT(Calls, (), (program, fetches, calls))

struct Fetching {
  About about;
  std::int64_t seed = 0;  // of the order in each round
  std::vector<Absence> absences;
  std::vector<Cell> cells;
  std::vector<Calls> calls;
};
BOOST_DESCRIBE_STRUCT(Fetching, (), (about, seed, absences, cells, calls))

// Requests per second that wrk got from each.
struct Serving {
  About about;
  std::int64_t rounds = 0;
  Spread test_server, nginx;
};
BOOST_DESCRIBE_STRUCT(Serving, (), (about, rounds, test_server, nginx))

// How long a learner waits: from the edit of a program to its binary; for everything.
struct Building {
  About about;
  std::int64_t rounds = 0;
  std::map<std::string, Spread> edits;  // by program
  std::int64_t clean = 0, tests = 0, number_of_tests = 0;
};
BOOST_DESCRIBE_STRUCT(Building, (), (about, rounds, edits, clean, tests, number_of_tests))

// Each part stands for itself: one with no date was not measured.
struct Results {
  Fetching fetching;
  Serving serving;
  Building building;

  // The cell if it is there and nothing was lost, otherwise null.
  const Cell* find(const std::string& program, const std::string& path, std::int64_t n) const;
  // Peak memory in bytes for each fetch beyond the first ten; 0 if it is not known.
  double bytes_per_fetch(const Cell& cell) const;
  // Page faults likewise.
  double faults_per_fetch(const Cell& cell) const;
  // Null if they were not counted.
  const Calls* calls(const std::string& program) const;
};
BOOST_DESCRIBE_STRUCT(Results, (), (fetching, serving, building))

constexpr char delayed[] = "/delay/1", at_once[] = "/status/200", over_tls[] = "https:/status/200";

// Throw std::runtime_error. A file that is not there has no results.
Results load(const std::string& file);
void save(const Results& results, const std::string& file);

// A target: a ratio, or a figure with its unit.
struct Target {
  std::string what;
  double value, limit;  // `value` is NaN if it was not measured
  const char* unit;     // behind the number
  bool at_least;        // or else at most
  bool met() const { return at_least ? value >= limit : value <= limit; }
};
std::vector<Target> targets(const Results& results);
