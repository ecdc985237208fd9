// All fetchers over a bad network, side by side: no URL is lost, and none outlives its deadline.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <thread>

#include "catch.hpp"
#include "fetchers.hpp"
#include "link.hpp"
#include "name_server.hpp"
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
const std::string dead[] = {"10.0.0.3", "10.0.0.4"};  // addresses of nobody

struct Run {
  Run(const Fetcher& its_fetcher, const Lines& its_urls)
      : fetcher(its_fetcher),
        urls(its_urls),
        process(command(fetcher, urls), {.time_limit = time_limit}) {}

  const Fetcher& fetcher;
  Lines urls;
  Process process;  // what it says fits into a pipe
  Seconds took{};   // 0 while it runs
  Seconds lost{};   // of these, those in which the machine had no time for us
  Result result = {};
  std::size_t ok = 0;
};

// A few answers take many packets.
Lines good_paths(std::size_t count) {
  Lines all(count, "/status/200");
  for (std::size_t i = 0; i < all.size(); i += 40) all[i] = "/bytes/100000";
  return all;
}

// A test that cannot make its network ends the program.
void skip_without(const std::function<void()>& network) try {
  network();
} catch (const Missing& what) {
  std::printf("  not run: %s\n", what.what());  // by which ctest knows
  std::exit(1);
}

void make(std::optional<Link>& link, Weather weather = {}) {
  weather.seed = std::random_device()();
  std::printf("seed %u\n", weather.seed);
  skip_without([&] { link.emplace(weather); });
}

// All fetchers, side by side. The program that fetches one URL after the other gets only the first
// `in_turn` of them.
std::list<Run> run_all(const Lines& urls, std::size_t in_turn) {
  const Lines few(urls.begin(), urls.begin() + std::ptrdiff_t(in_turn));
  std::list<Run> runs;
  for (const auto& fetcher : fetchers())
    runs.emplace_back(fetcher, fetcher.concurrent ? urls : few);
  const auto start = std::chrono::steady_clock::now();
  auto last = start;
  Seconds lost{};
  for (std::size_t ended = 0; ended < runs.size();) {
    std::this_thread::sleep_for(10ms);
    const auto now = std::chrono::steady_clock::now();
    lost += std::max<Seconds>(now - last - 15ms, 0s);
    last = now;
    for (Run& run : runs)
      if (run.took == Seconds() && (run.process.has_ended() || now > start + time_limit)) {
        run.took = now - start;
        run.lost = lost;
        ++ended;
      }
  }
  for (Run& run : runs) {
    INFO(run.fetcher.program);
    run.result = run.process.finish();
    run.ok = count_ok(run.result, run.urls);
    std::printf("%-32s %3zu of %3zu OK, %4.1f s, of which %.1f s lost\n",
                run.fetcher.program.c_str(), run.ok, run.urls.size(), run.took.count(),
                run.lost.count());
    // A busy machine that has no time for us has less for hundreds of processes.
    CHECK(run.took < 1.5s + 5 * run.lost + 10.5s * (run.fetcher.concurrent ? 1 : run.urls.size()));
  }
  return runs;
}

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
  for (const Run& run : run_all(urls, in_turn)) {
    INFO(run.fetcher.program);
    if (expected == Expected::ok) CHECK(run.result.err == "");
    if (expected == Expected::timeouts || expected == Expected::errors) CHECK(run.ok == 0);
    for (const auto& line : lines(run.result.err)) {
      INFO(line);
      CHECK((line.find("timed out") != line.npos) == (expected != Expected::errors));
    }
  }
}

// The same, with names instead of the server's address.
std::list<Run> fetch_names(const Lines& names, std::size_t count, std::size_t in_turn) {
  std::optional<Link> link;
  make(link);
  link->enter_server();
  const Server server({"--host", Link::server_address});
  const std::string here = Link::server_address;
  std::optional<NameServer> name_server;
  const std::map<std::string, NameServer::Name> addresses{
      {"quick.test", {{here}}},
      {"slow.test", {{here}, 3s}},
      {"dead.test", {{here}, 1h}},
      {"two.test", {{dead[0], here}}},
      {"three.test", {{dead[0], dead[1], here}}},
      {"refuses.test", {{Link::second_address, here}}}};
  skip_without([&] { name_server.emplace(Link::server_address, addresses); });
  link->enter_client();
  REQUIRE(run({"getent", "ahostsv4", "three.test"}).out.starts_with(dead[0]));  // in this order

  Lines urls;
  while (urls.size() < count)
    urls.push_back("http://" + names[urls.size() % names.size()] + ":" +
                   std::to_string(server.port()) + "/status/200?" + std::to_string(urls.size()));
  return run_all(urls, in_turn);
}

}  // namespace

TEST_CASE("real: a network with a delay of 300 ms each way") {
  fetch_all({.delay = 300ms}, good_paths(200), Expected::ok);
}

// Each packet that is sent again arrives, so the waits of TCP do not add up to 10 s.
TEST_CASE("real: a network that loses 5 % of the packets") {
  fetch_all({.loss = 0.05, .times = 1}, good_paths(200), Expected::ok);
}

// 100,000 bytes may take TCP too long here.
TEST_CASE("real: a network that loses 20 % of the packets") {
  fetch_all({.loss = 0.2}, good_paths(200), Expected::ok_or_timeouts);
}

// Half of the time is left, for few URLs, so that it is enough on a busy machine.
TEST_CASE("real: a network that stalls for 5 s") {
  fetch_all({.stops_for = 5s}, good_paths(40), Expected::ok);
}

// At most 0.5 s is left for all the work, too little on a busy machine.
TEST_CASE("real: a network that stalls for 9.5 s") {
  fetch_all({.stops_for = 9500ms}, good_paths(200), Expected::ok_or_timeouts);
}

// The requests arrive, the answers are too late. A URL that begins during the stall may be OK.
TEST_CASE("real: a network that stalls for 12 s") {
  fetch_all({.stops_after = 2s, .stops_for = 12s}, Lines(200, "/delay/4"), Expected::timeouts, 1);
}

// TCP tries to connect again after 1, 3 and 7 s; newer kernels do so each second at first. So at
// least 2 s are left.
TEST_CASE("real: a network that loses everything for 4 s") {
  fetch_all({.stops_for = 4s, .stop_loses = true}, good_paths(40), Expected::ok);
}

// Each request that was sent before is over before the network is back.
TEST_CASE("real: a network that loses everything for 10 s") {
  fetch_all({.stops_after = 2s, .stops_for = 10s, .stop_loses = true}, Lines(200, "/delay/4"),
            Expected::timeouts, 1);
}

TEST_CASE("real: a network that goes down") {
  fetch_all({.stops_after = 2s, .stops_for = 1h}, Lines(200, "/delay/4"), Expected::timeouts);
}

TEST_CASE("real: a network with resets") {
  fetch_all({.delay = 50ms}, Lines(200, "/rst"), Expected::errors);
}

// The refusal comes later than on the same machine: when the program waits already.
TEST_CASE("real: a host that refuses") {
  std::optional<Link> link;
  make(link, {.delay = 50ms});
  link->enter_client();
  Lines urls;
  while (urls.size() < 200)
    urls.push_back("http://" + std::string(Link::server_address) + ":1/?" +
                   std::to_string(urls.size()));
  for (const Run& run : run_all(urls, 2)) {
    INFO(run.fetcher.program);
    CHECK(run.ok == 0);
    for (const auto& line : lines(run.result.err)) CHECK(line.find("timed out") == line.npos);
  }
}

TEST_CASE("real: a name whose first address refuses") {
  for (const Run& run : fetch_names({"refuses.test"}, 40, 4)) {
    INFO(run.fetcher.program);
    CHECK(run.result.err == "");
  }
}

TEST_CASE("real: names that are slow or dead do not hold up the others") {
  const Lines names{"dead.test", "slow.test", "quick.test", Link::server_address};
  for (const Run& run : fetch_names(names, 40, 4)) {
    INFO(run.fetcher.program);
    CHECK(run.ok == run.urls.size() / 4 * 3);
    for (const auto& line : lines(run.result.err)) {
      INFO(line);
      CHECK(line.find("dead.test") != line.npos);
      CHECK(line.find("timed out") != line.npos);
    }
  }
}

TEST_CASE("real: names with dead addresses before the good one") {
  // `coexist` gives every second URL to Boost.Beast, so each of its engines gets both names.
  const Lines names{"two.test", "three.test", "three.test", "two.test"};
  for (const Run& run : fetch_names(names, 8, 2)) {
    INFO(run.fetcher.program << ", " << run.result.err);
    const bool mixes = run.fetcher.program.ends_with("/coexist");
    const Lines out = lines(run.result.out);
    for (std::size_t i = 0; i < run.urls.size(); ++i) {
      const std::string engine = mixes && i % 2 == 1 ? "Boost.Beast" : run.fetcher.engine;
      const bool one_is_dead = names[i % names.size()] == "two.test";
      // See DIFFERENCES.md.
      const bool is_certain =
          engine == "Boost.Beast" || (engine == "libcurl" && one_is_dead && !mixes);
      const std::string line = run.urls[i] + " OK";
      INFO(line);
      if (is_certain) CHECK(std::count(out.begin(), out.end(), line) == 1);
    }
    for (const auto& line : lines(run.result.err)) CHECK(line.find("timed out") != line.npos);
    const bool races = run.fetcher.engine == "Boost.Beast";
    if (races) CHECK(run.took < 5s + 5 * run.lost);  // each dead one costs 250 ms
  }
}
