// One examination of one program. It runs against a test server of its own. Its output and what the
// server saw decide the verdict.

#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "exercise.hpp"
#include "process.hpp"

struct Verdict {
  std::string kind;      // PASS, FAIL, RACE, CRASH, HANG or BUILD
  std::string sentence;  // about this run
};

// Thrown where a sanitizer cannot run on this machine; says why.
struct SanitizerUnusable {
  std::string reason;
};

// Thrown when somebody wants the judge to end.
struct Interrupted {};
extern volatile int interrupted_by;  // the number of a signal, or 0

using Lines = std::vector<std::string>;

// What one run of the program was seen to do.
struct Run {
  Lines lines;      // on stdout; the server's URL is left out, so they start with a path
  std::string err;  // stderr, likewise
  int status = 0;
  double seconds = 0, cpu_seconds = 0;
  unsigned requests = 0, most_in_flight = 0;
  bool given_up = false;  // and so ended by the judge

  std::string last() const { return lines.empty() ? "" : lines.back(); }
};

class Exam {
 public:
  Exam(const Exercise& exercise, std::filesystem::path source, std::filesystem::path program,
       bool plain);

  // Tells the probable cause of a crash in this exercise.
  void a_crash_means(std::string why) { crash_ = std::move(why); }

  // What can be seen during a run.
  struct Sight {
    unsigned requests, in_flight, most_in_flight;  // says the server
    bool busy;                                     // the program has something to do, now
    double cpu_seconds;                            // that it had so far
    bool late;                                     // its time is up
    bool server_is_busy;
    pid_t pid;
    const std::string& out;  // its stdout so far
  };
  // Called again and again. If it says that there is no hope, the run ends, and is judged by what
  // was seen.
  using Hopeless = std::function<bool(const Sight&)>;

  // What a run may have besides.
  struct Setting {
    int hosts = 1;  // that the server has: 127.0.0.1 and so on
    // Called with the server's URL before the program starts, and when it has ended.
    std::function<void(const std::string&)> before = {}, after = {};
    bool is_interrupted = false;   // it is sent SIGINT, so death by that signal is no crash
    bool ends_in_silence = false;  // it is a hang if nothing happens, as without a Hopeless
    bool goes_on = false;          // ThreadSanitizer, if it has that, reports nothing
    Lines environment = {};        // such as NAME=value
  };

  const Exercise& exercise() const { return exercise_; }
  std::string source() const { return read_file(source_); }

  // Runs it; arguments that start with a slash become URLs of the server, which ends no barrier of
  // a run that can become hopeless. Throws a Verdict when it crashes, races, hangs or prints
  // without end.
  Run run(const Lines& arguments, const Hopeless& hopeless = {}) {
    return run(arguments, hopeless, Setting());
  }
  Run run(const Lines& arguments, const Hopeless& hopeless, const Setting& setting);

  // Throws FAIL unless the lines are these, in any order, whole, and once each.
  void expect(const Run& run, const Lines& lines) const;
  void expect_in_order(const Run& run, const Lines& lines) const;
  void expect_status(const Run& run, int status) const;

  // Throws FAIL unless the function that begins like that is still as it was at the start.
  void must_keep(const std::string& beginning) const;
  // Throws FAIL if a line of the learner's code, without its comment, has that.
  void forbid(const std::string& pattern, const std::string& why) const;

 private:
  class Server;

  std::size_t most_threads() const;  // that a program of the exercise may have
  std::string line_of(const std::string& report, std::size_t from = 0) const;
  std::string text_of(const std::string& line) const;
  void judge_race(const std::string& report) const;
  void judge_crash(const Result& result) const;

  const Exercise& exercise_;
  std::filesystem::path source_, program_;
  bool plain_;
  std::string crash_;
};

[[noreturn]] void fail(const std::string& sentence);

// "1 line", "2 lines"
std::string plural(std::size_t count, const std::string& what);

// Examines the program, once, and returns the verdict. Throws SanitizerUnusable and Interrupted.
Verdict examine(const Exercise& exercise, const std::filesystem::path& source,
                const std::filesystem::path& program, bool plain);
