// Each chapter's fetch.py prints what the chapter's fetch prints, and is as short as the talk's.

#include <algorithm>
#include <fstream>
#include <iterator>
#include <regex>

#include "catch.hpp"
#include "fetchers.hpp"
#include "test_server.hpp"

namespace {

// Debian's Python, which has Debian's packages; another may come first in PATH.
constexpr char python[] = "/usr/bin/python3";

struct Program {
  std::string chapter;
  std::string module;  // what it needs
  std::string package;
  std::ptrdiff_t most;  // lines, as the talk's had them
  bool concurrent = true;

  std::string file() const { return ROOT_DIR "/" + chapter + "/fetch.py"; }
};

const std::vector<Program> programs{
    {"01-sync", "urllib.request", "python3", 12, false},
    {"02-threads", "threading", "python3", 16},
    {"03-callbacks", "twisted.web.client", "python3-twisted", 24},
    {"04-green-threads", "gevent", "python3-gevent", 18},
    {"05-coroutines", "aiohttp", "python3-aiohttp", 21},
};

bool can_run(const Program& program) {
  const bool can = run({python, "-c", "import " + program.module}).status == 0;
  if (!can) WARN(program.chapter << "/fetch.py is not run: there is no " << program.package);
  return can;
}

Lines fetch(const Program& program, const Lines& urls) {
  Lines command{python, program.file()};
  command.insert(command.end(), urls.begin(), urls.end());
  const Result result = run(command);
  INFO(result.err);
  CHECK(result.status == 0);
  return lines(result.out);
}

}  // namespace

TEST_CASE("python: each chapter's fetch.py tells OK from Bad as its fetch does") {
  const Server server;
  for (const auto& program : programs) {
    INFO(program.chapter);
    if (!can_run(program)) continue;
    const Lines ok{server.url("/google"), server.url("/redirect/3"), server.url("/gzip"),
                   server.url("/bytes/0"), server.url("/stream/20")};
    const Lines bad{server.url("/status/404"),
                    server.url("/status/204"),
                    server.url("/truncate"),
                    server.url("/close"),
                    server.url("/rst"),
                    server.url("/garbage"),
                    server.url("/redirect-loop"),
                    "http://127.0.0.1:1/",
                    "ftp://127.0.0.1:1/",
                    "nonsense",
                    ""};
    Lines urls = ok, expected = each(ok, " OK");
    urls.insert(urls.end(), bad.begin(), bad.end());
    for (const auto& line : each(bad, " Bad")) expected.push_back(line);
    CHECK(difference(fetch(program, urls), expected) == Lines());
  }
}

TEST_CASE("python: all but 01's fetch.py fetch all at once") {
  for (const auto& program : programs) {
    INFO(program.chapter);
    if (!can_run(program)) continue;
    const Server server;
    const unsigned count = program.concurrent ? 150 : 2;  // more than a pool has by default
    const Lines urls(count, server.url("/barrier/" + std::to_string(count) +
                                       "?timeout=" + (program.concurrent ? "20" : "0.1")));
    CHECK(difference(fetch(program, urls), each(urls, program.concurrent ? " OK" : " Bad")) ==
          Lines());
    CHECK(server.stats().most_in_flight == (program.concurrent ? count : 1));
  }
}

TEST_CASE("python: no fetch.py is longer than the talk's") {
  static const std::regex other("\\s*(#.*)?");
  for (const auto& program : programs) {
    std::ifstream file(program.file());
    const Lines all = lines({std::istreambuf_iterator<char>(file), {}});
    INFO(program.chapter);
    CHECK(all.size() > 5);
    CHECK(std::count_if(all.begin(), all.end(), [](const std::string& line) {
            return !std::regex_match(line, other);
          }) <= program.most);
  }
}

TEST_CASE("python: 02's gil.py prints its four figures") {
  const Result result = run({python, ROOT_DIR "/02-threads/gil.py"});
  if (result.status == 127) return not_run("there is no python3");
  CHECK(result.status == 0);
  static const std::regex figure("[a-z].* [0-9]+\\.[0-9]+ m?s");
  const Lines all = lines(result.out);
  CHECK(all.size() == 4);
  for (const auto& line : all) CHECK(std::regex_match(line, figure));
}
