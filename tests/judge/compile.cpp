#include "compile.hpp"

#include <cstdio>
#include <sstream>
#include <stdexcept>

namespace {

// What stands behind `mark` in the first line that has it, from `at` on.
std::string after(const std::string& text, const std::string& mark, std::size_t at = 0) {
  at = text.find(mark, at);
  if (at == text.npos) return {};
  at += mark.size();
  return text.substr(at, text.find('\n', at) - at);
}

std::string number_after(const std::string& text, const std::string& mark, std::size_t at = 0) {
  const std::string rest = after(text, mark, at);
  return rest.substr(0, rest.find_first_not_of("0123456789"));
}

// The lines with a source line and its caret that follow the message at `at`.
std::string excerpt(const std::string& text, std::size_t at) {
  std::istringstream in(text.substr(at));
  std::string lines, line;
  std::getline(in, line);
  while (std::getline(in, line) && line.find(" | ") != line.npos && line.find(" | ") < 8)
    lines += '\n' + line;
  return lines;
}

Verdict first_error(const Exercise& exercise, const std::string& text) {
  const std::string file = exercise.work().filename().string() + ':';
  const auto where = [&](const std::string& line) {  // as editors make a link of it
    return exercise.shown().string() + ':' + line + ": ";
  };
  if (const std::string name = after(text, "undefined reference to `"); !name.empty()) {
    const std::string number = number_after(text, file);
    return {"BUILD", (number.empty() ? "" : where(number)) + '`' + name.substr(0, name.find('\'')) +
                         "` is declared and nowhere defined"};
  }
  if (text.find("multiple definition of `") != text.npos) {
    const std::string name = after(text, "multiple definition of `");
    return {"BUILD", '`' + name.substr(0, name.find('\'')) + "` is defined twice"};
  }
  for (const char* mark : {": fatal error: ", ": error: "}) {
    const auto error = text.find(mark);
    if (error == text.npos) continue;
    const auto line = text.rfind('\n', error) + 1;
    const std::string message = after(text, mark, error);
    if (const auto mine = text.find(file, line); mine < error)
      return {"BUILD", where(number_after(text, file, line)) + message + excerpt(text, error)};
    // The error is in a library; the notes around it tell which line of the learner's led there.
    const std::string before = text.substr(0, error);
    for (const auto& notes : {before, text.substr(error)})
      if (const std::string number = number_after(notes, file); !number.empty())
        return {"BUILD", where(number) + message + " (said in a library's header)"};
    return {"BUILD", message};
  }
  return {"BUILD", "the compiler said:\n" + text};
}

}  // namespace

std::optional<Verdict> compile(const Exercise& exercise, bool plain) {
  // ninja skips what is newer than its source by the clock; a copy from a backup is older.
  const Result result = run({"ninja", "-C", BUILD_DIR, exercise.target(plain)},
                            {.go_on = [](pid_t, const Result&) { return !interrupted_by; }});
  if (interrupted_by) throw Interrupted();
  if (result.timed_out) return Verdict{"BUILD", "the compiler was not done after 120 s"};
  if (result.status == 0) return {};
  return first_error(exercise, result.out + result.err);
}

void prepare(const Exercise& exercise) {
  const std::vector<std::string> build{"ninja", "-C", BUILD_DIR, "ready-" + exercise.id};
  auto plan = build;
  plan.push_back("-n");
  if (run(plan).out.find("no work to do") != std::string::npos) return;
  std::puts("\nBuilding what the exercise needs; the first time that takes up to two minutes ...");
  std::fflush(stdout);
  run(build, {.time_limit = std::chrono::minutes(10),
              .go_on = [](pid_t, const Result&) { return !interrupted_by; }});
  if (interrupted_by) throw Interrupted();
}
