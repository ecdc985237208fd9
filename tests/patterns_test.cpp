// The chapters' patterns.cpp: every model solves the same problems, and prints the same words.

#include <algorithm>
#include <iterator>

#include "catch.hpp"
#include "fetchers.hpp"
#include "process.hpp"

namespace {

const Lines chapters{"01-sync", "02-threads", "03-callbacks", "04-green-threads", "05-coroutines"};

std::string program(const std::string& chapter) { return BUILD_DIR "/" + chapter + "/patterns"; }

}  // namespace

TEST_CASE("patterns: every model solves the same problems") {
  const Lines alone{"deadline: timed out", "retry: answered at try 3"};
  const Lines concurrent{"cancel: cancelled", "at most 2 of 6: 2 at once", "first answer: fast"};
  const Lines more{"backpressure: the producer waited", "scope: 2 tasks ended before it",
                   "pool: 42, and back on the loop's thread"};
  for (const auto& chapter : chapters) {
    INFO(chapter);
    Lines expected = alone;
    if (chapter != "01-sync") expected.insert(expected.end(), concurrent.begin(), concurrent.end());
    if (chapter == "05-coroutines") expected.insert(expected.end(), more.begin(), more.end());
    const Result result = run({program(chapter)});
    CHECK(result.status == 0);
    CHECK(result.err == "");
    CHECK(difference(lines(result.out), expected) == Lines());
  }
}

TEST_CASE("patterns: every model shuts down cleanly on Ctrl-C") {
  for (const auto& chapter : chapters) {
    INFO(chapter);
    Process process({program(chapter), "wait"});
    CHECK(process.read_line() == "press Ctrl-C");
    process.signal(2);
    const Result result = process.finish();
    CHECK(result.status == 0);
    CHECK(lines(result.out) == Lines{"the request: cancelled", "shutdown: clean"});
  }
}

TEST_CASE("patterns: a request that has ended needs no Ctrl-C") {
  for (const auto& chapter : chapters) {
    INFO(chapter);
    const Result result = run({program(chapter), "wait", "1"});
    CHECK(result.status == 0);
    const std::string how =
        chapter == "01-sync" ? "timed out" : "answered";  // a second, a millisecond
    CHECK(lines(result.out) == Lines{"press Ctrl-C", "the request: " + how, "shutdown: clean"});
  }
}

TEST_CASE("patterns: they hold where things go wrong") {
  const auto said = [](const std::string& chapter) {
    const Result result = run({BUILD_DIR "/tests/patterns-" + chapter + "-probe"});
    CHECK(result.status == 0);
    CHECK(result.err == "");
    return lines(result.out);
  };
  CHECK(said("01") == Lines{"no server: read: Bad file descriptor"});
  CHECK(said("02") == Lines{"all fail: none", "no racers: none", "stopped in a try: 1, cancelled",
                            "stopped in a pause: 1, cancelled"});
  CHECK(said("03") == Lines{"within: freed", "first: freed", "all fail: busy", "a race: cancelled",
                            "cancelled in a try: 1, cancelled",
                            "cancelled in the queue: 5 of 6 started, 2 at once"});
  CHECK(said("04") == Lines{"all fail: none", "no racers: none", "killed in a try: 1, cancelled",
                            "killed in a pause: 1, cancelled"});
}

TEST_CASE("patterns: a watchdog names the handler that stops all the others") {
  if (sanitized) return not_run("the sanitizers' programs have other frames");
  for (const auto& chapter : chapters) {
    if (chapter < "03") continue;
    INFO(chapter);
    const Result result = run({BUILD_DIR "/" + chapter + "/slow"});
    INFO(result.err);
    CHECK(result.status == 0);
    CHECK(result.out == "");
    // On a busy machine there may be other reports, too.
    const Lines all = lines(result.err);
    const auto culprit = std::find(all.begin(), all.end(), "  sort_everything(Watchdog const&)");
    REQUIRE(culprit != all.end());
    REQUIRE(culprit != all.begin());
    CHECK(*std::prev(culprit) == "the loop has stood still for 50 ms, in");
  }
}
