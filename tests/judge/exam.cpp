#include "exam.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstring>
#include <fstream>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "autopsy.hpp"
#include "exams.hpp"
#include "socket.hpp"

volatile int interrupted_by = 0;

namespace {

constexpr std::size_t most_output = 1 << 20;

// A program's output must not control the learner's terminal.
std::string printable(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < ' ' || c == 127) c = '?';
  return text;
}

std::string cut(const std::string& text, std::size_t size = 60) {
  return '`' + printable(text.substr(0, size)) + (text.size() > size ? "..." : "") + '`';
}

Lines split(const std::string& text) {
  Lines all;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) all.push_back(line);
  return all;
}

std::string without(std::string text, const std::string& part) {
  for (std::size_t at; (at = text.find(part)) != text.npos;) text.erase(at, part.size());
  return text;
}

// What stands in `text` between the first `before`, looked for from `at` on, and `after`.
std::string between(const std::string& text, const std::string& before, const std::string& after,
                    std::size_t at = 0) {
  const auto start = text.find(before, at);
  if (start == text.npos) return {};
  const auto from = start + before.size();
  return text.substr(from, text.find(after, from) - from);
}

}  // namespace

void fail(const std::string& sentence) { throw Verdict{"FAIL", sentence}; }

std::string plural(std::size_t count, const std::string& what) {
  return std::to_string(count) + ' ' + what + (count == 1 ? "" : "s");
}

class Exam::Server {
 public:
  explicit Server(int hosts)
      : process_({BUILD_DIR "/tests/server/test-server", "--port", "0", "--hosts",
                  std::to_string(hosts), "--exit-with-stdin"}) {
    url_ = between(process_.read_line(), "listening on ", "\n");
    if (url_.empty()) throw std::runtime_error("the test server does not start");
  }

  const std::string& url() const { return url_; }
  pid_t pid() const { return process_.pid(); }

  struct Stats {
    unsigned requests, in_flight, most;
  };
  Stats stats() const {
    const auto port = std::stoi(url_.substr(url_.rfind(':') + 1));
    const std::string answer =
        Socket(std::uint16_t(port)).send("GET /stats HTTP/1.0\r\n\r\n").receive();
    const auto number = [&answer](const char* name) {
      return unsigned(std::stoul(between(answer, std::string(name) + "\": ", "}")));
    };
    return {number("requests"), number("in_flight"), number("most_in_flight")};
  }

 private:
  Process process_;
  std::string url_;
};

Exam::Exam(const Exercise& exercise, std::filesystem::path source, std::filesystem::path program,
           bool plain)
    : exercise_(exercise),
      source_(std::move(source)),
      program_(std::move(program)),
      plain_(plain || exercise.sanitizer.empty()) {}

namespace {

// How to run a program with that sanitizer.
Lines command_for(const std::string& sanitizer, const std::string& program, bool goes_on = false,
                  const Lines& environment = {}) {
  Lines command{"env",
                "-uhttp_proxy",
                "-uall_proxy",
                "-uALL_PROXY",
                "TSAN_OPTIONS=halt_on_error=1:exitcode=66:report_thread_leaks=0:atexit_sleep_ms=0:"
                "handle_abort=1" +
                    std::string(goes_on ? ":report_bugs=0" : ""),
                "ASAN_OPTIONS=exitcode=66:detect_leaks=0:detect_stack_use_after_return=1:"
                "handle_abort=1"};
  command.insert(command.end(), environment.begin(), environment.end());
  // ThreadSanitizer does not run if the program's memory map is too random.
  static const bool setarch = run({"setarch", "-R", "true"}).status == 0;
  if (sanitizer == "thread" && setarch) command.insert(command.end(), {"setarch", "-R"});
  command.push_back(program);
  return command;
}

// A sanitizer that cannot run (too little memory to reserve, a kernel it does not know) may end a
// program in any way. So it is tried on a program that does nothing.
void try_sanitizer(const std::string& sanitizer) {
  const Result nothing = run(command_for(sanitizer, BUILD_DIR "/tests/judge/nothing-" + sanitizer));
  if (interrupted_by) throw Interrupted();
  if (nothing.status == 0) return;
  const Lines said = split(nothing.err);
  throw SanitizerUnusable{said.empty() ? "it ends with status " + std::to_string(nothing.status)
                                       : said.front()};
}

// Names the first of the URLs of which nothing was printed.
std::string without_line(const Lines& arguments, const std::string& out) {
  for (const auto& argument : arguments)
    if (argument.front() == '/' && out.find(argument) == out.npos)
      return "; no line came for " + argument;
  return {};
}

}  // namespace

Run Exam::run(const Lines& arguments, const Hopeless& hopeless, const Setting& setting) {
  const Server server(setting.hosts);
  if (setting.before) setting.before(server.url());
  Lines command = command_for(plain_ ? "" : exercise_.sanitizer, program_, setting.goes_on,
                              setting.environment);
  const std::string no_end = "?timeout=60";
  for (const auto& argument : arguments)
    command.push_back((argument.front() == '/' ? server.url() : "") + argument +
                      (hopeless && argument.rfind("/barrier/", 0) == 0 ? no_end : ""));

  const auto start = std::chrono::steady_clock::now();
  const std::chrono::seconds limit(exercise_.time_limit);
  std::string hang, circle, before;
  bool floods = false, given_up = false;
  int farewell = 0;           // looks since its sanitizer began, or was asked, to tell its stack
  int silent = 0, still = 0;  // looks since something happened; those of them without a sleep
  double busy_lately = 0;     // the share of the looks, of about the last ten; or the server is
  const auto go_on = [&](pid_t pid, const Result& so_far) {
    if (interrupted_by) return false;
    // Its sanitizer writes a report, and works at that. So no look says anything about the program.
    if (!plain_ && so_far.err.find("Sanitizer:") != so_far.err.npos && farewell == 0) farewell = 1;
    if (farewell > 0) return ++farewell < 100;
    floods = so_far.out.size() + so_far.err.size() > most_output;
    const auto now = std::chrono::steady_clock::now();
    const bool busy = is_busy(pid), server_is_busy = is_busy(server.pid());
    busy_lately += ((busy || server_is_busy) - busy_lately) / 10;
    if (now > start + std::chrono::milliseconds(500)) {  // before anybody gives up hope
      const std::string seen = deadlock(pid, program_);
      if (!seen.empty() && seen == circle) hang = seen;  // seen twice, it is one
      circle = seen;
    }
    // On a busy machine the limit is one of CPU time.
    const double had = cpu_seconds(pid);
    const bool starved =
        now < start + 6 * limit && busy_lately > 0.2 && had < double(limit.count());
    const bool late = now >= start + limit && !starved;
    if (hopeless && circle.empty()) {  // the cause says more than the time
      const auto stats = server.stats();
      given_up = hopeless({stats.requests, stats.in_flight, stats.most, busy, had, late,
                           server_is_busy, pid, so_far.out});
      if (given_up) return false;
    }
    if (floods) return false;
    // Nothing that an exercise waits for takes 2 s, nor 1 s where no server is asked.
    if ((!hopeless || setting.ends_in_silence) && !busy && !server_is_busy) {
      const auto stats = server.stats();
      const std::string happened = std::to_string(stats.requests) + ' ' +
                                   std::to_string(stats.in_flight) + ' ' +
                                   std::to_string(so_far.out.size() + so_far.err.size());
      silent = happened == before ? silent + 1 : 0;
      still = happened == before ? still + (stats.in_flight == 0 && !sleeps(pid)) : 0;
      before = happened;
      if ((silent > 44 || still > 24) && circle.empty() && hang.empty())
        hang = what_it_waits_for(pid, program_, exercise_.sanitizer == "thread" && !plain_);
    }
    if (const auto threads = count_threads(pid); threads > most_threads())
      fail("it has " + plural(threads, "thread") + ", where " +
           (most_threads() == 1 ? "one does" : "two do") +
           " all the work: the task is to wait for "
           "much at once without more of them");
    if (hang.empty() && !late) return true;
    if (hang.empty())
      hang = what_it_waits_for(pid, program_, exercise_.sanitizer == "thread" && !plain_);
    if (has_ended(pid)) {
      hang.clear();  // it ended while it was looked at
      return true;
    }
    if (plain_) return false;
    // A sanitizer answers this signal with the thread's stack, and ends the program.
    syscall(SYS_tgkill, pid, thread_to_ask(pid, exercise_.sanitizer == "thread"), SIGSEGV);
    farewell = 1;
    return true;
  };
  Process process(command, {.time_limit = 6 * limit + std::chrono::seconds(5), .go_on = go_on});
  const Result result = process.finish();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;

  if (interrupted_by) throw Interrupted();
  for (const char* complaint : {"FATAL: ThreadSanitizer", "Shadow memory range interleaves",
                                "ThreadSanitizer failed to", "ASan runtime does not come first"})
    if (!plain_ && result.err.find(complaint) != std::string::npos)
      throw SanitizerUnusable{complaint};
  if (result.timed_out && !given_up && !floods && hang.empty())
    hang = "the machine is too busy to see why";
  if (!hang.empty()) {
    const std::string line = line_of(
        result.err, std::min(result.err.rfind("Sanitizer:DEADLYSIGNAL"), result.err.size()));
    throw Verdict{"HANG", "not done after " + std::to_string(std::lround(took.count())) + " s; " +
                              hang + (line.empty() ? "" : "; see line " + line) +
                              without_line(arguments, result.out)};
  }
  if (floods && !given_up)
    fail("it printed more than 1 MB, beginning with " +
         cut(split(result.out + result.err + '\n').front()));
  if (result.err.find("WARNING: ThreadSanitizer: ") != std::string::npos) judge_race(result.err);
  const bool died_of_it = setting.is_interrupted && result.status == 128 + SIGINT;
  if (!result.timed_out && !died_of_it) judge_crash(result);
  if (setting.after) setting.after(server.url());

  const auto stats = server.stats();
  const bool has_urls = std::any_of(arguments.begin(), arguments.end(),
                                    [](const std::string& one) { return one.front() == '/'; });
  if (has_urls && stats.requests == 0 && !result.out.empty())
    fail("it asked the server for nothing, and printed " + cut(split(result.out).front()));
  const auto shown = [&](const std::string& text) {
    return without(without(text, server.url()), no_end);
  };
  return {split(shown(result.out)),
          shown(result.err),
          result.timed_out ? 0 : result.status,
          took.count(),
          result.cpu_seconds,
          stats.requests,
          stats.most,
          given_up};
}

std::size_t Exam::most_threads() const {
  if (exercise_.chapter == "02-threads") return std::size_t(-1);
  return exercise_.id == "04.2" ? 2 : 1;
}

void Exam::must_keep(const std::string& beginning) const {
  const auto words = [](const std::string& text) {
    return std::regex_replace(text, std::regex("\\s+"), " ");
  };
  const std::string start = read_file(exercise_.folder() / "start.cpp");
  const auto from = start.find(beginning);
  const std::string kept = start.substr(from, start.find("\n}\n", from) + 2 - from);
  if (words(source()).find(words(kept)) == std::string::npos)
    fail("`" + kept.substr(0, kept.find(" {")) +
         "` has changed: it should stay as it was at the start");
}

void Exam::forbid(const std::string& pattern, const std::string& why) const {
  std::ifstream in(source_);
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    line.erase(std::min(line.find("//"), line.size()));
    if (std::regex_search(line, std::regex(pattern)))
      fail(why + " (" + exercise_.id + ", line " + std::to_string(number) + ")");
  }
}

// The number of the first line of the learner's file that the report names from `from` on.
std::string Exam::line_of(const std::string& report, std::size_t from) const {
  const std::string name = '/' + source_.filename().string() + ':';
  const auto at = report.find(name, from);
  if (at == report.npos) return {};
  const auto number = at + name.size();
  return report.substr(number, report.find_first_not_of("0123456789", number) - number);
}

std::string Exam::text_of(const std::string& line) const {
  std::ifstream in(source_);
  std::string text;
  for (int i = std::atoi(line.c_str()); i > 0; --i) std::getline(in, text);
  const auto start = text.find_first_not_of(' ');
  return start == text.npos ? text : text.substr(start, text.find("  //") - start);
}

void Exam::judge_race(const std::string& report) const {
  const auto start = report.find("WARNING: ThreadSanitizer: ");
  const auto previous = report.find("  Previous ", start);
  const std::string title = between(report, "WARNING: ThreadSanitizer: ", " (pid");
  const std::string line = line_of(report, start);
  const std::string where = line.empty() ? "" : " (" + exercise_.id + ", line " + line + ")";
  if (title.rfind("lock-order-inversion", 0) == 0)
    throw Verdict{
        "RACE",
        "it takes two locks in one order here, and in the other order there: it will hang "
        "when two threads meet" +
            where};
  if (title.rfind("data race", 0) != 0) throw Verdict{"RACE", title + where};

  const std::string name = between(report, "Location is global '", "'", start);
  const bool has_name = !name.empty() && name != "<null>";
  const std::string what = !has_name ? "the memory of " + cut(text_of(line)) : '`' + name + '`';
  const std::string first = report.substr(start, previous - start);
  const bool reads =
      first.find("  Read of") != first.npos || first.find("  Atomic read") != first.npos;
  const bool read_before = report.compare(previous, 15, "  Previous read") == 0 ||
                           report.compare(previous, 22, "  Previous atomic read") == 0;
  const std::string other = line_of(report, previous);
  if (line == other || (!reads && !read_before))
    throw Verdict{"RACE", "two threads write " + what + where};
  throw Verdict{"RACE", "one thread writes " + what + " while another reads it" + where +
                            (other.empty() ? "" : ", and line " + other)};
}

void Exam::judge_crash(const Result& result) const {
  const std::string& err = result.err;
  const std::string hint = crash_.empty() ? "" : " (" + crash_ + ")";
  const auto at = [&](const std::string& line) { return line.empty() ? "" : " at line " + line; };

  // A report, of a signal also: the first line of the learner's in it is the innermost.
  const auto start =
      std::min(err.find("ERROR: AddressSanitizer: "), err.find("ERROR: ThreadSanitizer: "));
  const std::string error = between(err, "Sanitizer: ", " on ", start);
  const std::string line = line_of(err, start);
  const std::string said = err.substr(0, err.find("Sanitizer:DEADLYSIGNAL"));
  int number = result.status > 128 && result.status <= 128 + 64 ? result.status - 128 : 0;
  for (const auto& [name, its] :
       {std::pair("SEGV", SIGSEGV), std::pair("ABRT", SIGABRT), std::pair("BUS", SIGBUS),
        std::pair("FPE", SIGFPE), std::pair("ILL", SIGILL)})
    if (error == name) number = its;
  if (!error.empty() && number == 0) {
    const bool reads = err.find("\nREAD of", start) != err.npos;
    const std::string does = reads ? "read of " : "write to ";
    if (error == "heap-use-after-free") {
      const auto freed = err.find("freed by thread", start);
      const std::string by =
          freed == err.npos
              ? ""
              : line_of(err.substr(0, err.find("previously allocated", freed)), freed);
      throw Verdict{"CRASH", does + "freed memory" + at(line) +
                                 (by.empty() ? "" : ", freed at line " + by) + hint};
    }
    if (error.rfind("stack-use-after", 0) == 0)
      throw Verdict{"CRASH", does + "a local variable that is gone" + at(line) + hint};
    if (error == "stack-overflow") throw Verdict{"CRASH", "the stack is full" + at(line) + hint};
    throw Verdict{"CRASH", error + at(line) + hint};
  }
  if (const auto type = between(err, "terminate called after throwing an instance of '", "'");
      !type.empty()) {
    const std::string what = between(err, "what():  ", "\n");
    throw Verdict{"CRASH", "nobody caught the " + type + (what.empty() ? "" : " " + cut(what)) +
                               (line.empty() ? "" : ", thrown" + at(line)) + hint};
  }
  if (err.find("terminate called without") != err.npos)
    throw Verdict{"CRASH", "std::terminate was called" + at(line) +
                               (exercise_.chapter == "02-threads"
                                    ? " (a std::thread was destroyed that nobody had joined)"
                                    : hint)};
  if (number != 0) {
    std::string what = number == SIGSEGV ? "it used memory that is not its own" : strsignal(number);
    Lines words = split(said);  // such as glibc's reason; a sanitizer has begun another line
    if (start != err.npos && !words.empty()) words.pop_back();
    if (number == SIGABRT && !words.empty()) what += ": " + cut(words.back());
    throw Verdict{"CRASH", what + at(line) + hint};
  }
  if (result.status == 127) throw std::runtime_error("it could not be run: " + err);
}

void Exam::expect(const Run& run, const Lines& lines) const {
  Lines left = lines, more;
  for (const auto& line : run.lines)
    if (const auto it = std::find(left.begin(), left.end(), line); it != left.end())
      left.erase(it);
    else
      more.push_back(line);
  // In the order of what was expected: that of the lines may be chance.
  for (const auto& line : left)
    for (const auto& other : more)
      if (const auto space = line.rfind(' '); space != line.npos && other.rfind(' ') == space &&
                                              other.compare(0, space, line, 0, space) == 0)
        fail(cut(other) + " should be " + cut(line));
  for (const auto& line : more) {
    if (std::count(lines.begin(), lines.end(), line) > 0)
      fail("the line " + cut(line) + " came once too often");
    fail("the line " + cut(line) +
         " was not expected; expected, for example: " + cut(lines.front()));
  }
  if (!left.empty())
    fail((run.lines.empty() ? "it printed nothing; the line " : "the line ") + cut(left.front()) +
         " did not come");
}

namespace {

// The lines that were expected, and beside them those that came.
std::string side_by_side(const Lines& expected, const Lines& seen) {
  constexpr std::size_t most_lines = 20, most_width = 40;
  const std::size_t count = std::max(expected.size(), seen.size());
  std::size_t width = std::string("expected").size();
  for (const auto& line : expected) width = std::max(width, std::min(line.size(), most_width));
  const auto cell = [&](const std::string& text) {
    return text + std::string(width - std::min(text.size(), width) + 3, ' ');
  };
  std::string table = "\n        " + cell("expected") + "seen";
  for (std::size_t i = 0; i < std::min(count, most_lines); ++i) {
    const auto shown = [&](const Lines& lines) {
      return i < lines.size() ? printable(lines[i].substr(0, most_width)) : "";
    };
    const bool same = i < expected.size() && i < seen.size() && expected[i] == seen[i];
    const std::string number = std::to_string(i + 1);
    table += "\n  " + std::string(same ? "  " : "> ") +
             std::string(number.size() < 2 ? 1 : 0, ' ') + number + "  " + cell(shown(expected)) +
             shown(seen);
  }
  return table + (count > most_lines ? "\n    ..." : "");
}

}  // namespace

void Exam::expect_in_order(const Run& run, const Lines& lines) const {
  if (run.lines == lines) return;
  const std::size_t i = std::size_t(std::ranges::mismatch(run.lines, lines).in1 -
                                    run.lines.begin());  // the first that differs
  const std::string line = "line " + std::to_string(i + 1) + " of the output";
  const std::string table = side_by_side(lines, run.lines);
  if (std::ranges::is_permutation(run.lines, lines)) {
    std::size_t place = i + 1;  // where the line that came should be: behind what is right
    while (lines[place] != run.lines[i]) ++place;
    fail("the lines are right, and their order is not: " + cut(run.lines[i]) + " came as line " +
         std::to_string(i + 1) + ", and should be line " + std::to_string(place + 1) + table);
  }
  if (i >= run.lines.size())
    fail(line + " should be " + cut(lines[i]) + ", and is missing" + table);
  if (i >= lines.size()) fail(line + " is one too many: " + cut(run.lines[i]) + table);
  const auto space = lines[i].rfind(' ') + 1;
  if (space > 0 && run.lines[i].compare(0, space, lines[i], 0, space) == 0)
    fail(cut(run.lines[i]) + " should be " + cut(lines[i]));
  fail(line + " should be " + cut(lines[i]) + ", and is " + cut(run.lines[i]) + table);
}

void Exam::expect_status(const Run& run, int status) const {
  if (run.status != status)
    fail("the exit status is " + std::to_string(run.status) + ", and should be " +
         std::to_string(status));
}

Verdict examine(const Exercise& exercise, const std::filesystem::path& source,
                const std::filesystem::path& program, bool plain) try {
  if (!plain && !exercise.sanitizer.empty()) try_sanitizer(exercise.sanitizer);
  Exam exam(exercise, source, program, plain);
  const std::string words = examiner(exercise.id)(exam);
  if (exercise.chapter != "02-threads" && exercise.id != "04.2")
    exam.forbid(R"(\bstd::(j?thread\b(?!::)|async\b)|\bpthread_create\(|\bfork\()",
                "this needs a second thread or process, where one thread does all the work");
  return {"PASS", words};
} catch (const Verdict& verdict) {
  return verdict;
}
