// Runs a program under test from outside: its output, its exit, its memory, and its children.

#pragma once

#include <sys/types.h>

#include <array>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

// An open file descriptor, closed at the end of its life. No program under test inherits it.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
  Descriptor& operator=(Descriptor other) noexcept;
  ~Descriptor() { close(); }

  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  int release();
  void close();

 private:
  int fd_;
};

struct Pipe {
  Pipe();
  Descriptor read_end, write_end;
};

struct Result {
  int status = -1;          // its exit status, or 128 + the number of the signal that ended it
  bool timed_out = false;   // and so was killed
  int orphans = 0;          // children that it had not waited for, even if they ended by themselves
  bool left_some = false;   // of them, some had to be killed
  long peak_kib = 0;        // the most memory that it or a child of it had at once
  double cpu_seconds = 0;   // used by it and its children
  double user_seconds = 0;  // of them, outside the kernel
  long page_faults = 0;     // of it and its children
  std::string out, err;
};

// Whether the programs were built to find errors, which costs memory and time.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif
#else
constexpr bool sanitized = false;
#endif

class Process {
 public:
  struct Options {
    int out = -1;  // descriptor for its stdout, which is captured if it is -1
    std::chrono::seconds time_limit{120};  // from its start; then its process group is killed
    // Asked every 50 ms with what it has said so far; killed likewise when this returns false.
    std::function<bool(pid_t, const Result&)> go_on = {};
  };

  // Starts `command`, looked up in PATH if it has no slash, as the leader of a process group.
  // Its stdin is a pipe that nobody writes to. Only the main thread may do this.
  explicit Process(const std::vector<std::string>& command) : Process(command, Options()) {}
  Process(const std::vector<std::string>& command, Options options);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }

  // Its next line on stdout without the end of line, or what there is of it when stdout ends.
  std::string read_line();

  void signal(int number);
  void stop_and_continue();  // as Ctrl-Z and fg do

  bool has_ended() const;  // what it has said may still have to be read

  // Closes its stdin, waits until it ends, kills what is left of its process group.
  Result finish();

 private:
  using Clock = std::chrono::steady_clock;

  bool collect();  // more output; false once the process has ended or its time is over
  void reap();

  Clock::time_point deadline_, next_question_;
  std::function<bool(pid_t, const Result&)> go_on_;
  pid_t pid_ = -1;  // -1 once it has ended
  Descriptor input_, ended_;
  std::array<Descriptor, 2> output_;  // stdout and stderr
  Result result_;
};

// Runs `command` to its end.
Result run(const std::vector<std::string>& command, Process::Options options = {});
