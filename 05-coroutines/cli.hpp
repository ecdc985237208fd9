// The side of the program that faces the shell. It keeps the promise of exactly one line per URL:
// a URL that has no line when the program ends, whatever lost it, gets its `URL Bad` then.

#pragma once

#include <atomic>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

struct Verdict {
  bool ok;
  std::string reason;  // why not, in words for a person
};

// What main returns: 0 while every URL is OK, 1 once one is Bad.
inline int exit_status = 0;

// Returns the URLs of the command line. If there are none, it prints the usage and exits with 2.
// main calls it first, and once.
std::vector<std::string> arguments(int argc, char* argv[]);

// Prints the line that `url` is owed, at once and whole: `URL OK`, or `URL Bad` and the reason on
// stderr. A URL that was given twice is owed two lines, and never gets a third. If stdout is
// closed, this ends the program. It allocates nothing, and any thread may call it.
void print(const std::string& url, const Verdict& verdict) noexcept;
// The same for a URL that `error` makes Bad.
void print(const std::string& url, const std::exception& error) noexcept;

// Prints only the reason, in one piece. A verdict whose reason is empty has been explained so.
void explain(std::string_view url, std::string_view reason) noexcept;
