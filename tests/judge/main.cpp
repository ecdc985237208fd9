// judge VERB [ARGUMENT...]                               what ./learn calls
// judge seconds [ID...]                                  from save to verdict, if nothing else runs
// judge verify ID SOURCE PROGRAM VERDICT TIMES AT_ONCE   what ctest calls

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "compile.hpp"
#include "exam.hpp"
#include "teacher.hpp"

namespace {

constexpr int skipped = 77;

// A wrong answer's first line says its verdict: `// RACE: two threads write `done``.
std::string declared_sentence(const std::string& source) {
  if (source.find("/wrong-") == source.npos) return {};
  const std::string text = read_file(source);
  const auto start = text.find(": ");
  if (start > text.find('\n')) throw std::invalid_argument("its first line says no verdict");
  return text.substr(start + 2, text.find('\n') - start - 2);
}

int verify_once(const Exercise& exercise, const std::string& source, const std::string& program,
                const std::string& expected) {
  const Verdict verdict = examine(exercise, source, program, false);
  const bool right = verdict.kind == expected &&
                     verdict.sentence.find(declared_sentence(source)) != std::string::npos;
  std::printf("%s%s: %s\n", right ? "" : "NOT what was expected: ", verdict.kind.c_str(),
              verdict.sentence.c_str());
  std::fflush(stdout);
  return right ? 0 : 1;
}

// Each process examines `times` times; a program must get its verdict every time, under load.
int verify(const std::vector<std::string>& words) try {
  const Exercise* exercise = find_exercise(words.at(0));
  if (!exercise) throw std::invalid_argument("no such exercise");
  const int times = std::stoi(words.at(4)), at_once = std::stoi(words.at(5));
  std::vector<pid_t> children;
  for (int child = 0; child < at_once; ++child) {
    const pid_t pid = fork();
    if (pid != 0) {
      children.push_back(pid);
      continue;
    }
    int failed = 0;
    try {
      for (int i = child; i < times && failed == 0; i += at_once)
        failed = verify_once(*exercise, words[1], words[2], words.at(3));
    } catch (const SanitizerUnusable& unusable) {
      std::printf("skipped: %s\n", unusable.reason.c_str());
      failed = skipped;
    } catch (const std::exception& error) {
      std::printf("%s\n", error.what());
      failed = 1;
    }
    std::fflush(stdout);
    _exit(failed);
  }
  int worst = 0;
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    const int its = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
    if (its != 0 && worst != 1) worst = its;
  }
  return worst;
} catch (const std::exception& error) {
  std::fprintf(stderr, "verify: %s\n", error.what());
  return 2;
}

// What a learner waits for: the answer is saved, compiled without ccache, and judged.
double save_to_verdict(const Exercise& exercise, const std::string& answer, std::string& kind) {
  const auto start = std::chrono::steady_clock::now();
  std::ofstream(exercise.work()) << answer;
  const auto error = compile(exercise, false);
  kind = (error ? *error : examine(exercise, exercise.work(), exercise.program(false), false)).kind;
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// A line for each answer: the median of three. Status 1 if one takes longer than a learner is
// promised: 3 s, 6 s from chapter 03 on, and 9 s for a link checker. A verdict that a program hangs
// takes its whole time limit.
int seconds(const std::vector<std::string>& ids) {
  setenv("SYNC_DESERT_TRIAL", "1", 1);
  setenv("CCACHE_DISABLE", "1", 1);
  bool late = false;
  for (const auto& exercise : exercises()) {
    if (!ids.empty() && std::find(ids.begin(), ids.end(), exercise.id) == ids.end()) continue;
    std::filesystem::create_directories(exercise.work().parent_path());
    prepare(exercise);
    const double promised = exercise.name == "links" ? 9 : exercise.chapter < "03" ? 3 : 6;
    std::set<std::string> answers;  // in order: the solution, the start, the wrong ones
    for (const auto& entry : std::filesystem::directory_iterator(exercise.folder()))
      if (entry.path().extension() == ".cpp") answers.insert(entry.path().stem());
    for (const char* given : {"get", "page"}) answers.erase(given);
    answers.erase(std::next(answers.begin(), 3), answers.end());
    for (const auto& answer : answers) {
      const std::string text = read_file(exercise.folder() / (answer + ".cpp"));
      std::vector<double> took;
      std::string kind;
      for (int i = 0; i < 3; ++i) took.push_back(save_to_verdict(exercise, text, kind));
      std::sort(took.begin(), took.end());
      const bool too_long = kind != "HANG" && took[1] > promised;
      late = late || too_long;
      std::printf("%s %-24s %-5s %4.1f s%s\n", exercise.id.c_str(), answer.c_str(), kind.c_str(),
                  took[1], too_long ? ", too long" : "");
      std::fflush(stdout);
    }
  }
  return late ? 1 : 0;
}

void interrupt(int number) { interrupted_by = number; }

}  // namespace

int main(int argc, char* argv[]) try {
  std::vector<std::string> words(argv + 1, argv + argc);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) std::signal(number, interrupt);
  std::signal(SIGPIPE, SIG_IGN);
  if (words.empty()) words = {"list"};
  const std::string verb = words.front();
  words.erase(words.begin());
  if (verb == "seconds") return seconds(words);
  return verb == "verify" ? verify(words) : teach(verb, words);
} catch (const Interrupted&) {
  return 128 + interrupted_by;
} catch (const std::exception& error) {
  std::fprintf(stderr, "learn: %s\n", error.what());
  return 1;
}
