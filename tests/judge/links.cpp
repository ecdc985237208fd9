// The link checkers of all chapters, examined on the server's sites (tests/server/links.hpp): what
// they say, and what the server saw.

#include <signal.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "autopsy.hpp"
#include "exam.hpp"
#include "exams.hpp"
#include "socket.hpp"

namespace {

constexpr int hosts = 6, most = 8, most_per_host = 2, tries = 3;

struct Asked {
  unsigned times = 0, answered = 0;
  std::vector<int> pauses;  // in ms, from each 503 to the next try
};

// What the server saw.
struct Report {
  unsigned in_flight = 0, most = 0, most_per_host = 0, elsewhere = 0;
  std::map<std::string, Asked> pages;
  std::string text;

  unsigned times() const {
    unsigned all = 0;
    for (const auto& [name, asked] : pages) all += asked.times;
    return all;
  }
};

std::string shown(double seconds) {
  char text[40];
  std::snprintf(text, sizeof text, "%g s", seconds);
  return text;
}

std::string last_line(const std::string& how, std::size_t pages, std::size_t broken) {
  return how + ": " + std::to_string(pages) + " pages, " + std::to_string(broken) + " broken";
}

using Broken = std::map<std::string, std::set<std::string>>;  // the pages that have the link

// One run on one site. Of its pages, the names are shown: /about.
class Crawl {
 public:
  Crawl(Exam& exam, std::string kind, double delay = 0.8)
      : exam_(exam), kind_(std::move(kind)), delay_(delay) {}

  // What is done while it runs; returns whether to end it.
  using Watch = std::function<bool(const Exam::Sight&)>;
  void run(double each, double all, bool holds, const Watch& watch, bool is_interrupted = false) {
    idle_ = 0;
    cpu_ = 0;
    printed_ = 0;
    Report last_look;
    const auto look = [&](const Exam::Sight& seen) {
      const std::string before = report_.text;
      report_ = ask("");
      out_ = lines_of(seen.out);
      if (report_.text != before) idle_ = 0;
      if (report_.text != before || seen.out.size() != printed_) cpu_ = seen.cpu_seconds;
      printed_ = seen.out.size();
      if (seen.cpu_seconds - cpu_ > 0.15)
        fail("it burned " + shown(std::round(100 * (seen.cpu_seconds - cpu_)) / 100) +
             " of CPU time while nothing happened: wait for an answer, or to be told");
      if (!seen.busy && !seen.server_is_busy) ++idle_;
      if (seen.late) idle_ += 1000;
      // If the only thread sleeps, no other page can make progress.
      if (exam_.exercise().chapter >= "03" && sleeps(seen.pid))
        fail("it slept while it had " + plural(report_.in_flight, "request") +
             " in flight: there is one thread, and nobody goes on while that sleeps");
      const bool ends = watch(seen) || asks_without_end();
      last_look = report_;
      return ends;
    };
    run_ = exam_.run({"/site/" + kind_ + "/1/", number(each), number(all)}, look,
                     {hosts,
                      [&](const std::string& url) {
                        port_ = std::uint16_t(std::stoi(url.substr(url.rfind(':') + 1)));
                        report_ = ask("?delay=" + number(delay_) + (holds ? "&hold=1" : ""));
                      },
                      [&](const std::string&) { report_ = ask(""); }, is_interrupted});
    for (auto& line : run_.lines) line = named(line);
    if (run_.given_up) report_ = last_look;  // now that it has been ended, nothing is in flight
    out_ = run_.lines;
  }

  void open() { report_ = ask("?hold=0"); }

  const Report& report() const { return report_; }
  const Run& result() const { return run_; }
  const Lines& out() const { return out_; }
  int idle() const { return idle_; }  // for so many looks nothing has changed, at 20 looks a second

  bool has(const std::string& line) const {
    return std::find(out_.begin(), out_.end(), line) != out_.end();
  }
  bool has_line_of(const std::string& page) const {
    return has('/' + page + " OK") || has('/' + page + " Bad");
  }

  // Fails if the server saw what must not be.
  void judge_requests() const {
    if (report_.elsewhere > 0)
      fail("it asked localhost, which is another site: only hosts that begin with 127. are asked");
    if (report_.most_per_host > most_per_host)
      fail(plural(report_.most_per_host, "request") +
           " in flight at one host, where 2 are allowed");
    if (report_.most > most)
      fail(plural(report_.most, "request") + " in flight at once, where 8 are allowed");
    for (const auto& [name, asked] : report_.pages) {
      if (asked.times > 1 && asked.pauses.empty())
        fail(name + " was asked for " + plural(asked.times, "time") +
             ": a page is new when its link is found first, not until it has been answered");
    }
  }

  // Fails unless it said that, and nothing else: a line for each page, what is broken, the end.
  void judge_lines(const std::map<std::string, std::string>& verdicts, const Broken& broken,
                   const std::string& how) const {
    std::set<std::string> seen, seen_broken;
    for (std::size_t i = 0; i + 1 < out_.size() || i < out_.size(); ++i) {
      const std::string& line = out_[i];
      const auto space = line.find(' ');
      const std::string page = line.substr(0, space);
      const std::string rest = space == line.npos ? "" : line.substr(space + 1);
      if (rest == "OK" || rest == "Bad") {
        const auto verdict = verdicts.find(page);
        if (verdict == verdicts.end())
          fail("`" + line + "` is none of the lines that were expected: " +
               (how == "done" ? "there is no such page"
                              : "a page that was not answered in full is neither OK nor Bad"));
        if (verdict->second != rest)
          fail("`" + line + "` should be `" + page + ' ' + verdict->second + "`: " + why(page));
        if (!seen.insert(page).second) fail("`" + line + "` came twice: each page has one line");
        if (!seen_broken.empty())
          fail("`" + line + "` came after the broken links, which are for the end");
        continue;
      }
      const auto on = rest.rfind("broken on ", 0) == 0 ? rest.substr(10) : "";
      const auto entry = broken.find(page);
      if (!on.empty()) {
        if (entry == broken.end()) fail("`" + line + "`: but " + page + " is not broken");
        if (!entry->second.count(on)) fail("`" + line + "`: but " + on + " has no such link");
        if (!seen_broken.insert(line).second) fail("`" + line + "` came twice");
        continue;
      }
      if (rest == "broken" && entry != broken.end())
        fail("`" + line + "` should say where, for each page that has the link: `" + page +
             " broken on " + *entry->second.begin() + "`");
      if (i + 1 < out_.size() || line.rfind(how + ": ", 0) != 0)
        fail("the line `" + line.substr(0, 60) + "` was not expected; expected, for example: `" +
             (i + 1 < out_.size() ? verdicts.begin()->first + " OK"
                                  : last_line(how, verdicts.size(), broken.size())) +
             "`");
    }
    for (const auto& [page, verdict] : verdicts)
      if (!seen.count(page))
        fail("the line `" + page + ' ' + verdict + "` did not come: " + why(page));
    for (const auto& [link, pages] : broken)
      for (const auto& page : pages)
        if (const auto line = link + " broken on " + page; !seen_broken.count(line))
          fail("the line `" + line + "` did not come: each page that has a broken link is named");
    const std::string last = last_line(how, verdicts.size(), broken.size());
    if (out_.empty() || out_.back() != last)
      fail("the last line should be `" + last + "`" +
           (out_.empty() ? "" : ", and is `" + out_.back().substr(0, 60) + "`"));
    exam_.expect_status(run_, how == "done" && broken.empty() ? 0 : 1);
  }

 private:
  // Pages link to each other in circles. Who asks again for what was asked for never ends.
  bool asks_without_end() const {
    return std::ranges::any_of(report_.pages,
                               [](const auto& page) { return page.second.times > 4 * tries; });
  }

  static std::string why(const std::string& page) {
    static const std::map<std::string, std::string> reasons{
        {"/busy", "it answers 503 twice, and then it is there"},
        {"/secret", "only /busy links to it, and /busy recovers"},
        {"/down", "it answers 503 every time"},
        {"/lost", "its server closes without an answer"},
        {"/never", "its server never answers"},
        {"/stalls", "its server stops within the page"},
    };
    const auto reason = reasons.find(page);
    return reason != reasons.end() ? reason->second
                                   : "its server's answer and each line of yours must agree";
  }

  static std::string number(double seconds) {
    char text[40];
    std::snprintf(text, sizeof text, "%g", seconds);
    return text;
  }

  Report ask(const std::string& query) const {
    Report report;
    const std::string answer =
        Socket(port_).send("GET /site/" + kind_ + "/1" + query + " HTTP/1.0\r\n\r\n").receive();
    report.text = answer.substr(std::min(answer.find("\r\n\r\n"), answer.size()));
    std::istringstream in(report.text);
    for (std::string line; std::getline(in, line);) {
      std::istringstream words(line);
      std::string what;
      words >> what;
      if (what == "in-flight") words >> report.in_flight;
      if (what == "most") words >> report.most;
      if (what == "most-per-host") words >> report.most_per_host;
      if (what == "elsewhere") words >> report.elsewhere;
      if (what != "page") continue;
      words >> what;
      Asked& asked = report.pages[what];
      words >> asked.times >> asked.answered;
      for (int pause; words >> pause;) asked.pauses.push_back(pause);
    }
    return report;
  }

  std::string named(const std::string& line) const {
    static const std::regex folder("(http://127\\.0\\.0\\.\\d+:\\d+)?/site/[a-z]+/1/");
    return std::regex_replace(line, folder, "/");
  }

  Lines lines_of(const std::string& text) const {
    Lines all;
    std::istringstream in(text.substr(0, text.rfind('\n') + 1));
    for (std::string line; std::getline(in, line);) all.push_back(named(line));
    return all;
  }

  Exam& exam_;
  const std::string kind_;
  const double delay_;  // of late pages
  std::uint16_t port_ = 0;
  Report report_;
  Run run_;
  Lines out_;
  int idle_ = 0;
  double cpu_ = 0;  // that it had used when something happened last
  std::size_t printed_ = 0;
};

// Longer than any pause that it has reason to make.
constexpr int stuck = 12, long_stuck = 40;

// The whole site. One page is held until the lines of all the others have come.
void web(Exam& exam, bool one_at_a_time) {
  std::map<std::string, std::string> verdicts;
  for (const char* page :
       {"/", "/about", "/team", "/news", "/archive", "/contact", "/shop", "/shirt", "/cup", "/book",
        "/pen", "/hat", "/bag", "/slow", "/busy", "/secret"})
    verdicts[page] = "OK";
  for (const char* page : {"/missing", "/gone", "/crash", "/lost", "/down"}) verdicts[page] = "Bad";
  const Broken broken{{"/missing", {"/about", "/news", "/shirt"}},
                      {"/gone", {"/archive"}},
                      {"/crash", {"/archive"}},
                      {"/lost", {"/contact"}},
                      {"/down", {"/cup"}}};

  Crawl crawl(exam, "web");
  bool opened = false;
  std::string silent;  // a page that was answered, and has no line
  crawl.run(60, 60, true, [&](const Exam::Sight&) {
    if (opened) return crawl.idle() > long_stuck;
    silent.clear();
    const auto& pages = crawl.report().pages;
    for (const auto& [page, asked] : pages)
      if (asked.answered > 0 && page != "/busy" && page != "/down" &&
          !crawl.has_line_of(page.substr(1)))
        silent = page;
    const bool all = one_at_a_time || crawl.out().size() + 1 >= verdicts.size();
    if (pages.count("/slow") && silent.empty() && all) {
      opened = true;
      crawl.open();
      return false;
    }
    return crawl.idle() > stuck;
  });
  // These have one link each. So they are asked for twice either because of what they answered, or
  // because the page with the link was.
  const std::set<std::string> dead{"/gone", "/crash", "/lost", "/busy", "/down"};
  bool twice = false;
  for (const auto& [name, asked] : crawl.report().pages)
    twice = twice || (asked.times > 1 && !dead.contains(name));
  for (const char* page : {"/gone", "/crash", "/lost"})
    if (const auto asked = crawl.report().pages.find(page);
        !twice && asked != crawl.report().pages.end() && asked->second.times > 1)
      fail(std::string(page) + " was asked for " + plural(asked->second.times, "time") +
           ": only a server that answers 503 is asked again");
  crawl.judge_requests();
  const auto& pages = crawl.report().pages;
  for (const char* page : {"/busy", "/down"})
    if (const auto asked = pages.find(page); asked != pages.end() && asked->second.times > tries)
      fail(std::string(page) + " answered 503, and was asked for " +
           plural(asked->second.times, "time") + ": three times in all are enough");
  if (crawl.result().given_up) {
    if (crawl.report().in_flight == 0)
      fail("it waits, and nothing is in flight: " + plural(crawl.out().size(), "line") + " of " +
           std::to_string(verdicts.size()) + " pages came");
    if (!silent.empty())
      fail("the server has answered " + silent + ", and its line did not come while another page " +
           "was waited for: print a line as soon as it is known, and flush");
    for (const auto& [page, verdict] : verdicts)
      if (!pages.count(page))
        fail(page + " was not asked for, while nothing but /slow was in flight: does a slow page " +
             "hold up the others, is a lock held while a page is waited for, or was a place not " +
             "given back?");
    fail("it waits for " + plural(crawl.report().in_flight, "request") + " that nobody answers");
  }
  static const std::map<std::string, std::string> linked_on{
      {"/team", "/about"},   {"/missing", "/about"}, {"/archive", "/news"}, {"/busy", "/news"},
      {"/gone", "/archive"}, {"/crash", "/archive"}, {"/lost", "/contact"}, {"/shirt", "/shop"},
      {"/cup", "/shop"},     {"/book", "/shop"},     {"/pen", "/shop"},     {"/hat", "/shop"},
      {"/bag", "/shop"},     {"/down", "/cup"},      {"/secret", "/busy"}};
  for (const auto& [page, verdict] : verdicts)
    if (!pages.count(page) && page != "/secret") {
      const auto on = linked_on.find(page);
      fail(page + " was never asked for, though " + (on == linked_on.end() ? "/" : on->second) +
           " has a link to it");
    }
  for (const auto& [page, asked] : pages) {
    const bool is_busy = page == "/busy" || page == "/down";
    if (is_busy && asked.times == 1)
      fail(page + " answered 503, and was not asked again: a busy server may recover");
    if (is_busy && asked.times != tries)
      fail(page + " answered 503, and was asked for " + plural(asked.times, "time") +
           " in all, where 3 are right");
    for (std::size_t i = 0; i < asked.pauses.size(); ++i)
      if (const int least = i == 0 ? 100 : 200; asked.pauses[i] < least)
        fail(page + " answered 503, and was asked again after " + std::to_string(asked.pauses[i]) +
             " ms: the pause before try " + std::to_string(i + 2) + " is " + std::to_string(least) +
             " ms");
  }
  crawl.judge_lines(verdicts, broken, "done");
}

// No page is answered until it is clear how many it asks for at once.
void crowd(Exam& exam) {
  Crawl crawl(exam, "crowd");
  Report full;
  bool opened = false;
  crawl.run(60, 60, true, [&](const Exam::Sight&) {
    if (opened) return crawl.idle() > long_stuck;
    if (crawl.report().most > most || crawl.report().most_per_host > most_per_host) return true;
    if (crawl.idle() <= stuck) return false;
    full = crawl.report();
    if (full.in_flight < most) return true;
    opened = true;
    crawl.open();
    return false;
  });
  crawl.judge_requests();
  if (!opened)
    fail("at most " + plural(crawl.report().most, "request") +
         " in flight at once, where 24 pages of 6 hosts wait and 8 may be");
  if (crawl.result().given_up)
    fail(plural(crawl.report().pages.size(), "page") +
         " of 25 were asked for, and then no more: is a place not given back?");
  std::map<std::string, std::string> verdicts{{"/", "OK"}};
  for (int i = 1; i <= 24; ++i) verdicts["/page-" + std::to_string(i)] = "OK";
  crawl.judge_lines(verdicts, {}, "done");
}

// Four pages of a host are held, and eight of another one, which are linked behind them, are not.
void uneven(Exam& exam) {
  constexpr std::size_t quick = 8;
  Crawl crawl(exam, "uneven");
  std::size_t answered = 0;
  bool opened = false;
  crawl.run(60, 60, true, [&](const Exam::Sight&) {
    if (opened) return crawl.idle() > long_stuck;
    answered = 0;
    for (const auto& [page, asked] : crawl.report().pages)
      answered += page.rfind("/quick-", 0) == 0 && asked.answered > 0;
    if (answered < quick) return crawl.idle() > stuck;
    opened = true;
    crawl.open();
    return false;
  });
  crawl.judge_requests();
  if (!opened)
    fail(plural(quick - answered, "page") +
         " of a host that answers at once waited, because 2 pages of another host did not come: " +
         "when a place comes free, look beyond the pages whose host is busy");
  if (crawl.result().given_up) fail("it waits, and every page has been answered");
  std::map<std::string, std::string> verdicts{{"/", "OK"}};
  for (int i = 1; i <= 4; ++i) verdicts["/held-" + std::to_string(i)] = "OK";
  for (std::size_t i = 1; i <= quick; ++i) verdicts["/quick-" + std::to_string(i)] = "OK";
  crawl.judge_lines(verdicts, {}, "done");
}

// Ctrl-C, when some pages are known, some are in flight, and some wait.
void interrupted(Exam& exam) {
  Crawl crawl(exam, "stop");
  Report before;
  bool sent = false;
  crawl.run(
      60, 60, true,
      [&](const Exam::Sight& seen) {
        if (sent) return crawl.idle() > long_stuck;
        if (crawl.idle() <= stuck) return false;
        before = crawl.report();
        sent = true;
        kill(seen.pid, SIGINT);
        return false;
      },
      true);
  if (!sent) fail("it ended before any page that it waited for was answered");
  if (crawl.result().status == 128 + SIGINT)
    fail("Ctrl-C killed it, with what it knew: catch SIGINT, and print what is known");
  if (crawl.report().times() > before.times())
    fail("after Ctrl-C it asked for " + plural(crawl.report().times() - before.times(), "page") +
         " more");
  if (crawl.result().given_up)
    fail("2 s after Ctrl-C it still waits for " + plural(before.in_flight, "page") +
         ": give up what is in flight");
  crawl.judge_requests();
  std::map<std::string, std::string> verdicts;
  Broken broken;
  for (const auto& [page, asked] : before.pages)
    if (asked.answered > 0) verdicts[page] = page == "/missing" ? "Bad" : "OK";
  if (verdicts.count("/missing")) broken["/missing"] = {"/"};
  if (crawl.out().empty() || crawl.out().back().rfind("interrupted: ", 0) != 0)
    fail("after Ctrl-C the last line should be `" +
         last_line("interrupted", verdicts.size(), broken.size()) + "`" +
         (crawl.out().empty() ? "" : ", and is `" + crawl.out().back().substr(0, 60) + "`"));
  crawl.judge_lines(verdicts, broken, "interrupted");
}

// Two dead servers, and little time for each request. A machine that is too busy for that gets
// more.
void deadline_for_each(Exam& exam) {
  for (const double each : {0.6, 1.2, 2.4, 4.8}) {
    Crawl crawl(exam, "slow");
    crawl.run(each, 60, false,
              [&](const Exam::Sight&) { return crawl.idle() > long_stuck + 20 * each; });
    if (crawl.result().given_up) {
      for (const auto& [page, asked] : crawl.report().pages)
        if (asked.answered == 0 && !crawl.has_line_of(page.substr(1)))
          fail(page + (page == "/stalls" ? " never comes to its end" : " is never answered") +
               ", and was still waited for 2 s after its deadline of " + shown(each));
      fail("it waits, and nothing is in flight");
    }
    if (each < 4.8 && (crawl.has("/ Bad") || crawl.has("/good Bad"))) continue;
    crawl.judge_requests();
    return crawl.judge_lines({{"/", "OK"}, {"/good", "OK"}, {"/never", "Bad"}, {"/stalls", "Bad"}},
                             {{"/never", {"/"}}, {"/stalls", {"/"}}}, "done");
  }
}

// Each try has EACH: three that together take more are in time, and a second one is given up like a
// first one. A machine that is too busy for that gets more.
void deadline_for_each_try(Exam& exam) {
  int out_of_time = 0;
  for (const double each : {0.6, 1.2, 2.4}) {
    Crawl crawl(exam, "tries", 0.4 * each);
    crawl.run(each, 60, false,
              [&](const Exam::Sight&) { return crawl.idle() > long_stuck + 20 * each; });
    const auto tries_of = [&](const char* page) {
      const auto asked = crawl.report().pages.find(page);
      return asked == crawl.report().pages.end() ? 0 : asked->second.times;
    };
    if (crawl.result().given_up && tries_of("/once") == 2 && !crawl.has_line_of("once"))
      fail(
          "/once answered 503, and its second try was still waited for 2 s after the deadline of " +
          shown(each) + ", which each try has");
    if (crawl.result().given_up) fail("it waits, and nothing is in flight");
    if (each < 2.4 && (crawl.has("/ Bad") || crawl.has("/good Bad"))) continue;
    if (each < 2.4 && crawl.has("/thrice Bad") && ++out_of_time < 2) continue;
    if (crawl.has("/thrice Bad"))
      fail("/thrice answered each of its three tries after " + shown(0.4 * each) +
           ", and is Bad, though each try has " + shown(each) + ": EACH begins anew with each try");
    if (tries_of("/once") > 2)
      fail("/once did not answer its second try in time, and was asked again: that was the last");
    crawl.judge_requests();
    return crawl.judge_lines({{"/", "OK"}, {"/good", "OK"}, {"/thrice", "OK"}, {"/once", "Bad"}},
                             {{"/once", {"/"}}}, "done");
  }
}

// An endless site with a page that is never answered, and little time for all of it.
void deadline_for_all(Exam& exam) {
  for (const double all : {0.6, 1.2, 2.4, 4.8}) {
    Crawl crawl(exam, "endless");
    int looks = 0;
    crawl.run(60, all, false, [&](const Exam::Sight& seen) {
      if (!seen.busy && !seen.server_is_busy) ++looks;
      return looks > long_stuck + 20 * all || seen.late;
    });
    if (crawl.result().given_up)
      fail("all of it had " + shown(all) + ", and 2 s later it still " +
           (crawl.idle() > stuck ? "waits for a page that is never answered"
                                 : "goes from page to page"));
    if (all < 4.8 && !crawl.has("/ OK")) continue;
    crawl.judge_requests();
    std::map<std::string, std::string> verdicts;
    for (const auto& line : crawl.out())
      if (const auto page = line.substr(0, line.find(' '));
          crawl.report().pages.count(page) && crawl.report().pages.at(page).answered > 0)
        verdicts[page] = "OK";
    return crawl.judge_lines(verdicts, {}, "out of time");
  }
}

}  // namespace

std::string links(Exam& exam) {
  const bool one_at_a_time = exam.exercise().chapter < "02";
  web(exam, one_at_a_time);
  if (!one_at_a_time) crowd(exam);
  if (!one_at_a_time) uneven(exam);
  interrupted(exam);
  deadline_for_each(exam);
  deadline_for_each_try(exam);
  deadline_for_all(exam);
  return std::string("21 pages once each, ") +
         (one_at_a_time ? "one at a time" : "8 in flight and 2 per host") +
         ", patient with the busy, done with the dead, and Ctrl-C loses nothing";
}
