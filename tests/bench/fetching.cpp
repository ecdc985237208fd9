#include "fetching.hpp"

#include <curl/curlver.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <boost/version.hpp>
#include <cctype>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iterator>
#include <optional>
#include <random>
#include <stdexcept>

#include "contestants.hpp"
#include "measure.hpp"
#include "process.hpp"
#include "text.hpp"

namespace {

using std::to_string;

// For programs that cannot do the next size, and for the chapters beside them.
constexpr std::int64_t middle_size = 4'000;

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

bool is_asked_for(const std::string& name, const std::vector<std::string>& only) {
  return only.empty() || std::any_of(only.begin(), only.end(),
                                     [&](const std::string& part) { return has(name, part); });
}

// The first number with a dot in it, or the text itself: `go version go1.19.8 linux/amd64`.
std::string number_of(const std::string& text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto end = std::min(text.find_first_not_of("0123456789.", at), text.size());
    if (text.substr(at, end - at).find('.', 1) != text.npos) return text.substr(at, end - at);
    at = std::max(at, end);
  }
  return text;
}

std::string line_of(const std::string& file, const std::string& name) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);)
    if (line.rfind(name, 0) == 0) return line.substr(name.size());
  return {};
}

std::int64_t descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return std::int64_t(limit.rlim_cur);
}

// What the server, and a program, has open besides.
constexpr std::int64_t spare_descriptors = 100;

bool fits(const Contestant& one, std::int64_t n, std::int64_t limit) {
  return n * std::max(one.descriptors, 1) + spare_descriptors <= limit;
}

bool can(const Contestant& one, std::int64_t n, std::int64_t limit) {
  return n <= one.most && fits(one, n, limit);
}

struct Job {
  const Contestant* who;
  std::string path;
  std::int64_t n;
  std::vector<Run> runs = {};
  std::string lost = {};

  Spread of(std::int64_t Run::*figure) const {
    std::vector<std::int64_t> values;
    for (const auto& run : runs) values.push_back(run.*figure);
    return spread(values);
  }

  // A long run that came out the same twice is not repeated: others need the time more.
  bool is_settled() const {
    const auto alike = [](const Spread& two) { return two.most * 100 <= two.least * 105; };
    return runs.size() >= 2 && of(&Run::wall).least > 4'000'000 && alike(of(&Run::wall)) &&
           alike(of(&Run::cpu));
  }

  Cell cell() const {
    return {who->name,
            path,
            n,
            std::int64_t(runs.size()),
            of(&Run::wall),
            of(&Run::cpu),
            of(&Run::user),
            of(&Run::faults),
            of(&Run::server_cpu),
            of(&Run::peak),
            of(&Run::processes).most,
            of(&Run::threads).most,
            of(&Run::descriptors).most,
            of(&Run::in_flight).least,
            lost};
  }
};

class Progress {
 public:
  ~Progress() { end(); }

  void tell(int round, int rounds, const Job& job) {
    tell("round " + to_string(round) + " of " + to_string(rounds) + ": " + to_string(job.n) +
             " of " + job.path,
         job.who->name);
  }

  void tell(const std::string& line, const std::string& name) {
    if (isatty(STDERR_FILENO))
      std::fprintf(stderr, "\r\033[K%s, %s", line.c_str(), name.c_str());
    else if (line != last_)
      std::fprintf(stderr, "%s\n", line.c_str());
    last_ = line;
  }

  void end() {
    if (isatty(STDERR_FILENO)) std::fputs("\r\033[K", stderr);
  }

 private:
  std::string last_;
};

// What each makes of calls for a fetch, without those that it makes anyway.
Calls calls_of(const Contestant& one, const Plan& plan) {
  // All answers come at once, even if strace makes the program slow.
  const auto path = [&](std::int64_t n) {
    return one.most < plan.many ? std::string(at_once) : "/barrier/" + to_string(n);
  };
  const auto few = count_calls(one.command, path(plan.few), plan.few);
  Calls all{one.name, plan.many - plan.few, count_calls(one.command, path(plan.many), plan.many)};
  for (auto& [name, count] : all.calls)
    if (const auto also = few.find(name); also != few.end()) count -= also->second;
  std::erase_if(all.calls, [](const auto& call) { return call.second <= 0; });
  return all;
}

}  // namespace

About about(const std::string& command) {
  About all;
  char date[32];
  const std::time_t now = std::time(nullptr);
  std::strftime(date, sizeof date, "%Y-%m-%d", std::gmtime(&now));
  all.date = date;
  all.command = command;

  utsname kernel{};
  uname(&kernel);
  std::string model = line_of("/proc/cpuinfo", "model name"),
              system = line_of("/etc/os-release", "PRETTY_NAME=");
  model.erase(0, model.find_first_not_of("\t :"));
  system.erase(std::remove(system.begin(), system.end(), '"'), system.end());
  const auto cores = sysconf(_SC_NPROCESSORS_ONLN);
  const auto memory = std::stoll(line_of("/proc/meminfo", "MemTotal:")) / (1 << 20);
  const std::string release = kernel.release;
  const auto second_dot = release.find('.', release.find('.') + 1);
  all.machine = to_string(cores) + " cores" + (model.empty() ? "" : " of " + model) + ", " +
                to_string(memory + 1) + " GB, " + system + ", " + kernel.sysname + ' ' +
                release.substr(0, second_dot);
  const std::string boost = BOOST_LIB_VERSION;
  all.versions["Boost"] = boost.substr(0, 1) + '.' + boost.substr(2);
  all.versions["libcurl"] = LIBCURL_VERSION;
#ifdef __clang__
  all.versions["clang"] = number_of(__VERSION__);
#else
  all.versions["g++"] = number_of(__VERSION__);
#endif
  return all;
}

Fetching measure_fetching(const Plan& plan) {
  const std::int64_t limit = descriptor_limit();
  Fetching all;
  all.seed = plan.seed;
  std::vector<const Contestant*> present;
  for (const auto& one : contestants()) {
    if (!is_asked_for(one.name, plan.only)) continue;
    if (!one.version.empty()) {
      const Result version = run(one.version);
      if (version.status != 0) {
        all.absences.push_back({one.name, "not installed: sudo apt-get install " +
                                              std::string(one.package) +
                                              ", or ./learn bench --install-peers"});
        continue;
      }
      const std::string of = one.name == "Python threads" ? "Python"
                             : one.name == "Rust"         ? "hyper"
                             : has(one.name, "io_uring")  ? "liburing"
                                                          : one.name;
      all.about.versions[of] = number_of(version.out.substr(0, version.out.find('\n')));
      if (!one.build.empty()) {
        std::fprintf(stderr, "building %s\n", one.name.c_str());
        const Result built = run(one.build, {.time_limit = std::chrono::minutes(15)});
        if (built.status != 0) {
          std::fputs((built.out + built.err).c_str(), stderr);
          all.absences.push_back({one.name, "does not build here"});
          continue;
        }
      }
    }
    present.push_back(&one);
  }
  if (present.empty()) throw std::runtime_error("nobody is there to be measured");

  std::vector<std::vector<Job>> loads;  // one for each size
  const auto largest = *std::max_element(plan.sizes.begin(), plan.sizes.end());
  for (const auto n : plan.sizes) {
    loads.emplace_back();
    for (const auto* one : present) {
      const auto next = std::upper_bound(plan.sizes.begin(), plan.sizes.end(), n);
      const bool goes_on = next != plan.sizes.end() && can(*one, *next, limit);
      if (can(*one, n, limit) && !(n == middle_size && goes_on && one->dashes))
        loads.back().push_back({one, plan.delay, n});
    }
  }
  loads.emplace_back();
  for (const auto* one : present)
    if (fits(*one, plan.throughput, limit)) loads.back().push_back({one, at_once, plan.throughput});
  loads.emplace_back();
  for (const auto* one : present)
    if (one->has_tls) loads.back().push_back({one, over_tls, plan.throughput});

  for (const auto* one : present) {
    if (!fits(*one, largest, limit))
      all.absences.push_back(
          {one->name, "not at " + grouped(largest) + ": it takes " + to_string(one->descriptors) +
                          (one->descriptors == 1 ? " descriptor" : " descriptors") +
                          " for each, and `ulimit -n` is " + grouped(limit)});
    else if (largest > one->most && one->most > 0)
      all.absences.push_back(
          {one->name, "not beyond " + grouped(one->most) + " at once: " + one->why});
  }

  Progress progress;
  std::mt19937 random(plan.seed);
  for (int round = 1; round <= plan.rounds; ++round) {
    for (auto& jobs : loads) {
      std::shuffle(jobs.begin(), jobs.end(), random);  // nobody always comes after the same one
      for (auto& job : jobs) {
        if (!job.lost.empty() || job.is_settled()) continue;
        progress.tell(round, plan.rounds, job);
        job.runs.push_back(measure(job.who->command, job.path, job.n));
        if (!job.runs.back().lost.empty())
          job.lost = "in round " + to_string(round) + ", " + job.runs.back().lost;
      }
    }
  }
  for (const auto* one : present)
    for (const auto& jobs : loads)
      for (const auto& job : jobs)
        if (job.who == one) all.cells.push_back(job.cell());

  if (run({"strace", "--version"}).status != 0) {
    all.absences.push_back({"system calls", "not counted: sudo apt-get install strace"});
    return all;
  }
  for (const auto* one : present) {
    const bool has_lost = std::any_of(all.cells.begin(), all.cells.end(), [&](const Cell& cell) {
      return cell.program == one->name && !cell.lost.empty();
    });
    if (has_lost || !fits(*one, plan.many, limit)) continue;
    progress.tell("system calls", one->name);
    all.calls.push_back(calls_of(*one, plan));
  }
  return all;
}
