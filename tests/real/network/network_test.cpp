// All fetchers over a bad network, side by side: no URL is lost, and none outlives its deadline.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <list>
#include <optional>
#include <random>
#include <string>
#include <thread>

#include "catch.hpp"
#include "fetchers.hpp"
#include "link.hpp"
#include "test_server.hpp"

using namespace std::chrono_literals;
using Seconds = std::chrono::duration<double>;

namespace {

enum class Expected {
  ok,
  timeouts,
  ok_or_timeouts,  // the timers of TCP decide, or the machine's speed
  errors,          // at once
};

constexpr std::chrono::seconds time_limit{40};

struct Run {
  Run(const Fetcher& its_fetcher, const Lines& its_urls)
      : fetcher(its_fetcher),
        urls(its_urls),
        process(command(fetcher, urls), {.time_limit = time_limit}) {}

  const Fetcher& fetcher;
  Lines urls;
  Process process;  // what it says fits into a pipe
  Seconds took{};   // 0 while it runs
};

Lines paths(const std::string& path) { return Lines(200, path); }

// A few answers take many packets.
Lines good_paths() {
  Lines all = paths("/status/200");
  for (std::size_t i = 0; i < all.size(); i += 40) all[i] = "/bytes/100000";
  return all;
}

// A test that cannot make its network ends the program.
void make(std::optional<Link>& link, Weather weather) try {
  weather.seed = std::random_device()();
  std::printf("seed %u\n", weather.seed);
  link.emplace(weather);
} catch (const Missing& what) {
  std::printf("SKIP: %s\n", what.what());
  std::exit(77);
}

// The program that fetches one URL after the other gets only the first `in_turn` of them.
void fetch_all(const Weather& weather, const Lines& paths, Expected expected,
               std::size_t in_turn = 2) {
  std::optional<Link> link;
  make(link, weather);
  link->enter_server();
  const Server server({"--host", Link::server_address});
  link->enter_client();

  Lines urls;
  for (const auto& path : paths)
    urls.push_back(server.url(path + "?" + std::to_string(urls.size())));
  const Lines few(urls.begin(), urls.begin() + std::ptrdiff_t(in_turn));

  const auto start = std::chrono::steady_clock::now();
  std::list<Run> runs;
  for (const auto& fetcher : fetchers())
    runs.emplace_back(fetcher, fetcher.concurrent ? urls : few);
  for (std::size_t ended = 0; ended < runs.size();) {
    std::this_thread::sleep_for(10ms);
    const Seconds now = std::chrono::steady_clock::now() - start;
    for (Run& run : runs)
      if (run.took == Seconds() && (run.process.has_ended() || now > time_limit)) {
        run.took = now;
        ++ended;
      }
  }

  for (Run& run : runs) {
    INFO(run.fetcher.program);
    const Result result = run.process.finish();
    const std::size_t ok = count_ok(result, run.urls);
    std::printf("%-32s %3zu of %3zu OK, %4.1f s\n", run.fetcher.program.c_str(), ok,
                run.urls.size(), run.took.count());
    CHECK(run.took < 1.5s + 10.5s * (run.fetcher.concurrent ? 1 : run.urls.size()));
    if (expected == Expected::ok) CHECK(result.err == "");
    if (expected == Expected::timeouts || expected == Expected::errors) CHECK(ok == 0);
    for (const auto& line : lines(result.err)) {
      INFO(line);
      CHECK((line.find("timed out") != line.npos) == (expected != Expected::errors));
    }
  }
}

}  // namespace

TEST_CASE("real: a network with a delay of 300 ms each way") {
  fetch_all({.delay = 300ms}, good_paths(), Expected::ok);
}

TEST_CASE("real: a network that loses 5 % of the packets") {
  fetch_all({.loss = 0.05}, good_paths(), Expected::ok);
}

// 100,000 bytes may take TCP too long here.
TEST_CASE("real: a network that loses 20 % of the packets") {
  fetch_all({.loss = 0.2}, good_paths(), Expected::ok_or_timeouts);
}

// Half of the time is left. But 1,400 connections go on at once, and the link's queue holds 500
// packets: what it loses then, TCP sends again too late.
TEST_CASE("real: a network that stalls for 5 s") {
  fetch_all({.stops_for = 5s}, good_paths(), Expected::ok_or_timeouts);
}

// At most 0.5 s is left for all the work, too little on a busy machine.
TEST_CASE("real: a network that stalls for 9.5 s") {
  fetch_all({.stops_for = 9500ms}, good_paths(), Expected::ok_or_timeouts);
}

// The requests arrive, the answers are too late. A URL that begins during the stall may be OK.
TEST_CASE("real: a network that stalls for 12 s") {
  fetch_all({.stops_after = 2s, .stops_for = 12s}, paths("/delay/4"), Expected::timeouts, 1);
}

// TCP tries to connect again after 1, 3 and 7 s; newer kernels do so each second at first. Then too
// there are many at once.
TEST_CASE("real: a network that loses everything for 4 s") {
  fetch_all({.stops_for = 4s, .stop_loses = true}, good_paths(), Expected::ok_or_timeouts);
}

// The answer is sent again up to 3 s after it was due, in vain, and then after 6 s, too late.
TEST_CASE("real: a network that loses everything for 9.5 s") {
  fetch_all({.stops_after = 2s, .stops_for = 9500ms, .stop_loses = true}, paths("/delay/4"),
            Expected::timeouts, 1);
}

TEST_CASE("real: a network that goes down") {
  fetch_all({.stops_after = 2s, .stops_for = 1h}, paths("/delay/4"), Expected::timeouts);
}

TEST_CASE("real: a network with resets") {
  fetch_all({.delay = 50ms}, paths("/rst"), Expected::errors);
}
