// Tests cli, which all chapters have: one line for each URL, however the program ends.

#include <algorithm>

#include "catch.hpp"
#include "fetchers.hpp"
#include "process.hpp"

namespace {

struct Row {
  Lines urls;  // the probe does what they say
  Lines out, err;
  int status;
};

const char* const ended = "the program ended before there was an answer";
const char* const ended_early = "the program ended before there was an answer";

std::string lost(const std::string& url, const std::string& why = ended) {
  return url + ": " + why;
}

const std::vector<Row> table{
    {{"ok"}, {"ok OK"}, {}, 0},
    {{"bad"}, {"bad Bad"}, {"bad: a reason"}, 1},
    {{"explained"}, {"explained Bad"}, {"explained: a reason"}, 1},
    {{"ok", "bad", "ok"}, {"ok OK", "bad Bad", "ok OK"}, {"bad: a reason"}, 1},
    {{"again"}, {"again OK"}, {}, 0},
    {{"again", "again"}, {"again OK", "again OK"}, {}, 0},
    {{"lost"}, {"lost Bad"}, {lost("lost")}, 1},
    {{"lost", "ok", "lost"}, {"ok OK", "lost Bad", "lost Bad"}, {lost("lost"), lost("lost")}, 1},
    {{"a", "exit", "b"}, {"a Bad", "exit Bad", "b Bad"}, {lost("a"), lost("exit"), lost("b")}, 1},
    {{"ok", "throw", "b"},
     {"ok OK", "throw Bad", "b Bad"},
     {lost("throw", "thrown"), lost("b", "thrown")},
     1},
    {{"throw-4"}, {"throw-4 Bad"}, {lost("throw-4", ended_early)}, 1},
    {{"thread"}, {"thread Bad"}, {lost("thread", "thrown in a thread")}, 1},
    {{"child", "lost"}, {"child OK", "lost Bad"}, {lost("lost")}, 1},
    {{"bad-child", "lost"}, {"bad-child OK", "lost Bad"}, {lost("lost")}, 1},
};

Result probe(const Lines& urls, const std::string& setting = ":") {
  Lines command{"sh", "-c", setting + "; exec \"$@\"", "sh", CLI_PROBE};
  command.insert(command.end(), urls.begin(), urls.end());
  return run(command);
}

void check(const Result& result, const Row& row) {
  INFO(row.urls.front() << ", " << row.urls.size() << " URLs");
  CHECK(lines(result.out) == row.out);
  CHECK(lines(result.err) == row.err);
  CHECK(result.status == row.status);
  CHECK(result.orphans == 0);
}

}  // namespace

TEST_CASE("cli: each URL has one line, also if the program has lost it") {
  for (const auto& row : table) check(probe(row.urls), row);
}

TEST_CASE("cli: so it is when a thread ends the program while others print") {
  Lines urls{"race"};
  urls.insert(urls.end(), 100, "ok");
  for (int i = 0; i < 50; ++i) {
    const Result result = probe(urls);
    const Lines out = lines(result.out);
    CHECK(out.size() == urls.size());
    CHECK(std::count(out.begin(), out.end(), "race Bad") == 1);
    CHECK(std::count(out.begin(), out.end(), "ok OK") +
              std::count(out.begin(), out.end(), "ok Bad") ==
          100);
    CHECK(result.status == 1);
  }
}

TEST_CASE("cli: so it is when there is no memory left") {
  if (sanitized) return not_run("the sanitizers have terabytes");
  check(probe({"no-memory", "bad", "ok", "lost"}),
        {{"no-memory"},
         {"bad Bad", "ok OK", "no-memory Bad", "lost Bad"},
         {"bad: a reason", lost("no-memory"), lost("lost")},
         1});
  check(probe({"no-memory", "throw"}), {{"no-memory"},
                                        {"no-memory Bad", "throw Bad"},
                                        {lost("no-memory", "thrown"), lost("throw", "thrown")},
                                        1});
}

TEST_CASE("cli: files that are closed become /dev/null, and no others are opened") {
  const Row row{{"files"}, {"files OK"}, {}, 0};
  check(probe({"files"}), row);
  check(probe({"files"}, "exec <&-"), row);
  check(probe({"files"}, "exec 2>&-"), row);
  check(probe({"files"}, "exec <&- 2>&-"), row);
}

TEST_CASE("cli: without stdout it stops, quietly") {
  const Result result = probe({"ok", "throw", "lost"}, "exec >&-");
  CHECK(result.status == 1);
  CHECK(result.out == "");
  CHECK(result.err == "");
}
