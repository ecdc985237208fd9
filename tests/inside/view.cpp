#include "view.hpp"

#include <algorithm>
#include <cmath>

#include "../server/view/drawing.hpp"

namespace inside {

using namespace drawing;

Keeps keeps(const Subject& subject) {
  const std::size_t threads = std::max<std::size_t>(subject.inside.lanes.size(), 1) - 1;
  if (subject.inside.stacks > threads) return Keeps::green_stack;
  if (subject.chapter.rfind("03", 0) == 0) return Keeps::callbacks;
  if (subject.chapter.rfind("05", 0) == 0) return Keeps::frames;
  return threads > 0 ? Keeps::thread : Keeps::nothing;
}

std::string summary(const Subject& subject) {
  const std::size_t count = subject.inside.lanes.size();
  std::string text = grouped(count) + (count == 1 ? " thread" : " threads");
  print(text, ", asleep %.0f %% of ", std::floor(100 * subject.inside.asleep()));
  text += duration(subject.inside.end);
  if (subject.peak_kib > 0) print(text, ", %.1f MB at most", double(subject.peak_kib) / 1024);
  return text;
}

std::string seen(const Subject& subject) {
  const std::size_t urls = subject.inside.most_at_once(), stacks = subject.inside.stacks;
  return "Seen: " + (urls == 1 ? "1 URL waits at a time" : grouped(urls) + " URLs wait at once") +
         ", with " +
         (stacks == 0   ? "no stack"
          : stacks == 1 ? "1 stack"
                        : grouped(stacks) + " stacks") +
         " besides main's.";
}

std::string known(const Subject& subject) {
  switch (keeps(subject)) {
    case Keeps::nothing:
    case Keeps::thread:
      return "";
    case Keeps::callbacks:
      return "Known from the source: each is a Deferred, a chain of callbacks.";
    case Keeps::green_stack:
      return "Known from the source: each stack is a green thread's.";
    case Keeps::frames:
      return "Known from the source: each is a chain of coroutine frames.";
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
  // Work for no URL is shown only if there is no other work in the turn.
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
