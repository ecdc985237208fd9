// 02's patterns, where things go wrong.

#pragma GCC diagnostic ignored "-Wreturn-type"  // main needs no return, others do
#define main of_the_patterns
#include "../02-threads/patterns.cpp"
#undef main

namespace {

// How often a request is tried if `attempt` stops it.
std::string tries(const std::function<std::string(std::stop_source&)>& attempt) {
  int count = 0;
  std::stop_source stop;
  try {
    retry(stop.get_token(), [&](std::stop_token) { return ++count, attempt(stop); });
  } catch (const std::exception& error) {
    return std::to_string(count) + ", " + error.what();
  }
  return "it has an answer";
}

}  // namespace

int main() {
  const Request busy = [](std::stop_token) -> std::string { throw Busy("busy"); };
  say("all fail", first({busy, busy}).value_or("none"));
  say("no racers", first({}).value_or("none"));
  say("stopped in a try", tries([](std::stop_source& stop) {
        stop.request_stop();
        return ask(stop.get_token(), 1h, "late");
      }));
  say("stopped in a pause", tries([](std::stop_source& stop) -> std::string {
        stop.request_stop();
        throw Busy("busy");
      }));
}
