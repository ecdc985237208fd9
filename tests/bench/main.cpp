// The benchmark: what each program costs, and the targets. See --help.

#include <getopt.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <stdexcept>
#include <string>

#include "building.hpp"
#include "fetching.hpp"
#include "page.hpp"
#include "results.hpp"
#include "serving.hpp"

namespace {

constexpr char usage[] =
    "usage: ./learn bench [OPTION]...\n"
    "Measures what each program costs, and the tools that people would use instead.\n"
    "  --fetch            only the fetchers\n"
    "  --server           only the test server, against nginx\n"
    "  --edits            only the build of each fetch.cpp; a minute\n"
    "  --build            only the build: edits, a clean build, the tests; 15 minutes\n"
    "  --large            19,000 URLs at once, too\n"
    "  --quick            few URLs, to see that everything works\n"
    "  --seed N           shuffle the order of the programs as another run did\n"
    "  --rounds N         how often each program runs, default 3\n"
    "  --only NAME        only programs with NAME in their names; may be repeated\n"
    "  --json FILE        write the results into FILE\n"
    "  --record           with --large; store the results, write pages and pictures\n"
    "  --draw             write pages and pictures from the recorded results\n"
    "  --check            tell whether pages and pictures show the recorded results\n"
    "  --install-peers    first install the programs to compare with\n"
    "  --help             print this\n";

constexpr char recorded[] = ROOT_DIR "/tests/bench/results.json";

struct Options {
  bool fetch = false, server = false, edits = false, build = false;
  bool record = false, draw = false, check = false;
  std::string json;
  Plan plan;
};

long number(const char* text, long least, long most) {
  char* end = nullptr;
  const long value = std::strtol(text, &end, 10);
  if (end == text || *end || value < least || value > most)
    throw std::invalid_argument(std::string(text) + ": not a number from " + std::to_string(least) +
                                " to " + std::to_string(most));
  return value;
}

Options parse(int argc, char* argv[]) {
  Options options;
  bool quick = false, large = false;
  int rounds = 0;
  std::uint32_t seed = std::random_device()() % 1'000'000;
  const option known[] = {{"fetch", no_argument, nullptr, 'f'},
                          {"server", no_argument, nullptr, 's'},
                          {"build", no_argument, nullptr, 'b'},
                          {"edits", no_argument, nullptr, 'e'},
                          {"large", no_argument, nullptr, 'l'},
                          {"quick", no_argument, nullptr, 'q'},
                          {"rounds", required_argument, nullptr, 'r'},
                          {"seed", required_argument, nullptr, 'S'},
                          {"only", required_argument, nullptr, 'o'},
                          {"json", required_argument, nullptr, 'j'},
                          {"record", no_argument, nullptr, 'R'},
                          {"draw", no_argument, nullptr, 'd'},
                          {"check", no_argument, nullptr, 'c'},
                          {"help", no_argument, nullptr, 'h'},
                          {}};
  for (int name; (name = getopt_long(argc, argv, "", known, nullptr)) != -1;) {
    if (name == 'f') options.fetch = true;
    if (name == 's') options.server = true;
    if (name == 'e') options.edits = true;
    if (name == 'b') options.edits = options.build = true;
    if (name == 'l') large = true;
    if (name == 'q') quick = true;
    if (name == 'o') options.plan.only.push_back(optarg);
    if (name == 'j') options.json = optarg;
    if (name == 'R') options.record = large = true;
    if (name == 'd') options.draw = true;
    if (name == 'c') options.check = true;
    if (name == 'h') std::exit(std::fputs(usage, stdout) < 0);
    if (name == '?') std::exit((std::fputs(usage, stderr), 2));
    if (name == 'r') rounds = int(number(optarg, 1, 100));
    if (name == 'S') seed = std::uint32_t(number(optarg, 0, 999'999));
  }
  if (optind < argc) throw std::invalid_argument(std::string(argv[optind]) + ": not an option");
  if (quick && options.record) throw std::invalid_argument("a quick run is not worth a record");
  if (!options.plan.only.empty() && options.record)
    throw std::invalid_argument("a record is of all programs");
  if (!options.fetch && !options.server && !options.edits) {
    options.fetch = true;
    options.server = !quick && options.plan.only.empty();
  }
  if (large) options.plan.sizes.push_back(19'000);
  if (quick) options.plan = {{10, 50}, 50, "/delay/0.2", 2, 10, 50, 0, options.plan.only};
  if (rounds) options.plan.rounds = rounds;
  options.plan.seed = seed;
  return options;
}

std::string command_line(int argc, char* argv[]) {
  std::string all = "./learn bench";
  for (int i = 1; i < argc; ++i) all += std::string(" ") + argv[i];
  return all;
}

// 0 if all pages are as they should be, now or already.
int show(const Results& results, bool only_look) {
  const auto changed = refresh(ROOT_DIR, results, only_look);
  for (const auto& file : changed)
    std::printf("%s %s\n", file.c_str(), only_look ? "is not what was recorded" : "is new");
  return only_look && !changed.empty();
}

void allow_open_files() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 1 << 20);
  setrlimit(RLIMIT_NOFILE, &limit);
}

int measure(const Options& options, const std::string& command) {
  Results results;
  const About now = about(command);
  const auto stamp = [&](About& its) {
    its.date = now.date, its.command = now.command, its.machine = now.machine;
    its.versions.insert(now.versions.begin(), now.versions.end());
  };
  if (options.server) try {  // first, so that a missing nginx is known soon
      results.serving = measure_serving(options.plan.rounds);
      stamp(results.serving.about);
    } catch (const std::runtime_error& error) {
      if (!options.fetch || options.record) throw;
      std::fprintf(stderr, "bench: no test of the server: %s\n", error.what());
    }
  if (options.fetch) {
    results.fetching = measure_fetching(options.plan);
    stamp(results.fetching.about);
  }
  if (options.edits) {
    results.building = measure_building(options.plan.rounds, options.build);
    stamp(results.building.about);
  }
  std::fputs(report(results).c_str(), stdout);
  if (!options.json.empty()) save(results, options.json);
  if (options.record) {
    Results all = load(recorded);
    if (options.fetch) all.fetching = results.fetching;
    if (options.server) all.serving = results.serving;
    if (options.edits) {
      if (!options.build) {  // these remain as they were
        results.building.clean = all.building.clean;
        results.building.tests = all.building.tests;
        results.building.number_of_tests = all.building.number_of_tests;
      }
      all.building = results.building;
    }
    save(all, recorded);
    show(all, false);
  }
  const auto& cells = results.fetching.cells;
  return std::any_of(cells.begin(), cells.end(), [](const Cell& it) { return !it.lost.empty(); });
}

}  // namespace

int main(int argc, char* argv[]) try {
  const Options options = parse(argc, argv);
  if (options.draw || options.check) return show(load(recorded), options.check);
  std::signal(SIGPIPE, SIG_IGN);
  for (const char* name : {"http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY"})
    unsetenv(name);
  allow_open_files();
  return measure(options, command_line(argc, argv));
} catch (const std::invalid_argument& error) {
  std::fprintf(stderr, "bench: %s\n", error.what());
  return 2;
} catch (const std::exception& error) {
  std::fprintf(stderr, "bench: %s\n", error.what());
  return 1;
}
