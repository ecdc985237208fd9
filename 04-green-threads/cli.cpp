#include "cli.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <thread>
#include <unordered_map>
#include <utility>

namespace {

char** given = nullptr;  // the URLs as the shell gave them, up to a null pointer
pid_t program = 0;       // a child that is forked later owes no lines

// How many lines each URL is still owed. After arguments(), only the numbers change.
std::unordered_map<std::string_view, std::atomic<int>> owed;
std::atomic<int> unprinted = 0;  // lines of all URLs

// The streams' buffers. Otherwise stdio would allocate them at the first print.
char out[BUFSIZ], err[BUFSIZ];

// Prints a line, if `url` is owed one. Returns whether it was.
bool print_owed(const char* url, bool ok, std::string_view reason) noexcept {
  const auto at = owed.find(url);
  if (at != owed.end() && at->second.fetch_sub(1) <= 0) return false;
  if (!ok) exit_status = 1;
  if (!ok && !reason.empty()) explain(url, reason);
  // One printf: stdio locks its stream for a call, not for a line.
  const bool printed = std::printf("%s %s\n", url, ok ? "OK" : "Bad") > 0;
  if (!printed || std::fflush(stdout) != 0) std::_Exit(1);  // stdout is closed: there is no reader
  if (at != owed.end()) --unprinted;
  return true;
}

// Prints the lines that are still owed. Called when the program ends.
void print_lost(const char* reason) noexcept {
  if (getpid() != program) return;
  bool lost = false;
  for (char** url = given; *url; ++url) lost |= print_owed(*url, false, reason);
  while (unprinted > 0) std::this_thread::yield();  // other threads are still printing
  if (lost) std::_Exit(1);                          // whatever main has returned
}

void at_exit() { print_lost("the program ended before there was an answer"); }

[[noreturn]] void at_terminate() {
  try {
    if (std::current_exception()) throw;
  } catch (const std::exception& error) {
    print_lost(error.what());
  } catch (...) {
  }
  print_lost("the program broke off before there was an answer");
  std::abort();  // every URL has its line
}

}  // namespace

std::vector<std::string> arguments(int argc, char* argv[]) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s URL...\n", argv[0]);
    std::exit(2);
  }
  // If stdout is closed, a socket could get its number, and would be sent our lines.
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd)
    if (fcntl(fd, F_GETFD) == -1) open("/dev/null", O_RDONLY);  // becomes fd, the lowest free one
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // stderr is a file that may not grow: the lines matter more
  std::setvbuf(stdout, out, _IOFBF, sizeof out);
  std::setvbuf(stderr, err, _IOLBF, sizeof err);

  given = argv + 1;
  program = getpid();
  std::atexit(at_exit);
  std::set_terminate(at_terminate);
  std::unordered_map<std::string_view, std::atomic<int>> count;
  for (char** url = given; *url; ++url) ++count[*url];
  unprinted = argc - 1;
  owed = std::move(count);  // without memory it stays empty, and print_owed() still works
  return {argv + 1, argv + argc};
}

void print(const std::string& url, const Verdict& verdict) noexcept {
  print_owed(url.c_str(), verdict.ok, verdict.reason);
}

void print(const std::string& url, const std::exception& error) noexcept {
  print_owed(url.c_str(), false, error.what());
}

void explain(std::string_view url, std::string_view reason) noexcept {
  std::fprintf(stderr, "%.*s: %.*s\n", int(url.size()), url.data(), int(reason.size()),
               reason.data());
}
