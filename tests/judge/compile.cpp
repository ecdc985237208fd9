#include "compile.hpp"

#include <cstdio>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

namespace {

using Text = std::vector<std::string>;  // lines

// What stands behind `mark`; empty if it is not there.
std::string after(const std::string& text, const std::string& mark) {
  const auto at = text.find(mark);
  return at == text.npos ? "" : text.substr(at + mark.size());
}

// Compilers add the longer name of a type: ‘awaitable<int>’ {aka ‘boost::asio::awaitable<...>’}.
std::string without_aliases(const std::string& text) {
  static const std::regex alias(R"( \{aka [^}]*\}| \(aka '[^']*'\))");
  return std::regex_replace(text, alias, "");
}

bool is(const std::string& line, const char* severity) {
  return line.find(std::string(": ") + severity + ": ") != line.npos;
}
bool is_error(const std::string& line) { return is(line, "error") || is(line, "fatal error"); }
bool is_diagnostic(const std::string& line) {
  return is_error(line) || is(line, "warning") || is(line, "note");
}

// Whether a compiler shows a line of source there, or points at a part of it.
bool is_excerpt(const std::string& line) { return line.find(" | ") < 8; }

class Complaint {
 public:
  Complaint(const Exercise& exercise, const std::string& text) : exercise_(exercise) {
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) text_.push_back(line);
  }

  std::string first() const {
    for (const auto& line : text_) {
      if (const std::string words = linker_error(line); !words.empty()) return words;
    }
    std::string unplaced;
    for (std::size_t i = 0; i < text_.size(); ++i) {
      if (!is_error(text_[i])) continue;
      if (const std::string line = line_in(text_[i]); !line.empty())
        return where(line) + message(i) + excerpt(i);
      const std::string said = message(i) + " (said in " + place(text_[i]) + ")";
      if (const std::string line = line_that_led_to(i); !line.empty())
        return where(line) + said + source(line);
      if (unplaced.empty()) unplaced = said;  // another error may tell the line
    }
    if (!unplaced.empty()) return unplaced;
    std::string all = "the compiler said:";
    for (const auto& line : text_) all += '\n' + line;
    return all;
  }

 private:
  // As editors make a link of it.
  std::string where(const std::string& line) const {
    return line.empty() ? "" : exercise_.shown().string() + ':' + line + ": ";
  }

  // The number of the learner's line that this text names; empty if there is none.
  std::string line_named_in(const std::string& text) const {
    const std::string rest = after(text, exercise_.work().filename().string() + ':');
    return rest.substr(0, rest.find_first_not_of("0123456789"));
  }

  // The same, but only if the text begins with it. The lines about an #include do not count.
  std::string line_in(const std::string& text) const {
    if (text.starts_with("In file included from ") || text.starts_with(" ")) return {};
    return line_named_in(text.substr(0, text.find(": ")));
  }

  // Of an error in a header. g++ tells before the error what led there, clang in the notes behind.
  // Both begin with the innermost place.
  std::string line_that_led_to(std::size_t error) const {
    std::size_t i = error;
    while (i > 0 && !is_diagnostic(text_[i - 1])) --i;
    for (; i < text_.size() && (i <= error || !is_error(text_[i])); ++i)
      if (const std::string line = line_in(text_[i]); !line.empty()) return line;
    return {};
  }

  std::string message(std::size_t error) const {
    std::string words = without_aliases(after(text_[error], "error: "));
    for (std::size_t i = error + 1; i < text_.size() && !is_error(text_[i]); ++i)
      if (is(text_[i], "note") && text_[i].find("#include") != std::string::npos)
        return words + ": " + after(text_[i], "note: ");  // a forgotten header
    return words;
  }

  // deferred.hpp:117
  static std::string place(const std::string& error) {
    const std::string path = error.substr(0, error.find(": "));
    const std::string name = path.substr(path.rfind('/') + 1);
    return name.substr(0, name.find(':', name.find(':') + 1));
  }

  // The lines with a source line and its caret, which follow the error.
  std::string excerpt(std::size_t error) const {
    std::string lines;
    for (std::size_t i = error + 1; i < text_.size() && is_excerpt(text_[i]); ++i)
      lines += '\n' + without_aliases(text_[i]);
    return lines.empty() ? source(line_in(text_[error])) : lines;  // older clangs number no lines
  }

  // The learner's line, in the same form.
  std::string source(const std::string& number) const {
    std::istringstream in(read_file(exercise_.work()));
    std::string line;
    for (int i = std::stoi(number); i > 0; --i) std::getline(in, line);
    return '\n' + std::string(number.size() < 5 ? 5 - number.size() : 0, ' ') + number + " | " +
           line;
  }

  std::string linker_error(const std::string& line) const {
    for (const char* mark : {"undefined reference to `", "undefined symbol: "}) {
      const std::string rest = after(line, mark), name = rest.substr(0, rest.find('\''));
      if (name == "main") return "there is no function `main`";
      if (!name.empty())
        return where(line_named_in(line)) + '`' + name + "` is declared and nowhere defined";
    }
    const std::string rest = after(line, "multiple definition of `");
    if (rest.empty()) return {};
    return where(line_named_in(line)) + '`' + rest.substr(0, rest.find('\'')) +
           "` is defined twice";
  }

  const Exercise& exercise_;
  Text text_;
};

}  // namespace

std::optional<Verdict> compile(const Exercise& exercise, bool plain) {
  // ninja skips what is newer than its source by the clock; a copy from a backup is older.
  const Result result = run({"ninja", "-C", BUILD_DIR, exercise.target(plain)},
                            {.go_on = [](pid_t, const Result&) { return !interrupted_by; }});
  if (interrupted_by) throw Interrupted();
  if (result.timed_out) return Verdict{"BUILD", "the compiler was not done after 120 s"};
  if (result.status == 0) return {};
  return Verdict{"BUILD", Complaint(exercise, result.out + result.err).first()};
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
