// The benchmark from outside: what it counts, and how its figures get into the pages. These tests
// never check how long anything takes.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include "catch.hpp"
#include "fetchers.hpp"
#include "folder.hpp"
#include "process.hpp"

namespace fs = std::filesystem;

namespace {

Result bench(Lines arguments) {
  arguments.insert(arguments.begin(), BUILD_DIR "/tests/bench/bench");
  return run(arguments);
}

std::string read(const fs::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::size_t count(const std::string& text, const std::string& pattern) {
  const std::regex wanted(pattern);
  return std::size_t(std::distance(std::sregex_iterator(text.begin(), text.end(), wanted), {}));
}

}  // namespace

TEST_CASE("bench: help, and what it does not know") {
  const Result help = bench({"--help"});
  CHECK(help.status == 0);
  for (const auto& line : lines(help.out)) CHECK(line.size() <= 80);
  for (const Lines& words : {Lines{"--fast"},
                             {"now"},
                             {"--rounds", "0"},
                             {"--rounds", "3x"},
                             {"--seed", "x"},
                             {"--seed", ""},
                             {"--quick", "--record"},
                             {"--only", "05", "--record"}}) {
    const Result result = bench(words);
    CHECK(result.status == 2);
    CHECK(result.out == "");
    CHECK(result.err != "");
  }
  const Result nobody = bench({"--quick", "--only", "xyzzy"});
  CHECK(nobody.status == 1);
  CHECK(has(nobody.err, "nobody"));
}

TEST_CASE("bench: each program gets all its answers, and its figures") {
  if (sanitized) return not_run("the sanitizers' programs are too slow");
  const Folder folder;
  const std::string file = folder.path() / "bench.json";
  // Not the variants that have to be built first.
  const Result result =
      bench({"--quick", "--seed", "7", "--only", "01", "--only", "02", "--only", "03-", "--only",
             "04", "--only", "05-", "--only", "coexist", "--only", "epoll", "--json", file});
  INFO(result.out << result.err);
  CHECK(result.status == 0);
  CHECK(result.orphans == 0);
  const std::string text = read(file);
  const auto programs = fetchers().size() + 1;  // and epoll
  // 01-sync is not given 50 that take a while each.
  CHECK(count(text, "\"path\":\"/delay/0.2\",\"n\":10,\"rounds\":2,") == programs);
  CHECK(count(text, "\"path\":\"/delay/0.2\",\"n\":50,\"rounds\":2,") == programs - 1);
  CHECK(count(text, "\"path\":\"/status/200\",\"n\":50,\"rounds\":2,") == programs);
  CHECK(count(text, "\"lost\":\"\"") == 3 * programs - 1);
  CHECK(has(text, "\"seed\": 7,"));
  CHECK(has(result.out, "--seed 7."));
  CHECK(count(text, "\"faults\":\\{\"median\":[1-9]") == 3 * programs - 1);
  if (run({"strace", "--version"}).status == 0) {
    CHECK(count(text, "\"fetches\":40,") == programs);
    for (const auto& line : lines(text))  // each fetch opens a connection, and no more than two
      if (has(line, "\"fetches\":")) CHECK(count(line, "\"socket\":(4\\d|[4-8]\\d),") == 1);
  } else {
    CHECK(has(result.out, "system calls not counted"));
  }
  // What is always more than nothing.
  CHECK(count(text, "\"(wall|cpu|server_cpu)\":\\{\"median\":0,") == 0);
  // A run without delay can be over before anybody looks at its memory.
  for (const auto& line : lines(text))
    if (has(line, "/delay/")) CHECK(!has(line, "\"peak\":{\"median\":0,"));
  CHECK(count(result.out, "no result") == 0);
  CHECK(has(result.out, "01-sync not beyond 10"));
}

TEST_CASE("bench: no run meets the connections of another one") {
  const Folder folder;
  fs::permissions(folder.write("curl", "#!/bin/sh\n[ \"$1\" = --version ] || cat >>" +
                                           (folder.path() / "asked").string() + "\n"),
                  fs::perms::owner_all);
  run({"env", "PATH=" + folder.path().string() + ":/usr/bin:/bin", BUILD_DIR "/tests/bench/bench",
       "--quick", "--only", "curl", "--rounds", "1"});
  const std::string asked = read(folder.path() / "asked");
  std::set<std::string> networks;
  const std::regex address("http://(127\\.\\d+\\.\\d+\\.)\\d+:");
  for (std::sregex_iterator it(asked.begin(), asked.end(), address), end; it != end; ++it)
    networks.insert((*it)[1]);
  INFO(asked);
  CHECK(networks.size() == 3);  // as many as there were runs
  CHECK(networks.count("127.0.0.") == 0);
}

TEST_CASE("bench: a program that lost an answer has no result") {
  const Folder folder;
  const std::string only_a_version = "#!/bin/sh\n[ \"$1\" = --version ]\n";  // and never a fetch
  fs::permissions(folder.write("curl", only_a_version), fs::perms::owner_all);
  const Result result = run({"env", "PATH=" + folder.path().string() + ":/usr/bin:/bin",
                             BUILD_DIR "/tests/bench/bench", "--quick", "--only", "curl"});
  INFO(result.out << result.err);
  CHECK(result.status == 1);
  CHECK(count(result.out, "curl  no result: in round 1, \\d+ of \\d+ are not OK") == 3);
}

TEST_CASE("bench: a program with too few descriptors does not run") {
  if (sanitized) return not_run("the sanitizers' programs are too slow");
  const Result result =
      run({"sh", "-c",
           "ulimit -n 130; exec " BUILD_DIR "/tests/bench/bench --quick --only epoll --rounds 1"});
  INFO(result.out << result.err);
  CHECK(result.status == 0);
  CHECK(has(result.out, "10 at once"));
  CHECK(!has(result.out, "50 at once"));
  CHECK(has(result.out, "epoll not at 50: it takes 1 descriptor for each, and ulimit -n is 130"));
}

TEST_CASE("bench: a program that is not installed is skipped, with the command that installs it") {
  const Result result = run({"env", "PATH=/nowhere", BUILD_DIR "/tests/bench/bench", "--quick",
                             "--only", "Go", "--only", "epoll", "--only", "libuv", "--only", "Rust",
                             "--only", "05 io_uring", "--rounds", "1"});
  INFO(result.out << result.err);
  CHECK(result.status == 0);
  CHECK(has(result.out, "Go not installed: sudo apt-get install golang-go, or ./learn bench "));
  CHECK(has(result.out, "libuv not installed: sudo apt-get install libuv1-dev, or"));
  CHECK(has(result.out, "Rust not installed: sudo apt-get install cargo librust-hyper-dev "));
  CHECK(has(result.out, "05 io_uring not installed: sudo apt-get install liburing-dev, or"));
  CHECK(has(result.out, "system calls not counted: sudo apt-get install strace"));
}

TEST_CASE("bench: pages and pictures show what was recorded") {
  const Result result = bench({"--check"});
  CHECK(result.out == "");
  CHECK(result.err == "");
  CHECK(result.status == 0);
}
