// "When it hangs": the commands in the chapters' notes tell which URL waits at which line.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>

#include "catch.hpp"
#include "docs.hpp"
#include "fetchers.hpp"
#include "test_server.hpp"

namespace {

// What the notes of a chapter show: the program's command, gdb's, and what that prints.
struct Shown {
  std::string program, gdb, output;
};

Shown shown(const std::string& chapter) {
  std::ifstream file(ROOT_DIR "/" + chapter + "/README.md");
  const auto blocks = docs::parse({std::istreambuf_iterator<char>(file), {}}).blocks;
  const auto at = std::find_if(blocks.begin(), blocks.end(), [](const docs::Block& block) {
    return block.kind == "sh" && block.text.find("\ngdb -q") != std::string::npos;
  });
  REQUIRE(at != blocks.end());
  const Lines two = lines(at->text);
  REQUIRE(two.size() == 2);
  REQUIRE(two[0].substr(two[0].size() - 2) == " &");
  return {two[0].substr(0, two[0].size() - 2), two[1], (at + 1)->text};
}

std::string replace(const std::string& text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  return at == text.npos
             ? text
             : text.substr(0, at) + to + replace(text.substr(at + from.size()), from, to);
}

// Why gdb cannot look into a program here, or nothing.
std::string obstacle() {
  if (sanitized) return "the sanitizers' programs have other stacks";
  if (run({"gdb", "--version"}).status != 0) return "there is no gdb";
  if (run({"gdb", "-q", "-batch", "-ex", "python print(1)"}).out != "1\n")
    return "this gdb has no Python";
  Process process({"sleep", "60"});
  const Result look = run({"gdb", "-q", "-batch", "-p", std::to_string(process.pid())});
  process.signal(9);
  if (look.err.find("ptrace: ") != std::string::npos) return "gdb may not look into processes here";
  return "";
}

void check(const std::string& chapter, const Lines& hanging) {
  INFO(chapter);
  if (const std::string why = obstacle(); !why.empty()) return not_run(why);
  const Server server;
  const Shown notes = shown(chapter);
  const std::string port = "localhost:" + std::to_string(server.port());
  const auto here = [&](const std::string& text) {
    return replace(replace(text, "localhost:8080", port), "build/", BUILD_DIR "/");
  };
  Process process({"sh", "-c", "exec " + here(notes.program)});
  REQUIRE(server.come_in_flight(unsigned(hanging.size())));
  const Result gdb = run({"sh", "-c",
                          "cd " ROOT_DIR " && exec 2>&1 && " +
                              replace(notes.gdb, "$!", std::to_string(process.pid()))});
  process.signal(9);
  INFO(gdb.out);
  CHECK(docs::same_shape(notes.output, gdb.out));
  // And the numbers: lines of the source, and each URL.
  static const std::regex frame("([a-z_]+ ?\\(.*\\) at [a-z_]+\\.cpp:[0-9]+)");
  for (const auto& line : lines(notes.output)) {
    std::smatch match;
    if (!std::regex_search(line, match, frame)) continue;
    INFO(here(match[1]));
    CHECK(gdb.out.find(here(match[1])) != std::string::npos);
  }
  for (const auto& query : hanging)
    CHECK(gdb.out.find(port + "/hang?" + query) != std::string::npos);
}

}  // namespace

TEST_CASE("hang: 01, by gdb") { check("01-sync", {"1"}); }

TEST_CASE("hang: 02, by gdb") { check("02-threads", {"1", "2", "3"}); }

TEST_CASE("hang: 03, by its handlers on the heap") { check("03-callbacks", {"1", "2", "3"}); }

TEST_CASE("hang: 04, by its stacks") {
#ifdef __x86_64__
  check("04-green-threads", {"1", "2", "3"});
#else
  not_run("the script knows the stacks of x86-64 only");
#endif
}

TEST_CASE("hang: 05, by its frames on the heap") {
#ifdef __clang__
  not_run("the script knows the frames of g++ only");
#else
  check("05-coroutines", {"1", "2", "3"});
#endif
}
