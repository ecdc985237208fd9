#include "view.hpp"

#include <algorithm>
#include <cmath>

#include "../server/view/drawing.hpp"

namespace inside {

using namespace drawing;

Keeps keeps(const Subject& subject) {
  const char digit = subject.chapter.size() > 1 ? subject.chapter[1] : '0';
  return digit >= '1' && digit <= '5' ? Keeps(digit - '1') : Keeps::nothing;
}

std::string summary(const Subject& subject) {
  const std::size_t count = subject.inside.lanes.size();
  std::string text = grouped(count) + (count == 1 ? " thread" : " threads");
  print(text, ", asleep %.0f %% of ", std::floor(100 * subject.inside.asleep()));
  text += duration(subject.inside.end);
  if (subject.peak_kib > 0) print(text, ", %.1f MB at most", double(subject.peak_kib) / 1024);
  return text;
}

std::string meanwhile(const Subject& subject) {
  const std::size_t count = subject.inside.most_at_once();
  const std::string many = count == 1 ? "" : "s", each = count == 1 ? ", " : ", each ";
  switch (keeps(subject)) {
    case Keeps::nothing:
      return "Nothing else waits meanwhile: the next URL has not begun.";
    case Keeps::thread:
      return "What waits: " + grouped(count) + " thread" + many + each + "with a stack of its own.";
    case Keeps::callbacks:
      return "What waits meanwhile: " + grouped(count) + " Deferred" + many + each +
             "a chain of callbacks.";
    case Keeps::green_stack:
      return "What waits meanwhile: " + grouped(count) + " green thread" + many + each +
             "with a stack of its own.";
    case Keeps::frames:
      return "What waits meanwhile: " + grouped(count) + " coroutine" + many + each +
             "a chain of frames.";
  }
  return "";
}

std::vector<std::string> labels(const std::vector<std::string>& urls) {
  const auto path = [](const std::string& url) {
    const auto colon = url.find("://");
    return std::min(url.find('/', colon == url.npos ? 0 : colon + 3), url.size());
  };
  bool one_host = true;
  for (const auto& url : urls)
    one_host = one_host && path(url) < url.size() &&
               url.substr(0, path(url)) == urls[0].substr(0, path(urls[0]));
  std::vector<std::string> all;
  for (const auto& url : urls) {
    const auto colon = url.find("://");
    all.push_back(one_host ? url.substr(path(url)) : url.substr(colon == url.npos ? 0 : colon + 3));
    for (char& c : all.back())
      if (c < ' ' || c > '~') c = '?';
  }
  return all;
}

std::string lane_name(std::size_t lane) {
  return lane == 0 ? "main" : "thread " + std::to_string(lane + 1);
}

Micros longest(const std::vector<Subject>& subjects, Micros least) {
  for (const auto& subject : subjects) least = std::max(least, subject.inside.end);
  return least;
}

std::vector<Owner> Turn::owners() const {
  std::vector<Owner> all;
  for (const auto& span : spans)
    if (std::find(all.begin(), all.end(), span.owner) == all.end()) all.push_back(span.owner);
  // What is for nobody shows only where nothing else is.
  if (all.size() > 1) all.erase(std::remove(all.begin(), all.end(), Owner()), all.end());
  return all;
}

std::vector<Turn> turns(const Lane& lane) {
  std::vector<Turn> all;
  for (const auto& span : lane.spans) {
    if (!span.asleep.empty()) {
      all.push_back({span.from, span.to, span.asleep, span.owner, {}});
      continue;
    }
    if (all.empty() || !all.back().asleep.empty()) all.push_back({span.from, span.to, "", {}, {}});
    all.back().to = span.to;
    all.back().spans.push_back(span);
  }
  return all;
}

}  // namespace inside
