// The test server's pictures: known requests at known times must give these bars. And its records:
// how runs are separated, and that the records do not grow without limit.

#include "server/view/timeline.hpp"

#include <array>
#include <cstdlib>
#include <ctime>
#include <regex>

#include "catch.hpp"
#include "fetchers.hpp"

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Clock::time_point zero{seconds(1000)};

// Records a request of `agent` from `from` to `to`, in milliseconds since `zero`.
void add(Recorder& recorder, const std::string& agent, const std::string& target, int from, int to,
         unsigned status = 200) {
  Recording recording(zero + milliseconds(from));
  recording.begin(recorder, agent, target, zero + milliseconds(from));
  recording.status(status);
  recording.write(zero + milliseconds(to));
  recording.end(false, zero + milliseconds(to));
}

// A staircase: the talk's four sites, one after the other.
void add_staircase(Recorder& recorder) {
  add(recorder, "sync-desert/01-sync", "/twitter", 0, 1000);
  add(recorder, "sync-desert/01-sync", "/google", 1000, 1250);
  add(recorder, "sync-desert/01-sync", "/yahoo", 1250, 2000);
}

// `count` requests at once, from `from` on for a second, with a millisecond between them.
void add_stack(Recorder& recorder, const std::string& agent, std::size_t count, int from = 0) {
  std::deque<Recording> all;
  for (std::size_t i = 0; i < count; ++i) {
    const auto at = zero + milliseconds(from) + std::chrono::microseconds(i);
    all.emplace_back(at).begin(recorder, agent, "/delay/1", at);
  }
  for (std::size_t i = 0; i < count; ++i) {
    const auto at = zero + milliseconds(from + 1000) + std::chrono::microseconds(i);
    all[i].status(200);
    all[i].write(at);
    all[i].end(false, at);
  }
}

timeline::Runs all_of(const Recorder& recorder) {
  return {recorder.runs().begin(), recorder.runs().end()};
}

// The pictures of all that was recorded, at three seconds.
std::string text(const Recorder& recorder, std::size_t width = 60) {
  return timeline::text(all_of(recorder), zero + seconds(3), {}, width, true);
}
std::string svg(const Recorder& recorder) {
  return timeline::svg(all_of(recorder), zero + seconds(3));
}

std::vector<std::string> matches(const std::string& all, const std::string& pattern) {
  const std::regex regex(pattern);
  std::vector<std::string> found;
  for (std::sregex_iterator at(all.begin(), all.end(), regex), end; at != end; ++at)
    found.push_back(at->size() > 1 ? (*at)[1] : (*at)[0]);
  return found;
}

// The bars of an SVG, each from where to where in pixels.
std::vector<std::array<double, 2>> bars(const std::string& all) {
  std::vector<std::array<double, 2>> found;
  const std::regex bar(
      "<g><title>.*?<rect class='wait' x='([0-9.]+)' y='[0-9]+' width='([0-9.]+)'");
  for (std::sregex_iterator at(all.begin(), all.end(), bar), end; at != end; ++at)
    found.push_back({std::stod((*at)[1]), std::stod((*at)[1]) + std::stod((*at)[2])});
  return found;
}

}  // namespace

TEST_CASE("timeline: a staircase, as text") {
  Recorder recorder;
  add_staircase(recorder);
  CHECK(text(recorder, 51) ==
        "           0 s       0.5       1.0       1.5\n"
        "           |         |         |         |\n"
        "01-sync: 3 requests, at most 1 in flight, 2.00 s\n"
        "  /twitter ====================#\n"
        "  /google                      =====#\n"
        "  /yahoo                            ==============#\n"
        "\n"
        "= waits for its answer   # gets it\n");
}

TEST_CASE("timeline: a staircase, as SVG") {
  Recorder recorder;
  add_staircase(recorder);
  const std::string all = svg(recorder);
  const auto steps = bars(all);
  REQUIRE(steps.size() == 3);
  const double pixel = (steps[2][1] - steps[0][0]) / 2000;  // of a millisecond
  CHECK(std::abs(steps[0][1] - steps[0][0] - 1000 * pixel) < 0.2);
  for (std::size_t i = 1; i < 3; ++i) CHECK(std::abs(steps[i][0] - steps[i - 1][1]) < 0.2);
  CHECK(std::abs(steps[1][1] - steps[1][0] - 250 * pixel) < 0.2);
  CHECK(matches(all, "<title>(01-sync: 3 requests, at most 1 in flight, 2.00 s)</title>").size() ==
        1);
  CHECK(matches(all, ">(1,000 ms)</text>").size() == 1);
  CHECK(matches(all, "#5f6368").size() > 0);  // the chapter's accent
}

TEST_CASE("timeline: runs that are compared have one scale") {
  Recorder recorder;
  add_staircase(recorder);
  add_stack(recorder, "sync-desert/05-coroutines", 2, 2000);
  const auto all = bars(svg(recorder));
  REQUIRE(all.size() == 5);
  CHECK(all[3][0] == all[0][0]);
  CHECK(std::abs(all[3][1] - all[0][1]) < 0.2);
  const Lines shown = lines(text(recorder));
  CHECK(shown[2] == "01-sync: 3 requests, at most 1 in flight, 2.00 s");
  CHECK(shown[7] == "05-coroutines: 2 requests, at most 2 in flight, 1.00 s");
  CHECK(shown[8] == shown[9]);
  CHECK(shown[3].substr(12) == shown[8].substr(12));
}

TEST_CASE("timeline: a scale that is longer than the run") {
  Recorder recorder;
  add_staircase(recorder);
  const auto narrow = bars(timeline::svg(all_of(recorder), zero, seconds(4)));
  const auto wide = bars(timeline::svg(all_of(recorder), zero, seconds(1)));
  CHECK(std::abs(2 * (narrow[2][1] - narrow[0][0]) - (wide[2][1] - wide[0][0])) < 0.4);
}

TEST_CASE("timeline: nothing recorded") {
  CHECK(timeline::text({}, zero) == "No requests yet.\n");
  CHECK(timeline::svg({}, zero).find("No requests yet") != std::string::npos);
  CHECK(timeline::trace({}, zero).find("\"traceEvents\": [") != std::string::npos);
  const Run run;  // one without requests
  const timeline::Runs runs{std::make_shared<Run>(run)};
  CHECK(timeline::text(runs, zero).find("0 requests") != std::string::npos);
  CHECK(bars(timeline::svg(runs, zero)).empty());
}

TEST_CASE("timeline: one request, of no duration at all") {
  Recorder recorder;
  add(recorder, "curl/8", "/status/404", 0, 0, 404);
  const auto bar = bars(svg(recorder));
  REQUIRE(bar.size() == 1);
  CHECK(bar[0][1] - bar[0][0] >= 3);  // it can be seen all the same
  CHECK(text(recorder).find("\n  /status/404 404 #\n") != std::string::npos);
  CHECK(text(recorder).find("curl/8: 1 request, at most 1 in flight, 0.00 ms") !=
        std::string::npos);
}

TEST_CASE("timeline: a clock that goes back") {
  Recorder recorder;
  Recording recording(zero + seconds(9));
  recording.begin(recorder, "x", "/", zero);
  recording.status(200);
  recording.write(zero - seconds(1));
  recording.end(false, zero - seconds(2));
  for (const auto& bar : bars(svg(recorder))) {
    CHECK(bar[0] >= 0);
    CHECK(bar[1] >= bar[0]);
  }
  CHECK(timeline::trace(all_of(recorder), zero).find('-') == std::string::npos);
  CHECK(text(recorder).find("  /        #") != std::string::npos);
}

TEST_CASE("timeline: times in no order") {
  auto run = std::make_shared<Run>();
  run->requests = 1;
  Bar& bar = run->bars.emplace_back();
  bar.target = "/";
  bar.accepted = seconds(-1);
  bar.read = seconds(2);
  bar.first = seconds(-3);
  bar.last = seconds(1);
  CHECK(timeline::trace({run}, zero).find(": -") == std::string::npos);
  for (const std::string& attribute : matches(timeline::svg({run}, zero), "(?:x|width)='([^']*)"))
    CHECK(attribute[0] != '-');
  CHECK(timeline::text({run}, zero, seconds(3), 60, true).find('#') != std::string::npos);
}

TEST_CASE("timeline: how a request ended") {
  Recorder recorder;
  add(recorder, "x", "/redirect/1", 0, 10, 302);
  add(recorder, "x", "/garbage", 10, 10, 0);
  Recording closed(zero), left(zero), here(zero);
  closed.begin(recorder, "x", "/close", zero + milliseconds(10));
  closed.end(false, zero + milliseconds(10));
  left.begin(recorder, "x", "/hang", zero + milliseconds(20));
  here.begin(recorder, "x", "/delay/1", zero + milliseconds(30));
  left.end(true, zero + milliseconds(40));
  const std::string all = text(recorder, 80);
  for (const char* label : {"/redirect/1 302 ", "/garbage bytes ", "/close no answer ",
                            "/hang cut off ", "/delay/1 in flight "})
    CHECK(all.find(label) != std::string::npos);
  CHECK(all.find("x: 5 requests, at most 2 in flight, 3.00 s, 1 in flight now\n") !=
        std::string::npos);
  const auto row = matches(all, "in flight +(=+#*)\n");
  REQUIRE(row.size() == 1);
  CHECK(row[0].find('#') == std::string::npos);  // it has no answer yet
  CHECK(row[0].size() > 40);                     // and goes on until now
  here.end(false, zero + milliseconds(50));
}

TEST_CASE("timeline: hundreds of requests are a skyline") {
  Recorder recorder;
  add_stack(recorder, "sync-desert/02-threads", 101);
  const std::string all = text(recorder, 80);
  CHECK(lines(all).size() < 15);
  CHECK(all.find("101 ######") != std::string::npos);
  const std::string picture = svg(recorder);
  CHECK(bars(picture).empty());
  CHECK(matches(picture, "<path class='wait' d='M[^']*Z'/>").size() == 1);
  Recorder fewer;
  add_stack(fewer, "sync-desert/02-threads", 100);
  CHECK(bars(svg(fewer)).size() == 100);
}

TEST_CASE("timeline: 19,000 requests") {
  Recorder recorder;
  add_stack(recorder, "sync-desert/05-coroutines", 19'000);
  const auto runs = all_of(recorder);
  REQUIRE(runs.size() == 1);
  CHECK(runs[0]->most_in_flight == 19'000);
  CHECK(runs[0]->bars.size() == 19'000);
  const auto start = std::clock();  // CPU time, which does not depend on other programs
  CHECK(svg(recorder).size() < 100'000);
  CHECK(text(recorder).find("19,000 ") != std::string::npos);
  CHECK(matches(timeline::trace(runs, zero), "\"name\": \"/delay/1\"").size() == 19'000);
  if (!sanitized) CHECK((std::clock() - start) / CLOCKS_PER_SEC < 20);
}

TEST_CASE("timeline: what a client says breaks no picture") {
  Recorder recorder;
  add(recorder, "<b>\"&'\\\r\n\xff", "/<b>&" + std::string(5000, 'x'), 0, 10);
  const std::string picture = svg(recorder), trace = timeline::trace(all_of(recorder), zero);
  CHECK(picture.find("<b>") == std::string::npos);
  CHECK(picture.find("&lt;b&gt;\"&amp;'\\???") != std::string::npos);
  CHECK(trace.find(R"("<b>\u0022&'\u005c???")") != std::string::npos);
  for (const auto& all : {picture, trace, text(recorder)}) CHECK(matches(all, "[^\\n -~]").empty());
  for (const auto& line : lines(text(recorder))) CHECK(line.size() <= 60);
}

TEST_CASE("timeline: no line of text is wider than it may be") {
  Recorder recorder;
  add_stack(recorder, std::string(59, 'y'), 30);
  add_stack(recorder, "z", 300);
  for (const std::size_t width : {40, 60, 80, 200})
    for (const auto& line : lines(text(recorder, width)))
      CHECK(line.size() <= std::max<std::size_t>(width, 77));
}

TEST_CASE("timeline: the trace has as many threads as there were requests at once") {
  Recorder recorder;
  add_staircase(recorder);
  add_stack(recorder, "x", 4, 3000);
  const std::string all = timeline::trace(all_of(recorder), zero);
  const auto threads = [&](const std::string& id) {
    auto found = matches(all, "\"pid\": " + id + ", \"tid\": ([0-9]+)");
    std::sort(found.begin(), found.end());
    return std::unique(found.begin(), found.end()) - found.begin();
  };
  CHECK(threads("1") == 1);
  CHECK(threads("2") == 4);
  CHECK(
      all.find("\"name\": \"/google\", \"pid\": 1, \"tid\": 1, \"ts\": 1000000, \"dur\": 250000") !=
      std::string::npos);
}

TEST_CASE("recorder: a run is what one program asks for without a pause") {
  Recorder recorder;
  add(recorder, "a", "/", 0, 100);
  add(recorder, "a", "/", 200, 300);  // goes on
  CHECK(recorder.runs().size() == 1);
  add(recorder, "a", "/", 2000, 2001);  // after a pause
  CHECK(recorder.runs().size() == 2);
  add(recorder, "b", "/", 2002, 2003);  // another program
  CHECK(recorder.runs().size() == 3);
  add(recorder, "a", "/", 2004, 2005);  // the first again, and the other has begun in between
  CHECK(recorder.runs().size() == 4);
  recorder.end_runs();
  add(recorder, "a", "/", 2006, 2007);
  CHECK(recorder.runs().size() == 5);
  std::vector<std::uint64_t> ids;
  for (const auto& run : recorder.runs()) ids.push_back(run->id);
  CHECK(ids == std::vector<std::uint64_t>{1, 2, 3, 4, 5});
}

TEST_CASE("recorder: how long a pause is may be said") {
  Recorder recorder(seconds(3600));
  add(recorder, "a", "/", 0, 100);
  add(recorder, "a", "/", 2000, 2001);
  CHECK(recorder.runs().size() == 1);
  recorder.end_runs();
  add(recorder, "a", "/", 2002, 2003);
  CHECK(recorder.runs().size() == 2);
}

TEST_CASE("recorder: two programs at once are two runs") {
  Recorder recorder;
  std::array<Recording, 4> all{Recording(zero), Recording(zero), Recording(zero), Recording(zero)};
  for (int i = 0; i < 4; ++i) all[i].begin(recorder, i % 2 ? "a" : "b", "/", zero + seconds(i));
  REQUIRE(recorder.runs().size() == 2);
  for (const auto& run : recorder.runs()) CHECK(run->most_in_flight == 2);
}

TEST_CASE("recorder: the last 100 runs are kept") {
  Recorder recorder;
  for (int i = 0; i < 150; ++i) add(recorder, std::to_string(i), "/", i, i + 1);
  CHECK(recorder.runs().size() == 100);
  CHECK(recorder.runs().front()->agent == "50");
  CHECK(recorder.oldest_id() == 51);
}

TEST_CASE("recorder: a run has no end of requests, but an end of bars") {
  Recorder recorder;
  for (int i = 0; i < 25'000; ++i) add(recorder, "wrk", "/", i, i + 1);
  REQUIRE(recorder.runs().size() == 1);
  CHECK(recorder.runs()[0]->requests == 25'000);
  CHECK(recorder.runs()[0]->bars.size() == 20'000);
  CHECK(recorder.runs()[0]->in_flight == 0);
  CHECK(recorder.runs()[0]->skyline.levels().size() <= Skyline::most_levels);
  // And all runs together too, so that the oldest have to go.
  for (int i = 0; i < 15; ++i) add_stack(recorder, std::to_string(i), 20'000, 25'000);
  std::size_t bars = 0;
  for (const auto& run : recorder.runs()) bars += run->bars.size();
  CHECK(bars <= Recorder::most_bars + Run::most_bars);
  CHECK(recorder.runs().back()->agent == "14");
}

TEST_CASE("recorder: requests whose run is forgotten end all the same") {
  Recorder recorder;
  Recording recording(zero);
  recording.begin(recorder, "a", "/", zero);
  recorder.clear();
  recording.write(zero);
  recording.end(false, zero);
  CHECK(recorder.runs().empty());
  add(recorder, "a", "/", 0, 1);
  CHECK(recorder.oldest_id() == 2);
}

TEST_CASE("recorder: what a run's program holds is news only if it is new") {
  Recorder recorder;
  add(recorder, "a", "/", 0, 100);
  Run& run = *recorder.runs().front();
  const auto end = run.end;
  const auto is_news = [&](std::optional<Holding> holding) {
    const auto version = recorder.version();
    recorder.tell(run, holding);
    CHECK(run.changed <= recorder.version());
    return recorder.version() > version && run.changed > version;
  };
  CHECK(!is_news({}));
  CHECK(is_news(Holding{5, 1000}));
  CHECK(!is_news(Holding{5, 1000}));
  CHECK(is_news(Holding{5, 1001}));
  CHECK(!is_news({}));
  CHECK(run.holding == Holding{5, 1001});
  CHECK(run.end == end);
}

TEST_CASE("recorder: a connection that is used again was not accepted for each request") {
  Recorder recorder;
  Recording recording(zero - seconds(5));
  for (const int at : {0, 100}) {
    recording.begin(recorder, "a", "/", zero + milliseconds(at));
    recording.end(false, zero + milliseconds(at + 50));
  }
  const auto& all = recorder.runs().front()->bars;
  REQUIRE(all.size() == 2);
  CHECK(all[0].accepted == Micros(0));
  CHECK(all[1].accepted == all[1].read);
  CHECK(all[1].read == Micros(100'000));
}

TEST_CASE("recorder: the skyline keeps the most of each step") {
  Skyline skyline;
  skyline.set(Micros(0), {1, 0});
  skyline.set(Micros(10), {900, 3});
  skyline.set(Micros(11), {2, 0});
  skyline.set(seconds(3600), {7, 0});
  REQUIRE(skyline.levels().size() <= Skyline::most_levels);
  CHECK(skyline.levels().front().in_flight == 900);
  CHECK(skyline.levels().front().sending == 3);
  CHECK(skyline.levels()[1].in_flight == 2);  // what it was for an hour
  CHECK(skyline.levels().back().in_flight == 7);
  CHECK(skyline.step() * std::int64_t(skyline.levels().size()) > seconds(3600));
}
