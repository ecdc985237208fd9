#include "trace.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <stdexcept>

namespace inside {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// A line's text, taken from its front.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool take(std::string_view start) {
    if (text_.substr(0, start.size()) != start) return false;
    text_.remove_prefix(start.size());
    return true;
  }
  void skip_spaces() {
    text_.remove_prefix(std::min(text_.find_first_not_of(" \t"), text_.size()));
  }
  std::optional<long long> integer() {
    long long number = 0;
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), number);
    if (error != std::errc()) return {};
    text_.remove_prefix(std::size_t(end - text_.data()));
    return number;
  }
  // Seconds, with at most six decimals.
  std::optional<Micros> seconds() {
    const auto whole = integer();
    if (!whole || !take(".")) return {};
    long long micros = 0;
    for (int i = 0; i < 6; ++i) {
      micros *= 10;
      if (text_.empty() || !is_digit(text_.front())) continue;
      micros += text_.front() - '0';
      text_.remove_prefix(1);
    }
    return std::chrono::seconds(*whole) + Micros(micros);
  }
  std::string_view name() {
    const auto end = std::min(text_.find_first_not_of("abcdefghijklmnopqrstuvwxyz_0123456789"
                                                      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
                              text_.size());
    const auto taken = text_.substr(0, end);
    text_.remove_prefix(end);
    return taken;
  }
  std::string_view rest() const { return text_; }

 private:
  std::string_view text_;
};

// Where the quoted string that starts at `at` ends: behind its closing quote.
std::size_t end_of_string(std::string_view text, std::size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at)
    if (text[at] == '\\') ++at;
  return std::min(at + 1, text.size());
}

// Splits a call's arguments, up to the parenthesis that closes them, off the front of `text`.
// Nothing if there is none.
std::optional<std::vector<std::string>> split(std::string_view& text) {
  std::vector<std::string> all;
  std::size_t start = 0;
  int depth = 0;
  const auto end_argument = [&](std::size_t at) {
    while (start < at && text[start] == ' ') ++start;
    if (start < at) all.emplace_back(text.substr(start, at - start));
    start = at + 1;
  };
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '"') {
      at = end_of_string(text, at) - 1;
    } else if (c == '(' || c == '[' || c == '{') {
      ++depth;
    } else if (c == ',' && depth == 0) {
      end_argument(at);
    } else if (c == ')' && depth == 0) {
      end_argument(at);
      text.remove_prefix(at + 1);
      return all;
    } else if (c == ')' || c == ']' || c == '}') {
      --depth;
    }
  }
  return {};
}

int octal(std::string_view text, std::size_t& at) {
  int value = 0;
  for (int i = 0; i < 3 && at < text.size() && text[at] >= '0' && text[at] <= '7'; ++i)
    value = value * 8 + (text[at++] - '0');
  return value;
}

// The bytes of a quoted string, which starts at `at`.
std::string unquoted(std::string_view text, std::size_t at) {
  std::string all;
  for (++at; at < text.size() && text[at] != '"';) {
    if (text[at] != '\\') {
      all += text[at++];
      continue;
    }
    if (++at == text.size()) break;
    if (text[at] >= '0' && text[at] <= '7') {
      all += char(octal(text, at));
      continue;
    }
    constexpr std::string_view letters = "nrtvf", meant = "\n\r\t\v\f";
    const auto which = letters.find(text[at]);
    all += which == letters.npos ? text[at] : meant[which];
    ++at;
  }
  return all;
}

class Parser {
 public:
  Trace parse(std::string_view log) {
    for (std::size_t at = 0; at < log.size();) {
      ++number_;
      const auto end = std::min(log.find('\n', at), log.size());
      const auto line = log.substr(at, end - at);
      at = end + 1;
      if (!line.empty()) take(line);
    }
    if (number_ == 0 || trace_.calls.empty()) throw std::runtime_error("strace saw no calls");
    if (!ended_) fail("the log breaks off before the program's end");
    // A call that did not return lasts until its thread's end, or the program's.
    for (auto& [thread, call] : open_) {
      const auto end = thread_ends_.find(thread);
      call.to = std::max(call.from, end == thread_ends_.end() ? trace_.end : end->second);
      const std::string text = std::move(call.text);
      add(call, text, true);
    }
    std::stable_sort(trace_.calls.begin(), trace_.calls.end(),
                     [](const Call& a, const Call& b) { return a.from < b.from; });
    return std::move(trace_);
  }

 private:
  struct Open : Call {
    std::string text;  // of its arguments
  };

  [[noreturn]] void fail(const std::string& why) const {
    throw std::runtime_error("line " + std::to_string(number_) + ": " + why);
  }

  void take(std::string_view line) {
    Reader reader(line);
    const auto thread = reader.integer();
    reader.skip_spaces();
    const auto time = reader.seconds();
    if (!thread || !time) fail("not a line of strace -f -ttt: " + std::string(line.substr(0, 60)));
    if (!start_) start_ = *time, first_ = int(*thread);
    const Micros now = std::max(*time - *start_, Micros(0));
    trace_.end = std::max(trace_.end, now);
    reader.skip_spaces();
    if (reader.take("---")) return;  // a signal
    if (reader.take("+++ ")) {
      if (reader.take("killed by "))
        fail("the program was killed by " + std::string(reader.name()));
      thread_ends_[int(*thread)] = now;
      if (*thread == first_) ended_ = true;
      return;
    }
    if (reader.take("<... ")) {
      resume(int(*thread), now, reader);
    } else {
      begin(int(*thread), now, reader);
    }
  }

  void begin(int thread, Micros now, Reader& reader) {
    Open call;
    call.thread = thread;
    call.from = call.to = now;
    call.name = reader.name();
    if (call.name.empty() || !reader.take("(")) fail("no call");
    finish(call, reader.rest());
  }

  void resume(int thread, Micros now, Reader& reader) {
    const std::string name(reader.name());
    const auto found = open_.find(thread);
    const auto after = reader.rest().find("resumed>");
    if (after == std::string_view::npos) fail("no call");
    if (found == open_.end()) return;  // it began before strace came
    Open call = std::move(open_.extract(found).mapped());
    if (call.name != name) fail(name + " ends, but it was " + call.name + " that began");
    call.to = std::max(now, call.from);
    call.text += reader.rest().substr(after + 8);
    const std::string text = std::move(call.text);
    finish(call, text);
  }

  // `text` is what stands behind the call's opening parenthesis.
  void finish(Open& call, std::string_view text) {
    constexpr std::string_view unfinished = "<unfinished ...>";
    const auto length = text.size() < unfinished.size() ? 0 : text.size() - unfinished.size();
    if (text.substr(length) == unfinished) {
      text.remove_suffix(unfinished.size());
      while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
      call.text = text;
      open_.insert_or_assign(call.thread, std::move(call));
      return;
    }
    add(call, text, false);
  }

  void add(Open& call, std::string_view text, bool cut_off) {
    std::string closed(text);
    if (cut_off) closed += ')', text = closed;
    auto arguments = split(text);
    if (!arguments) {
      if (!cut_off) fail("a call without an end");
      arguments.emplace();
    }
    call.arguments = std::move(*arguments);
    Reader reader(text);
    reader.skip_spaces();
    if (reader.take("=")) {
      reader.skip_spaces();
      call.result = reader.integer();
      // The time that it took stands at the end of the line.
      const auto angle = reader.rest().rfind('<');
      if (angle != std::string_view::npos) {
        Reader time(reader.rest().substr(angle + 1));
        if (const auto took = time.seconds(); took && time.rest() == ">")
          call.to = call.from + *took;
      }
    } else if (!cut_off) {
      fail("a call without a result");
    }
    trace_.end = std::max(trace_.end, call.to);
    trace_.calls.push_back(std::move(static_cast<Call&>(call)));
  }

  Trace trace_;
  std::size_t number_ = 0;
  std::optional<Micros> start_;
  int first_ = 0;  // thread
  bool ended_ = false;
  std::map<int, Open> open_;  // by thread
  std::map<int, Micros> thread_ends_;
};

}  // namespace

Trace parse(std::string_view log) { return Parser().parse(log); }

std::vector<int> Call::descriptors() const {
  std::vector<int> all;
  if (arguments.empty()) return all;
  if (name == "poll" || name == "ppoll") {
    const std::string& text = arguments[0];
    for (std::size_t at = 0; (at = text.find("{fd=", at)) != std::string::npos;) {
      Reader reader(std::string_view(text).substr(at += 4));
      if (const auto fd = reader.integer()) all.push_back(int(*fd));
    }
    return all;
  }
  static constexpr std::array none{"futex",      "clone",  "clone3", "execve",    "exit",
                                   "exit_group", "fork",   "vfork",  "nanosleep", "clock_nanosleep",
                                   "wait4",      "waitid", "socket", "select",    "pselect6",
                                   "mmap",       "mmap2"};
  if (std::find(none.begin(), none.end(), name) != none.end()) return all;
  Reader reader(arguments[0]);
  if (const auto fd = reader.integer()) all.push_back(int(*fd));
  return all;
}

std::string Call::bytes() const {
  std::string all;
  for (const auto& argument : arguments)
    for (std::size_t at = 0; (at = argument.find('"', at)) != std::string::npos;) {
      all += unquoted(argument, at);
      at = end_of_string(argument, at);
    }
  return all;
}

}  // namespace inside
