#include "building.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <regex>
#include <stdexcept>
#include <thread>

#include "folder.hpp"
#include "process.hpp"

namespace fs = std::filesystem;

namespace {

using Clock = std::chrono::steady_clock;

// Runs `command`, without a cache for the compiler. Returns what it printed.
std::string checked(std::vector<std::string> command) {
  command.insert(command.begin(), {"env", "CCACHE_DISABLE=1"});
  const Result result = run(command, {.time_limit = std::chrono::minutes(30)});
  if (result.status != 0)
    throw std::runtime_error(command[2] + " failed: " + result.out + result.err);
  return result.out;
}

std::int64_t time_of(const std::vector<std::string>& command) {
  const auto start = Clock::now();
  checked(command);
  return std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start).count();
}

std::int64_t clean_build() {
  const Folder folder;
  checked({"cmake", "-S", ROOT_DIR, "-B", folder.path().string(), "-G", "Ninja"});
  return time_of({"ninja", "-C", folder.path().string()});
}

}  // namespace

Building measure_building(int rounds, bool all) {
  Building building;
  building.rounds = rounds;
  std::vector<std::string> programs;
  for (const auto& folder : fs::directory_iterator(ROOT_DIR))
    if (fs::exists(folder.path() / "fetch.cpp"))
      programs.push_back(folder.path().filename().string() + "/fetch");
  std::map<std::string, std::vector<std::int64_t>> times;
  for (int round = 0; round <= rounds; ++round) {
    for (const auto& program : programs) {
      const std::string source = ROOT_DIR "/" + program + ".cpp";
      if (round > 0) utimensat(AT_FDCWD, source.c_str(), nullptr, 0);  // an edit
      const auto time = time_of({"ninja", "-C", BUILD_DIR, program});
      if (round > 0) times[program + ".cpp"].push_back(time);
    }
  }
  for (const auto& [program, values] : times) building.edits[program] = spread(values);

  if (!all) return building;

  building.clean = clean_build();

  checked({"ninja", "-C", BUILD_DIR});
  const std::string said = run({"ctest", "--test-dir", BUILD_DIR, "-j",
                                std::to_string(std::thread::hardware_concurrency())},
                               {.time_limit = std::chrono::minutes(30)})
                               .out;
  std::smatch count, time;
  if (!std::regex_search(said, count,
                         std::regex("100% tests passed, 0 tests failed out of (\\d+)")) ||
      !std::regex_search(said, time, std::regex("Total Test time \\(real\\) = *([\\d.]+) sec")))
    throw std::runtime_error("ctest did not end well: " + said.substr(said.size() - 500));
  building.number_of_tests = std::stoll(count[1]);
  building.tests = std::int64_t(std::stod(time[1]) * 1e6);
  return building;
}
