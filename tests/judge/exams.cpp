// The exam of each exercise, in the order of the course.

#include "exams.hpp"

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <map>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "autopsy.hpp"
#include "exam.hpp"

namespace {

Lines times(std::size_t count, const std::string& argument) { return Lines(count, argument); }

Lines operator+(Lines all, const Lines& more) {
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

// The run but for its last line, which says something about all of it.
Run run_without_last(Run run) {
  if (!run.lines.empty()) run.lines.pop_back();
  return run;
}

// There is no hope if it looks like that, and at more than 12 looks the program had nothing to do:
// that takes 0.7 s, or more if it waits for a core. When its time is up, one look is enough.
Exam::Hopeless stuck(const std::function<bool(const Exam::Sight&)>& looks_like_that) {
  return [looks_like_that, idle = 0](const Exam::Sight& seen) mutable {
    if (!looks_like_that(seen))
      idle = 0;
    else if (!seen.busy)
      ++idle;
    return idle > (seen.late ? 0 : 12);
  };
}

// Some wait in a barrier, and there never were `parties` of them, and never will be.
Exam::Hopeless never_together(unsigned parties) {
  return stuck([parties](const Exam::Sight& seen) {
    return seen.in_flight > 0 && seen.most_in_flight < parties;
  });
}

// One waits in a barrier, and no other one will ever come.
Exam::Hopeless alone() {
  return stuck([](const Exam::Sight& seen) { return seen.in_flight == 1; });
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
                "/redirect-loop", "/status/204", "/truncate", "/close", "/bytes/100000"});
  exam.expect_in_order(run, {"/status/200 OK", "/status/404 Bad", "/redirect/3 OK",
                             "/redirect/10 OK", "/redirect/11 Bad", "/redirect-loop Bad",
                             "/status/204 Bad", "/truncate Bad", "/close Bad", "/bytes/100000 OK"});
  exam.expect_status(run, 1);
  exam.expect_status(exam.run({"/status/200"}), 0);
  exam.expect_status(exam.run({"/status/404", "/status/200"}), 1);
  return "10 URLs, each judged as it should be; the server saw " + plural(run.requests, "request");
}

std::string seconds(double number) {
  char text[40];
  std::snprintf(text, sizeof text, "%.2f s", number);
  return text;
}

std::string deadline(Exam& exam) {
  const Run run = exam.run({"/hang", "/delay/0.1", "/endless-body", "/status/200"});
  exam.expect_in_order(run, {"/hang Bad", "/delay/0.1 OK", "/endless-body Bad", "/status/200 OK"});
  exam.expect_status(run, 1);
  if (run.requests > 4)
    fail("4 URLs, and the server was asked " + plural(run.requests, "time") +
         ": a URL has half a second, and no second try");
  // The machine may be too busy for half a second, but not each time.
  const Lines half{"/delay/0.9 Bad", "/delay/0.2 OK"};
  Run near = exam.run({"/delay/0.9", "/delay/0.2"});
  if (near.last() == "/delay/0.2 Bad") near = exam.run({"/delay/0.9", "/delay/0.2"});
  exam.expect_in_order(near, half);
  return "two dead servers cost " + seconds(run.seconds) + ", and not the rest of the list";
}

// Compares the program's own figures with the kernel's. Returns the share of the time, in percent,
// that it waited.
int waited(Exam& exam, const Lines& arguments) {
  const Run run = exam.run(arguments);
  double cpu = 0, all = 0;
  int share = 0;
  if (std::sscanf(run.last().c_str(), "cpu %lf s of %lf s: waited %d %%", &cpu, &all, &share) != 3)
    fail("the last line should be like `cpu 0.30 s of 0.80 s: waited 62 %`");
  const std::string what = arguments.size() > 1        ? "computing and then fetching"
                           : arguments[0] == "compute" ? "computing"
                                                       : "fetching";
  // The kernel's figure has the program's start and end in it, which take long on a busy machine.
  const bool computes = std::count(arguments.begin(), arguments.end(), "compute") > 0;
  const double least = computes ? 0.28 : 0;
  if (cpu < least || cpu > run.cpu_seconds + 0.02)
    fail(what + ", it used " + seconds(run.cpu_seconds) + " of CPU time, and says " + seconds(cpu));
  if (all > run.seconds + 0.01 || (arguments.front() == "/delay/0.5" && all < 0.49))
    fail(what + ", it ran for " + seconds(run.seconds) + ", and says " + seconds(all));
  if (all <= 0 || cpu > all + 0.02)
    fail(what + ", it says " + seconds(cpu) + " of CPU time in " + seconds(all));
  const double rounding = 100 * 0.005 / all * (1 + cpu / all);  // of the two to 0.01 s
  if (std::abs(share - 100 * (1 - cpu / all)) > 1 + rounding)
    fail("with " + seconds(cpu) + " of CPU time in " + seconds(all) + ", " + std::to_string(share) +
         " % cannot be waiting");
  return share;
}

std::string waiting(Exam& exam) {
  const int fetched = waited(exam, {"/delay/0.5"}), computed = waited(exam, {"compute"});
  waited(exam, {"compute", "/delay/0.2"});
  return std::to_string(fetched) + " % of a fetch is waiting, and " + std::to_string(computed) +
         " % of a computation" +
         (computed > 5 ? ", which waited for a core on this busy machine" : "");
}

// --- 02-threads ---------------------------------------------------------------------------------

// Two threads wait for the network, and main waits until they have ended.
void judge_main_that_waits(Exam& exam) {
  unsigned looks = 0, busy = 0, asleep = 0;
  std::size_t most = 0;
  exam.run(times(2, "/barrier/3"),
           [&, hopeless = never_together(2)](const Exam::Sight& seen) mutable {
             if (seen.in_flight < 2) return hopeless(seen) || seen.late;
             ++looks;
             busy += seen.busy;
             asleep += sleeps(seen.pid);
             most = std::max(most, count_threads(seen.pid));
             return looks > 12 || seen.late;
           });
  if (looks > 5 && most < 3)
    fail("2 URLs are waited for by a process that has " + plural(most, "thread") +
         ": give each URL a thread of this process");
  if (looks > 5 && asleep > looks / 2)
    fail("main sleeps while its threads are at work: too long, or not long enough; join them");
  if (looks > 5 && busy > looks / 2)
    fail("it burned CPU time while it waited: it was busy at " + std::to_string(busy) + " of " +
         plural(looks, "look") + "; join the threads");
}

std::string threads(Exam& exam) {
  judge_main_that_waits(exam);
  // Neither the first nor the last is the one to wait for.
  exam.expect(exam.run({"/status/200", "/delay/0.5", "/status/404", "/status/200"}),
              {"/delay/0.5 OK", "/status/200 OK", "/status/404 Bad", "/status/200 OK"});
  all_at_once(exam, 9);
  return all_in_flight(9);
}

// The line that reads an atomic, adds, and writes it in another step; 0 if there is none.
int line_with_two_steps(const std::string& source) {
  std::smatch found;
  const std::regex atomic(R"((?:\batomic<\w+>|\batomic_\w+)\s+(\w+))");
  const std::string name = std::regex_search(source, found, atomic) ? found.str(1) : "done";
  const std::regex writes("\\b" + name + R"((\s*=\s*|\.store\(\s*)(?![=\d\s-])|^\s*)" + name +
                          R"(\.compare_exchange)");
  std::istringstream in(source);
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    line.erase(std::min(line.find("//"), line.size()));
    if (line.find("atomic") == line.npos && std::regex_search(line, writes)) return number;
  }
  return 0;
}

std::string race(Exam& exam) {
  const int line = line_with_two_steps(exam.source());
  try {
    all_at_once(exam, 8, {"8 done"});
  } catch (const Verdict& verdict) {  // one may have been lost
    if (line == 0 || verdict.kind != "FAIL") throw;
  }
  // One is rarely lost; no need to wait for that.
  if (line != 0)
    fail(
        "it reads, adds and writes, and another thread may come in between, even if each step is "
        "atomic (02.2, line " +
        std::to_string(line) + ")");
  return all_in_flight(8) + ", all counted, and no race";
}

std::string torn(Exam& exam) {
  for (int chance = 0; chance < 3; ++chance) {  // a program that locks each piece may be lucky once
    // Threads that sleep to avoid each other meet after a pause of the whole program.
    bool paused = chance > 1;  // on a busy machine the first pause may come too late
    const Run run = exam.run(times(8, "/barrier/8"),
                             [&, hopeless = never_together(8)](const Exam::Sight& seen) mutable {
                               if (!paused && seen.most_in_flight == 8 && seen.in_flight == 0) {
                                 paused = true;
                                 kill(seen.pid, SIGSTOP);
                                 std::this_thread::sleep_for(std::chrono::milliseconds(350));
                                 kill(seen.pid, SIGCONT);
                               }
                               return hopeless(seen);
                             });
    if (run.given_up) fail("8 URLs, " + in_flight(run));
    for (const auto& line : run.lines)
      if (line != "/barrier/8 OK") fail("a line is torn: `" + line.substr(0, 60) + "`");
    exam.expect(run, times(8, "/barrier/8 OK"));
  }
  exam.must_keep("void slow_print(");
  return all_in_flight(8) + ", and 8 whole lines";
}

// At most three at a time, three when there is work for three, and no place is ever lost.
std::string three_places(Exam& exam) {
  // Nothing but errors: in whatever order they come, three lost places are all that there are.
  exam.expect(exam.run(times(9, "/close")), times(9, "/close Bad"));
  // Six are answered; then nobody is until all six ask, so that three of those should wait.
  unsigned looks = 0, busy = 0, in_flight = 0;
  double cpu_seconds = 0, burned = 0;  // since three wait
  long waited = 0, woken = 0;
  const Run crowd = exam.run(times(3, "/status/200") + times(3, "/close") + times(6, "/barrier/6"),
                             [&, hopeless = never_together(6)](const Exam::Sight& seen) {
                               in_flight = seen.in_flight;
                               if (in_flight == 3) {
                                 if (looks == 0)
                                   cpu_seconds = seen.cpu_seconds, waited = times_waited(seen.pid);
                                 woken = times_waited(seen.pid) - waited;
                                 burned = seen.cpu_seconds - cpu_seconds;
                                 ++looks;
                                 if (seen.busy) ++busy;
                               }
                               return hopeless(seen) || looks > 24 || (seen.late && in_flight > 0);
                             });
  const auto at_most_three = [](const Run& run) {
    if (run.most_in_flight > 3)
      fail(plural(run.most_in_flight, "request") + " in flight at once, where 3 are allowed");
    return run;
  };
  at_most_three(crowd);
  if (!crowd.given_up)
    exam.expect(crowd,
                times(3, "/status/200 OK") + times(3, "/close Bad") + times(6, "/barrier/6 OK"));
  if (in_flight < 3)
    fail("at most " + plural(in_flight, "request") + " in flight at once, where 3 are allowed");
  const std::string its_fault = "it burned CPU time while it waited: " + seconds(burned) +
                                ", and was busy at " + std::to_string(busy) + " of " +
                                plural(looks, "look");
  const auto may_wake_up = [&](long at_each_look) {
    if (looks > 5 && woken > at_each_look * long(looks))
      fail(
          "it woke up " + std::to_string(woken) +
          " times while all places were taken: who waits for a place should be told, and not look");
  };
  may_wake_up(40);  // which takes CPU time as well
  if (burned > 0.1) fail(its_fault);
  may_wake_up(5);
  if (looks > 5 && busy > looks / 2) fail(its_fault);
  // Three are slow, so that the others wait when their places become free.
  exam.expect(at_most_three(exam.run(times(3, "/delay/0.3") + times(6, "/delay/0.1"))),
              times(3, "/delay/0.3 OK") + times(6, "/delay/0.1 OK"));
  // The first is answered when the last is asked for.
  const Lines held = Lines{"/barrier/2"} + times(5, "/status/200") + Lines{"/barrier/2"};
  const Run slow = exam.run(held, alone());
  if (slow.given_up) fail("a slow URL held up the two other places");
  exam.expect(at_most_three(slow), times(2, "/barrier/2 OK") + times(5, "/status/200 OK"));
  return "9 URLs, 3 in flight at once, never more; no place is lost, none stands empty";
}

std::string pool(Exam& exam) {
  // Nine jobs that return, and then nine that throw.
  exam.expect(exam.run(times(9, "/status/404")), times(9, "/status/404 Bad"));
  if (const Run run = exam.run(times(9, "/close")); run.lines.size() < 9)
    fail("of 9 jobs that throw, " + std::to_string(run.lines.size()) +
         " ran: a job that throws must not take its place with it");
  const std::string words = three_places(exam);
  exam.forbid(R"(green::Pool\b)", "this is the chapter's pool: write your own");
  exam.must_keep("void fetch(");
  return words;
}

std::string deadlock(Exam& exam) {
  const Run run = exam.run({}, {}, {.goes_on = true});
  for (const auto& line : run.lines)
    if (line.rfind("the total is ", 0) == 0)
      fail("a connection was on its way while nobody held the locks: " + line + " for a moment");
  exam.expect(run, {"east 100, west 100"});
  exam.run({});           // the same again: ThreadSanitizer sees also what was only lucky
  if (run.seconds < 0.1)  // of 100 loans, each with both locks held for 1 ms
    fail("100 loans took " + seconds(run.seconds) +
         ", where each has a moment between its two steps: that moment must stay, with both locks");
  return "100 loans in two directions, and the total was 200 at any moment";
}

// Eight are OK at the same moment. (With threads, moments.cpp sees to that.)
void judge_eight_winners(Exam& exam, int chances) {
  for (int chance = 0; chance < chances; ++chance) {
    const Run run =
        exam.run(times(8, "/barrier/8"), never_together(8), {.environment = {"MOMENTS=8"}});
    if (run.given_up) fail("8 URLs, " + in_flight(run));
    const auto winners = std::count(run.lines.begin(), run.lines.end(), "/barrier/8 wins");
    if (winners != 1)
      fail("8 URLs were OK at the same moment, and " + std::to_string(winners) +
           " of them won: looking and winning must be one step");
    Lines lines{"/barrier/8 wins"};
    for (const auto& line : run.lines)
      if (line != lines.front()) lines.push_back("/barrier/8 cancelled");
    lines.resize(8, "/barrier/8 cancelled");
    exam.expect(run, lines);
  }
}

// Whoever is OK first wins, and nobody is waited for any more.
std::string first_of_threads(Exam& exam) {
  exam.expect(
      exam.run({"/hang", "/status/404", "/close", "/delay/0.2", "/hang"}),
      {"/status/404 Bad", "/close Bad", "/delay/0.2 wins", "/hang cancelled", "/hang cancelled"});
  exam.expect(exam.run({"/close", "/status/404"}), {"/close Bad", "/status/404 Bad"});
  judge_eight_winners(exam, 2);
  exam.forbid(
      "_TIMEOUT|LOW_SPEED",
      "this is a time limit, and no cancellation: a slow server that is the only one may win");
  exam.forbid(R"(\b(_exit|quick_exit|exit|abort)\(|\bdetach\()",
              "this leaves threads behind: cancel them, and join each one");
  return "the first that was OK won, alone, and the others were cancelled";
}

// Whoever is OK first wins, and the others are cancelled at once.
void judge_race_on_a_loop(Exam& exam, const Lines& losers) {
  int late = 0;  // looks at which only the two dead servers are left, and nothing is done
  const Lines urls = Lines{"/hang"} + losers + Lines{"/delay/0.2", "/hang"};
  const Run run = exam.run(urls,
                           [&](const Exam::Sight& seen) {
                             late +=
                                 seen.requests == urls.size() && seen.in_flight == 2 && !seen.busy;
                             return false;
                           },
                           {.ends_in_silence = true});
  Lines lines;
  for (const auto& loser : losers) lines.push_back(loser + " Bad");
  exam.expect(run, lines + Lines{"/delay/0.2 wins", "/hang cancelled", "/hang cancelled"});
  exam.expect(exam.run({"/close", "/status/404"}), {"/close Bad", "/status/404 Bad"});
  if (late > 8)
    fail("the winner was known, and the others were waited for all the same: cancel them at once");
}

// --- 03-callbacks -------------------------------------------------------------------------------

std::string lifetime(Exam& exam) {
  exam.a_crash_means("the callback outlived its session");
  const Run run = exam.run({"/delay/0.1", "/status/404", "/close"});
  exam.expect(run_without_last(run), {"/delay/0.1 OK", "/status/404 Bad", "/close Bad"});
  if (const int alive = std::atoi(run.last().c_str()); alive != 0)
    fail(plural(std::size_t(alive), "session") + " are still alive at the end");
  return "3 sessions, each alive as long as it was waited for";
}

std::string chain(Exam& exam) {
  for (const int n : {7, 30})
    exam.expect_in_order(exam.run({std::to_string(n)}),
                         {"nothing yet", std::to_string(4 * n), std::to_string(n),
                          std::to_string(2 * (n + 100)), std::to_string(2 * n), std::to_string(n)});
  exam.must_keep("int main(");
  return "links that wait, links that do not, and one that comes late";
}

std::string gathering(Exam& exam) {
  exam.a_crash_means("what the callbacks share must outlive `collect`");
  const auto collect = [&](const Lines& urls, const Lines& lines, const std::string& when) {
    const Run run = exam.run(urls);
    if (run.err.find("main has not fired") != std::string::npos)
      fail(when + "what `collect` returned never fired");
    exam.expect_in_order(run, lines);
  };
  collect({"/delay/0.3", "/close", "/barrier/2", "/status/404", "/barrier/2"},
          {"/delay/0.3 OK", "/close Bad", "/barrier/2 OK", "/status/404 Bad", "/barrier/2 OK",
           "5 answers"},
          "");
  collect({}, {"0 answers"}, "with no URL, ");
  exam.forbid(R"(\bgather\()", "this calls the chapter's gather(): write your own");
  return "5 answers in the order of the requests, and none if there is none";
}

std::string retry(Exam& exam) {
  exam.a_crash_means("a callback is called when the function that made it is long gone");
  const Run final = exam.run({"/status/404"});
  if (final.requests != 1)
    fail("a 404 is final, and was asked for " + plural(final.requests, "time"));
  const Run others = exam.run({"/status/500", "/close"});
  if (others.requests != 2)
    fail("a 500 and a closed connection are final, too, and were asked for " +
         plural(others.requests, "time") + ": only 503 means that the server is busy");
  const Run busy = exam.run(times(4, "/status/503") + Lines{"/status/200"});
  if (busy.requests != 13)
    fail("4 busy servers should be asked 3 times each, 12 in all, and were asked " +
         plural(busy.requests - 1, "time"));
  const int beats = std::atoi(busy.last().c_str());
  if (std::count(busy.lines.begin(), busy.lines.end(), "rest of 100 ms") == 0)
    fail("the loop stood still: nobody called `rest`, and its heart beat " +
         plural(std::size_t(beats), "time") + " in " + seconds(busy.seconds));
  exam.expect(run_without_last(busy), times(4, "rest of 100 ms") + times(4, "rest of 200 ms") +
                                          times(4, "/status/503 Bad") + Lines{"/status/200 OK"});
  if (busy.seconds < 0.3)
    fail("it was all over after " + seconds(busy.seconds) +
         ", and the pauses take 0.3 s: nothing waits for what `rest` returns");
  return "4 busy servers asked 3 times each, side by side, and the heart beat " +
         plural(std::size_t(beats), "time");
}

std::string first_of_callbacks(Exam& exam) {
  exam.a_crash_means("what the callbacks share must outlive them");
  judge_race_on_a_loop(exam, {"/status/404", "/close"});
  judge_eight_winners(exam, 1);
  exam.forbid(R"(\bstop\(\)|\b(_exit|quick_exit|exit|abort)\()",
              "this leaves requests behind: cancel them, and the loop ends by itself");
  return "the first that was OK won, alone, and the others were cancelled";
}

// --- 04-green-threads ---------------------------------------------------------------------------

std::string echo(Exam& exam) {
  exam.a_crash_means("a fiber was resumed after its end, or after it was moved from");
  const Run run = exam.run({"a", "b", "c", "d", "e"});
  exam.expect_in_order(run, {"started", "started", "1: a", "2: b", "1: c", "3: d", "4: e",
                             "ended after 4", "ended after 1", "both are over"});
  return "two coroutines, each with a stack and a count of its own";
}

std::string sleep(Exam& exam) {
  exam.a_crash_means("outside green threads, a sleep needs libc's nanosleep");
  const Run run = exam.run({"300", "200", "100"});
  Lines greens = run.lines;
  const auto real = std::find(greens.begin(), greens.end(), "50 ms");
  if (real == greens.end()) fail("the real thread did not print its `50 ms`");
  greens.erase(real);
  if (greens == Lines{"300 ms", "200 ms", "100 ms"}) {  // 600 ms, if they did sleep
    if (run.seconds < 0.6 || exam.run({"900", "600", "300"}).seconds < 1.8)
      fail("nobody slept: all was over after " + seconds(run.seconds));
    fail("they slept one after the other: 300 ms, 200 ms, 100 ms");
  }
  Run sorted_by_time = run;
  sorted_by_time.lines = greens;
  exam.expect_in_order(sorted_by_time, {"100 ms", "200 ms", "300 ms"});
  if (run.seconds < 0.3) fail("nobody slept: all was over after " + seconds(run.seconds));
  if (run.cpu_seconds > 0.06)
    fail("it burned CPU time while it slept: " + seconds(run.cpu_seconds));
  if (exam.run({"0"}).seconds < 0.05)
    fail("the real thread did not sleep: who is on no green thread needs libc's nanosleep");
  exam.must_keep("void nap(");
  return "they slept at the same time, " + seconds(run.seconds) + " in all";
}

// The CPU time that the exercise's computation takes by itself.
double seconds_to_count_primes() {
  const auto start = std::clock();
  long count = 0;
  for (long number = 0; number < 1'000'000; ++number) {
    bool is_prime = number > 1;
    for (long divisor = 2; is_prime && divisor * divisor <= number; ++divisor)
      is_prime = number % divisor != 0;
    count += is_prime;
  }
  return count == 0 ? 0 : double(std::clock() - start) / CLOCKS_PER_SEC;
}

std::string starvation(Exam& exam) {
  const Run run = exam.run({"1000000"});
  long primes = 0;
  int beats = 0;
  if (std::sscanf(run.last().c_str(), "%ld primes, %d beats", &primes, &beats) != 2)
    fail("the last line should be like `78498 primes, 20 beats`");
  if (primes != 78498)
    fail("it counted " + std::to_string(primes) + " primes below 1000000, and there are 78498");
  if (beats > 100 * run.seconds + 3)
    fail("the heart cannot have beaten " + std::to_string(beats) + " times in " +
         seconds(run.seconds) + ": it rests for 10 ms after each beat");
  if (beats < 3)
    fail("the heart did not beat in " + seconds(run.seconds) + ", while the primes were counted");
  if (beats < 80 * run.cpu_seconds - 3)
    fail("the heart beat " + plural(std::size_t(beats), "time") + " during " +
         seconds(run.cpu_seconds) +
         " of computing, where it should beat every 10 ms: let the others "
         "run more often");
  if (const double alone = seconds_to_count_primes(); run.cpu_seconds > 1.5 * alone + 0.05)
    fail("it computed for " + seconds(run.cpu_seconds) + ", where the primes alone take " +
         seconds(alone) + ": the rest are switches, so let the others run less often");
  exam.must_keep("void heart(");
  return "the heart beat " + plural(std::size_t(beats), "time") + " while the primes were counted";
}

std::string lost_update(Exam& exam) {
  const Run run = exam.run(times(8, "/barrier/8"), never_together(8));
  if (run.given_up) fail("8 URLs, " + in_flight(run));
  exam.expect(run_without_last(run), times(8, "/barrier/8 OK"));
  const int counted = std::atoi(run.last().c_str());
  if (counted != 8) fail("it counted " + std::to_string(counted) + " of 8");
  if (const Run bad = exam.run({"/status/404"}); bad.last() != "0 counted")
    fail("one URL was Bad, and the last line is `" + bad.last().substr(0, 40) +
         "`: only those that are OK count");
  return all_in_flight(8) + ", and 8 counted";
}

std::string deadline_by_kill(Exam& exam) {
  exam.a_crash_means(
      "a killed green thread runs on until it ends, so what it uses must still exist");
  const Run run = exam.run(
      {"/hang", "/status/404", "/delay/0.1", "/drip?duration=60", "/barrier/2", "/barrier/2"}, {});
  exam.expect(run, {"/hang late", "/status/404 Bad", "/delay/0.1 OK", "/drip?duration=60 late",
                    "/barrier/2 OK", "/barrier/2 OK", "0 left"});
  // A job that ends is not waited for any longer: the second one ends first. (A busy machine may
  // let both end together, not twice.)
  for (int chance = 0; chance < 2; ++chance) {
    const Run two = exam.run({"/delay/0.4", "/status/404"});
    if (two.cpu_seconds > 0.1)
      fail("it burned CPU time while it waited: " + seconds(two.cpu_seconds) + " in " +
           seconds(two.seconds));
    if (!two.lines.empty() && two.lines.front() == "/status/404 Bad") break;
    if (chance == 1) fail("a job that ended at once was waited for until its deadline");
  }
  exam.forbid("_TIMEOUT", "this is libcurl's deadline: the task is one for any job");
  exam.must_keep("void fetch(");
  return "two dead servers were given up, nobody else, and no green thread is left";
}

// --- 05-coroutines ------------------------------------------------------------------------------

std::string await(Exam& exam) {
  const Run found =
      exam.run({"/status/404", "/close", "/status/503", "/status/200", "/status/200?another=1"});
  if (found.requests > 4)
    fail("the fourth mirror was OK, and " + std::to_string(found.requests) + " were asked");
  exam.expect_in_order(found,
                       {"/status/404 Bad", "/close Bad", "/status/503 Bad", "/status/200 OK"});
  exam.expect_in_order(exam.run({"/status/404", "/close", "/status/500"}),
                       {"/status/404 Bad", "/close Bad", "/status/500 Bad", "no mirror is OK"});
  const std::string code = exam.source();
  if (code.find(".run(") != code.rfind(".run("))
    fail("it runs a second loop inside the first, which stands still meanwhile: co_await instead");
  return "4 mirrors asked one after the other, and the fifth left alone";
}

std::string dangling(Exam& exam) {
  exam.a_crash_means("the coroutine refers to something that is gone when it resumes");
  all_at_once(exam, 4);
  exam.expect(exam.run({"/close", "/status/404"}), {"/close Bad", "/status/404 Bad"});
  return all_in_flight(4) + ", and each has its own URL";
}

std::string first(Exam& exam) {
  judge_race_on_a_loop(exam, {"/close"});
  exam.forbid(R"(\bstop\(\)|\b(_exit|quick_exit|exit|abort)\()",
              "this leaves coroutines behind: cancel them, and the loop ends by itself");
  return "the first that was OK won, and 2 others were cancelled";
}

std::string task(Exam& exam) {
  exam.a_crash_means("each task that ends leaves a call on the stack, or its frame is gone");
  for (const long n : {200'000L, 3L})
    exam.expect_in_order(exam.run({std::to_string(n)}),
                         {"made", "asked for", "nothing yet", "doubled: " + std::to_string(2 * n),
                          "sum: " + std::to_string(n * (n + 1) / 2), "failed: no luck"});
  return "200000 tasks awaited each other, and the stack did not grow";
}

}  // namespace

Examiner examiner(const std::string& id) {
  static const std::map<std::string, Examiner> all{
      {"01.1", status},
      {"01.2", deadline},
      {"01.3", waiting},
      {"01.4", links},
      {"02.1", threads},
      {"02.2", race},
      {"02.3", torn},
      {"02.4", three_places},
      {"02.5", deadlock},
      {"02.6", first_of_threads},
      {"02.7", links},
      {"03.1", lifetime},
      {"03.2", chain},
      {"03.3", gathering},
      {"03.4", retry},
      {"03.5", three_places},
      {"03.6", first_of_callbacks},
      {"03.7", links},
      {"04.1", echo},
      {"04.2", sleep},
      {"04.3", starvation},
      {"04.4", lost_update},
      {"04.5", pool},
      {"04.6", deadline_by_kill},
      {"04.7", links},
      {"05.1", await},
      {"05.2", dangling},
      {"05.3", first},
      {"05.4", three_places},
      {"05.5", task},
      {"05.6", links},
  };
  const auto it = all.find(id);
  if (it == all.end()) throw std::logic_error("nobody examines " + id);
  return it->second;
}
