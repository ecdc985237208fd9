// 04's patterns, where things go wrong.

#pragma GCC diagnostic ignored "-Wreturn-type"  // main needs no return, others do
#define main of_the_patterns
#include "../04-green-threads/patterns.cpp"
#undef main

namespace {

// How often a request is tried if it is killed as soon as it waits.
std::string tries(const Request& attempt) {
  int count = 0;
  const auto job = green::spawn([&] { retry([&] { return ++count, attempt(); }); });
  green::yield();
  green::kill(job);
  try {
    green::join(job);
  } catch (const std::exception& error) {
    return std::to_string(count) + ", " + error.what();
  }
  return "it has an answer";
}

}  // namespace

int main() {
  green::patch_all();
  const Request busy = []() -> std::string { throw Busy("busy"); };
  say("all fail", first({busy, busy}).value_or("none"));
  say("no racers", first({}).value_or("none"));
  say("killed in a try", tries([] { return ask(1h, "late"); }));
  say("killed in a pause", tries(busy));
}
