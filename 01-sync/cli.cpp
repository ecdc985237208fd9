#include "cli.hpp"

#include <fcntl.h>
#include <sys/select.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <initializer_list>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>

namespace {

char** given = nullptr;  // the URLs as the shell gave them, up to a null pointer
pid_t program = 0;       // a child that is forked later owes no lines

// How many lines each URL is still owed. After arguments(), only the numbers change.
std::unordered_map<std::string_view, std::atomic<int>> owed;
std::atomic<int> unprinted = 0;  // lines of all URLs

// Writes all of it. If the stream is a non-blocking pipe that is full, waits for the reader. Both
// calls stop the OS thread in 04, too, so that no other line can come in between.
bool write_all(std::FILE* stream, std::string_view text) noexcept {
  for (;;) {
    text.remove_prefix(std::fwrite(text.data(), 1, text.size(), stream));  // one write()
    if (text.empty()) return true;
    if (errno != EAGAIN) return false;
    fd_set full;
    FD_ZERO(&full);
    FD_SET(fileno(stream), &full);
    pselect(fileno(stream) + 1, nullptr, &full, nullptr, nullptr, nullptr);
  }
}

// Writes a line in one piece, unless it is longer than stdio's buffers are.
bool write_line(std::FILE* stream, std::initializer_list<std::string_view> parts) noexcept {
  static std::mutex one_at_a_time;
  static char line[BUFSIZ];
  const std::lock_guard lock(one_at_a_time);
  std::size_t size = 0;
  for (const auto part : parts)
    for (const char c : part) {
      if (size == sizeof line && !write_all(stream, {line, std::exchange(size, 0)})) return false;
      line[size++] = c;
    }
  return write_all(stream, {line, size});
}

// Prints a line, if `url` is owed one. Returns whether it was.
bool print_owed(const char* url, bool ok, std::string_view reason) noexcept {
  const auto at = owed.find(url);
  if (at != owed.end() && at->second.fetch_sub(1) <= 0) return false;
  if (!ok) exit_status = 1;
  if (!ok && !reason.empty()) explain(url, reason);
  if (!write_line(stdout, {url, ok ? " OK\n" : " Bad\n"})) std::_Exit(1);  // there is no reader
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
  print_lost("the program ended before there was an answer");
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
  std::setvbuf(stdout, nullptr, _IONBF, 0);  // each line is written at once

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
  write_line(stderr, {url, ": ", reason, "\n"});
}
