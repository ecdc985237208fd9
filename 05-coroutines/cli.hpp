// The side of the program that faces the shell. It promises exactly one line per URL: a URL that
// still has no line when the program ends gets `URL Bad` then, whatever the cause.

#pragma once

#include <atomic>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

struct Verdict {
  bool ok;
  std::string reason;  // the reason for a Bad, in words for a person
};

// The result of main: 0 while every URL is OK, 1 once one is Bad.
inline int exit_status = 0;

// Returns the URLs of the command line. If there are none, it prints the usage and exits with 2.
// main calls it first, and once.
std::vector<std::string> arguments(int argc, char* argv[]);

// Prints one whole line for `url`, at once: `URL OK`, or `URL Bad` and the reason on stderr. A URL
// that was given twice gets two lines, and never a third. If stdout is closed, this ends the
// program. It allocates nothing, and any thread may call it.
void print(const std::string& url, const Verdict& verdict) noexcept;
// The same for a URL that `error` makes Bad.
void print(const std::string& url, const std::exception& error) noexcept;

// Prints only the reason, in one piece. It is for verdicts whose own reason is empty.
void explain(std::string_view url, std::string_view reason) noexcept;
