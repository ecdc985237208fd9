#include "teacher.hpp"

#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <sstream>
#include <stdexcept>

#include "compile.hpp"
#include "exam.hpp"
#include "exercise.hpp"

namespace fs = std::filesystem;

namespace {

constexpr int hints_per_exercise = 3;

struct Usage : std::runtime_error {
  using runtime_error::runtime_error;
};

void say(const std::string& text) {
  std::puts(text.c_str());
  std::fflush(stdout);
}

std::string colour(const std::string& text, const char* code) {
  return isatty(STDOUT_FILENO) ? std::string("\033[") + code + "m" + text + "\033[0m" : text;
}

std::string called(const Exercise& exercise) { return exercise.id + " " + exercise.name; }

const Exercise& named(const std::string& name) {
  if (const Exercise* exercise = find_exercise(name)) return *exercise;
  throw Usage("there is no exercise '" + name + "'; ./learn list shows all");
}

// The one that the arguments name, or else the one the learner is at.
const Exercise& chosen(const Progress& progress, const std::vector<std::string>& arguments) {
  if (arguments.size() > 1) throw Usage("one exercise at a time, such as 02.2");
  if (!arguments.empty()) return named(arguments[0]);
  if (progress.current.empty()) throw Usage("nothing is begun yet; type: ./learn start");
  return named(progress.current);
}

// The first that is not passed, looked for from the one behind `current` on. Null: all are passed.
const Exercise* next_open(const Progress& progress) {
  const auto& all = exercises();
  const Exercise* current = find_exercise(progress.current);
  const std::size_t start = current ? std::size_t(current - all.data()) + 1 : 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Exercise& exercise = all[(start + i) % all.size()];
    if (!progress.passed.count(exercise.id)) return &exercise;
  }
  return nullptr;
}

// --- list -------------------------------------------------------------------------------------

int list(const Progress& progress) {
  std::string chapter;
  int left = 0;
  for (const auto& exercise : exercises()) {
    if (exercise.chapter != chapter) {
      int count = 0, minutes = 0;
      for (const auto& other : exercises())
        if (other.chapter == exercise.chapter) ++count, minutes += other.minutes;
      say((chapter.empty() ? "" : "\n") + exercise.chapter + ": " +
          plural(std::size_t(count), "exercise") + ", " + std::to_string(minutes) + " minutes");
      chapter = exercise.chapter;
    }
    const bool done = progress.passed.count(exercise.id) > 0;
    const bool current = exercise.id == progress.current;
    if (!done) left += exercise.minutes;
    std::printf("  %-8s %s  %-10s %2d min  %s\n",
                current ? "current"
                : done  ? "done"
                        : "open",
                exercise.id.c_str(), exercise.name.c_str(), exercise.minutes,
                exercise.title().c_str());
  }
  std::printf("\n%zu of %zu done", progress.passed.size(), exercises().size());
  if (left > 0) std::printf(", %d minutes to go", left);
  say(progress.current.empty() ? ". Begin with: ./learn start" : ". Go on with: ./learn check");
  return 0;
}

// --- start, reset -----------------------------------------------------------------------------

void copy_start(const Exercise& exercise) {
  fs::create_directories(exercise.work().parent_path());
  fs::copy_file(exercise.folder() / "start.cpp", exercise.work());
}

int start(Progress& progress, const std::vector<std::string>& arguments) {
  const Exercise* exercise = nullptr;
  if (!arguments.empty())
    exercise = &chosen(progress, arguments);
  else if (!progress.current.empty() && !progress.passed.count(progress.current))
    exercise = &named(progress.current);
  else
    exercise = next_open(progress);
  if (!exercise) {
    say("All exercises are passed. ./learn start 02.2 opens one of them again.");
    return 0;
  }
  const bool fresh = !fs::exists(exercise->work());
  if (fresh) copy_start(*exercise);
  progress.current = exercise->id;
  progress.save();
  std::istringstream task(read_file(exercise->folder() / "README.md"));
  for (std::string line; std::getline(task, line);) say(line);
  say("");
  say((fresh ? "Edit " : "Go on in ") + exercise->shown().string() +
      ", then type ./learn check, or ./learn watch to have it");
  say("judged each time you save it. ./learn hint gives the first of three hints.");
  say("To try it by hand: build/tests/judge/work-" + exercise->id +
      ", with ./learn serve in another terminal.");
  prepare(*exercise);
  return 0;
}

int reset(Progress& progress, const std::vector<std::string>& arguments) {
  const Exercise& exercise = chosen(progress, arguments);
  if (fs::exists(exercise.work())) {
    fs::path backup;
    for (int i = 1; backup.empty() || fs::exists(backup); ++i)
      backup = exercise.work().string() + ".old-" + std::to_string(i);
    fs::rename(exercise.work(), backup);
    say("What you had is kept as " + exercise.shown().string() +
        backup.string().substr(exercise.work().string().size()) + ".");
  }
  copy_start(exercise);
  progress.current = exercise.id;
  progress.passed.erase(exercise.id);
  progress.hints.erase(exercise.id);
  progress.save();
  say(exercise.shown().string() +
      " is the file you began with again. Edit it, then type: ./learn check");
  return 0;
}

// --- check, watch -----------------------------------------------------------------------------

void show(const Verdict& verdict) {
  const bool passed = verdict.kind == "PASS";
  say(colour(verdict.kind, passed ? "1;32" : "1;31") + ": " + verdict.sentence);
}

Verdict judge(const Exercise& exercise) {
  if (!fs::exists(exercise.work()))
    throw Usage(exercise.shown().string() + " is not there; type: ./learn start " + exercise.id);
  if (const auto error = compile(exercise, false)) return *error;
  if (!exercise.lacks.empty())
    say("(The compiler has no " + exercise.lacks +
        " sanitizer. Errors that only the sanitizer finds stay hidden.)");
  try {
    return examine(exercise, exercise.work(), exercise.program(false), false);
  } catch (const SanitizerUnusable& unusable) {
    say("(The " + exercise.sanitizer + " sanitizer does not run on this machine: " +
        unusable.reason + ". Errors that only the sanitizer finds stay hidden.)");
  }
  if (const auto error = compile(exercise, true)) return *error;
  return examine(exercise, exercise.work(), exercise.program(true), true);
}

int check(Progress& progress, const Exercise& exercise, bool watched) {
  const Verdict verdict = judge(exercise);
  show(verdict);
  const bool passed = verdict.kind == "PASS";
  if (passed) progress.passed.insert(exercise.id);
  progress.current = exercise.id;
  progress.save();
  if (watched) return passed ? 0 : 1;
  if (!passed)
    say("Edit " + exercise.shown().string() + " and type ./learn check again; ./learn hint helps.");
  else if (next_open(progress))
    say("Compare with ./learn solution, then type: ./learn next");
  else
    say("That was the last one: all " + plural(exercises().size(), "exercise") +
        " are passed. Each chapter's\nexercises/going-further.md has something without a judge.");
  return passed ? 0 : 1;
}

int hint(Progress& progress, const Exercise& exercise) {
  int& seen = progress.hints[exercise.id];
  seen = std::min(seen + 1, hints_per_exercise);
  progress.save();
  const std::string hints = read_file(exercise.folder() / "hints.md");
  const std::string heading = "## " + std::to_string(seen) + "\n\n";
  const auto from = hints.find(heading) + heading.size();
  std::string text = hints.substr(from, hints.find("\n## ", from) - from);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  say("Hint " + std::to_string(seen) + " of " + std::to_string(hints_per_exercise) + " for " +
      called(exercise) + ":\n");
  say(text + "\n");
  say(seen < hints_per_exercise ? "One more: ./learn hint. Judge it: ./learn check"
                                : "That was the last; ./learn solution --anyway shows it all.");
  return 0;
}

int next(Progress& progress) {
  if (!progress.current.empty() && !progress.passed.count(progress.current)) {
    const Exercise& exercise = named(progress.current);
    say(called(exercise) +
        " is not passed yet. ./learn check judges it; ./learn list shows what "
        "else there is,\nand ./learn start with its number skips to it.");
    return 1;
  }
  const Exercise* before = find_exercise(progress.current);
  const Exercise* open = next_open(progress);
  if (open && before && open->chapter != before->chapter)
    say("That was " + before->chapter +
        "; its exercises/going-further.md has something without a "
        "judge.\n");
  return start(progress, {});
}

// Keys as they are pressed, without Enter. The destructor restores the terminal.
class Keys {
 public:
  Keys() : is_terminal_(tcgetattr(STDIN_FILENO, &before_) == 0) {
    if (!is_terminal_) return;
    termios raw = before_;
    raw.c_lflag &= ~tcflag_t(ICANON | ECHO);
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  }
  ~Keys() {
    if (is_terminal_) tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }
  Keys(const Keys&) = delete;

  // The next key, 0 if none came within half a second, q if none will come any more.
  char get() const {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    if (poll(&input, 1, 500) <= 0) return interrupted_by ? 'q' : '\0';
    char key = 0;
    return read(STDIN_FILENO, &key, 1) == 1 ? key : 'q';
  }

 private:
  termios before_{};
  bool is_terminal_;
};

int watch(Progress& progress, const Exercise* exercise) {
  const Keys keys;
  std::string judged;  // the text that was judged last
  for (bool fresh = true;;) {
    if (!fs::exists(exercise->work())) {
      start(progress, {exercise->id});
      say("");
    }
    // The text and not its time: an editor may write a file twice, or not at all.
    const std::string text = read_file(exercise->work());
    if ((fresh || text != judged) && !text.empty()) {
      judged = text;
      fresh = false;
      say(called(exercise[0]) + ": judging ...");
      const bool passed = check(progress, *exercise, true) == 0;
      say(passed ? "[n] next  [q] quit  (./learn solution compares)"
                 : "[h] hint  [q] quit  (watching " + exercise->shown().string() + ")");
    }
    switch (keys.get()) {
      case 'q':
        return progress.passed.count(exercise->id) ? 0 : 1;
      case 'h':
        hint(progress, *exercise);
        break;
      case 'n':
        if (next(progress) != 0 || progress.current == exercise->id) break;
        exercise = &named(progress.current);
        fresh = true;
    }
  }
}

// --- solution ---------------------------------------------------------------------------------

int solution(const Progress& progress, std::vector<std::string> arguments) {
  const auto flag = std::find(arguments.begin(), arguments.end(), "--anyway");
  const bool anyway = flag != arguments.end();
  if (anyway) arguments.erase(flag);
  const Exercise& exercise = chosen(progress, arguments);
  if (!anyway && !progress.passed.count(exercise.id)) {
    say(called(exercise) +
        " is not passed yet. ./learn hint helps; ./learn solution --anyway shows "
        "it all the same.");
    return 1;
  }
  const fs::path file = exercise.folder() / "solution.cpp";
  if (!fs::exists(exercise.work())) {
    say(read_file(file));
    return 0;
  }
  const Result diff =
      run({"diff", "-u", "--label", "yours", "--label", "solution", exercise.work(), file});
  say(diff.status == 0 ? "Yours is the same, to the byte." : diff.out);
  say(progress.passed.count(exercise.id) ? "Go on with: ./learn next"
                                         : "Write it in your own words, then type: ./learn check");
  return 0;
}

}  // namespace

int teach(const std::string& verb, std::vector<std::string> arguments) try {
  const auto option = std::find_if(arguments.begin(), arguments.end(),
                                   [](const std::string& word) { return word.rfind('-', 0) == 0; });
  if (option != arguments.end() && !(verb == "solution" && *option == "--anyway"))
    throw Usage("'" + verb + "' has no option '" + *option + "'; ./learn help lists what there is");
  if (!arguments.empty() && (verb == "list" || verb == "next"))
    throw Usage("'" + verb + "' takes no argument; type: ./learn " + verb);
  Progress progress;
  if (verb == "list") return list(progress);
  if (verb == "start") return start(progress, arguments);
  if (verb == "next") return next(progress);
  if (verb == "solution") return solution(progress, arguments);
  if (verb == "reset") return reset(progress, arguments);
  const Exercise& exercise = chosen(progress, arguments);
  if (verb == "check") return check(progress, exercise, false);
  if (verb == "watch") return watch(progress, &exercise);
  if (verb == "hint") return hint(progress, exercise);
  throw Usage("there is no verb '" + verb + "'");
} catch (const Usage& error) {
  std::fflush(stdout);
  std::fprintf(stderr, "learn: %s\n", error.what());
  return 2;
}
