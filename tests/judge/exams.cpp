// What each exercise asks for, in the order of the course.

#include "exams.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <memory>
#include <stdexcept>

#include "exam.hpp"

namespace {

using Clock = std::chrono::steady_clock;

Lines times(std::size_t count, const std::string& argument) { return Lines(count, argument); }

Lines operator+(Lines all, const Lines& more) {
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

// Some wait in a barrier, and for 1.5 s there were never `parties` of them: nor will there be.
Exam::Hopeless never_together(unsigned parties) {
  const auto since = std::make_shared<Clock::time_point>();
  return [since, parties](unsigned, unsigned waiting, unsigned most) {
    if (waiting == 0 || most >= parties) return false;
    if (*since == Clock::time_point()) *since = Clock::now();
    return Clock::now() - *since > std::chrono::milliseconds(1500);
  };
}

std::string in_flight(const Run& run) {
  return "at most " + plural(run.most_in_flight, "request") + " in flight at once";
}

// Runs it on `count` URLs that are answered only when all of them are asked for at the same time.
Run all_at_once(Exam& exam, unsigned count, const Lines& more = {}) {
  const std::string url = "/barrier/" + std::to_string(count);
  const Run run = exam.run(times(count, url), never_together(count));
  if (run.given_up) fail(plural(count, "URL") + ", " + in_flight(run));
  exam.expect(run, times(count, url + " OK") + more);
  return run;
}

std::string all_in_flight(unsigned count) {
  return plural(count, "URL") + ", " + std::to_string(count) + " in flight at once";
}

// --- 01-sync ------------------------------------------------------------------------------------

std::string status(Exam& exam) {
  const Run run =
      exam.run({"/status/200", "/status/404", "/redirect/3", "/redirect/10", "/redirect/11",
                "/redirect-loop", "/status/204", "/truncate", "/close"});
  exam.expect_in_order(run, {"/status/200 OK", "/status/404 Bad", "/redirect/3 OK",
                             "/redirect/10 OK", "/redirect/11 Bad", "/redirect-loop Bad",
                             "/status/204 Bad", "/truncate Bad", "/close Bad"});
  exam.expect_status(run, 1);
  exam.expect_status(exam.run({"/status/200"}), 0);
  return "9 URLs, each judged as it should be; the server saw " + plural(run.requests, "request");
}

std::string seconds(double number) {
  char text[40];
  std::snprintf(text, sizeof text, "%.2f s", number);
  return text;
}

std::string deadline(Exam& exam) {
  const Run run = exam.run({"/hang", "/google", "/endless-body", "/status/200"});
  exam.expect_in_order(run, {"/hang Bad", "/google OK", "/endless-body Bad", "/status/200 OK"});
  exam.expect_status(run, 1);
  return "two dead servers cost " + seconds(run.seconds) + ", and not the rest of the list";
}

// What the program says of itself, against what the kernel says of it. Returns the share of the
// time, in percent, that it waited.
int waited(Exam& exam, const Lines& arguments) {
  const Run run = exam.run(arguments);
  double cpu = 0, all = 0;
  int share = 0;
  if (std::sscanf(run.last().c_str(), "cpu %lf s of %lf s: waited %d %%", &cpu, &all, &share) != 3)
    fail("the last line should be like `cpu 0.30 s of 0.80 s: waited 62 %`");
  const std::string what = arguments[0] == "compute" ? "computing" : "fetching";
  if (std::abs(cpu - run.cpu_seconds) > 0.1)
    fail(what + ", it used " + seconds(run.cpu_seconds) + " of CPU time, and says " + seconds(cpu));
  if (all > run.seconds + 0.01 || (what == "fetching" && all < 0.49))
    fail(what + ", it ran for " + seconds(run.seconds) + ", and says " + seconds(all));
  if (std::abs(share - 100 * (1 - cpu / all)) > 4)
    fail("with " + seconds(cpu) + " of CPU time in " + seconds(all) + ", " + std::to_string(share) +
         " % cannot be waiting");
  return share;
}

std::string waiting(Exam& exam) {
  const int fetched = waited(exam, {"/delay/0.5"}), computed = waited(exam, {"compute"});
  waited(exam, {"/delay/0.5", "compute"});
  return std::to_string(fetched) + " % of a fetch is waiting, and " + std::to_string(computed) +
         " % of a computation";
}

// --- 02-threads ---------------------------------------------------------------------------------

std::string threads(Exam& exam) {
  exam.a_crash_means("a std::thread was destroyed that nobody had joined");
  exam.expect(exam.run(times(2, "/delay/0.5")), times(2, "/delay/0.5 OK"));
  all_at_once(exam, 4);
  return all_in_flight(4);
}

std::string race(Exam& exam) {
  all_at_once(exam, 8, {"8 done"});
  return all_in_flight(8) + ", all counted, and no race";
}

std::string torn(Exam& exam) {
  const Run run = exam.run(times(8, "/barrier/8"), never_together(8));
  if (run.given_up) fail("8 URLs, " + in_flight(run));
  for (const auto& line : run.lines)
    if (line != "/barrier/8 OK") fail("a line is torn: `" + line.substr(0, 60) + "`");
  exam.expect(run, times(8, "/barrier/8 OK"));
  return all_in_flight(8) + ", and 8 whole lines";
}

// At most three at a time, three when there is work for three, and no place is ever lost.
std::string limit(Exam& exam) {
  const Run crowd = exam.run(times(9, "/delay/0.2"));
  if (crowd.most_in_flight > 3)
    fail(plural(crowd.most_in_flight, "request") + " in flight at once, where 3 are allowed");
  const Run three = exam.run(times(3, "/close") + times(6, "/barrier/3"), never_together(3));
  if (three.given_up) fail(in_flight(three) + ", where 3 are allowed");
  exam.expect(three, times(3, "/close Bad") + times(6, "/barrier/3 OK"));
  const Run slow = exam.run(Lines{"/delay/0.6"} + times(5, "/delay/0.05"));
  exam.expect(slow, Lines{"/delay/0.6 OK"} + times(5, "/delay/0.05 OK"));
  if (slow.last() != "/delay/0.6 OK") fail("a slow URL held up the two other places");
  return "9 URLs, 3 in flight at once, never more; no place is lost, none stands empty";
}

std::string deadlock(Exam& exam) {
  const Run run = exam.run({});
  for (const auto& line : run.lines)
    if (line.rfind("the total is ", 0) == 0)
      fail("a connection was on its way while nobody held the locks: " + line + " for a moment");
  exam.expect(run, {"east 100, west 100"});
  return "100 loans in two directions, and the total was 200 at any moment";
}

}  // namespace

Examiner examiner(const std::string& id) {
  static const std::map<std::string, Examiner> all{
      {"01.1", status}, {"01.2", deadline}, {"01.3", waiting}, {"02.1", threads},
      {"02.2", race},   {"02.3", torn},     {"02.4", limit},   {"02.5", deadlock},
  };
  const auto it = all.find(id);
  if (it == all.end()) throw std::logic_error("nobody examines " + id);
  return it->second;
}
