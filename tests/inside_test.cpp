// What the view from inside says about a fetcher: where threads sleep, and which URL they work for.
// It uses logs of strace from inside/logs, and strace itself where that is permitted.

#include <algorithm>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include "catch.hpp"
#include "fetchers.hpp"
#include "folder.hpp"
#include "inside/picture.hpp"
#include "test_server.hpp"

namespace {

using inside::Micros;
using std::chrono::milliseconds;

const Lines sites{"http://127.0.0.1:8080/twitter", "http://127.0.0.1:8080/google",
                  "http://127.0.0.1:8080/yahoo", "http://127.0.0.1:8080/facebook"};
const std::vector<std::size_t> all_four{0, 1, 2, 3};

std::string log_file(const std::string& chapter) {
  return ROOT_DIR "/tests/inside/logs/" + chapter + ".log";
}

std::string log_of(const std::string& chapter) {
  std::ifstream in(log_file(chapter));
  std::string log{std::istreambuf_iterator<char>(in), {}};
  REQUIRE(log != "");
  return log;
}

inside::Subject subject(const std::string& chapter) {
  return {chapter, inside::lanes(inside::parse(log_of(chapter)), sites), 6 * 1024};
}

// The calls that a lane ever sleeps in.
std::set<std::string> calls(const inside::Lane& lane) {
  std::set<std::string> all;
  for (const auto& span : lane.spans)
    if (!span.asleep.empty()) all.insert(span.asleep);
  return all;
}

bool has_no_gaps(const inside::Lane& lane) {
  for (std::size_t i = 1; i < lane.spans.size(); ++i)
    if (lane.spans[i].from != lane.spans[i - 1].to) return false;
  return std::all_of(lane.spans.begin(), lane.spans.end(),
                     [](const inside::Span& span) { return span.from < span.to; });
}

// A log of lines, each of which has its thread and its time in milliseconds before it.
std::string log_of(std::initializer_list<const char*> lines) {
  std::string log;
  for (const std::string line : lines) {
    const auto thread = line.find(' '), time = line.find(' ', thread + 1);
    const int at = std::stoi(line.substr(thread));
    char seconds[20];
    std::snprintf(seconds, sizeof seconds, "%d.%03d000", 1700000000 + at / 1000, at % 1000);
    log += line.substr(0, thread) + ' ' + seconds + line.substr(time) + '\n';
  }
  return log;
}

std::string complaint(const std::string& log) {
  try {
    inside::parse(log);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

const char start[] = "1 0 execve(\"fetch\", [\"fetch\"], 0x7 /* 9 vars */) = 0 <0.000100>";
const char end[] = "1 900 +++ exited with 0 +++";

Lines tool(const Lines& arguments) {
  Lines all{BUILD_DIR "/tests/inside/inside"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return all;
}

// Draws chapters that fetch the sites of a server here, or tells why that cannot be.
std::string draw_live(const Lines& chapters) {
  const Server server;
  Lines arguments{"--ascii"};
  arguments.insert(arguments.end(), chapters.begin(), chapters.end());
  arguments.push_back("--");
  for (const char* site : {"/twitter", "/google", "/yahoo", "/facebook"})
    arguments.push_back(server.url(site));
  const Result result = run(tool(arguments));
  if (result.status == 3) {
    not_run(result.err);
    return "";
  }
  INFO(result.err);
  CHECK(result.status == 0);
  CHECK(result.orphans == 0);
  CHECK(server.stats().requests == 5 * chapters.size());
  return result.out;
}

// The lanes of a text: the digits in each, which are those of URLs.
std::vector<std::set<char>> digits_of_lanes(const std::string& text) {
  static const std::regex lane("  (main|thread \\d+) +(.*)");
  std::vector<std::set<char>> all;
  std::smatch match;
  for (const auto& line : lines(text)) {
    if (!std::regex_match(line, match, lane)) continue;
    all.emplace_back();
    for (const char c : match[2].str())
      if (c >= '0' && c <= '9') all.back().insert(c);
  }
  return all;
}

}  // namespace

TEST_CASE("inside: calls, as strace writes them") {
  const auto trace = inside::parse(log_of(
      {start, "1 1 socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 7 <0.000020>",
       "1 2 sendto(7, \"GET /a HTTP/1.1\\r\\n\\\"\\\\\\1\\177x)\", 95, 0, NULL, 0) = 95 <0.000010>",
       "1 3 poll([{fd=7, events=POLLIN}, {fd=4, events=POLLIN}], 2, 1000 <unfinished ...>",
       "2 4 futex(0x7f, FUTEX_WAIT, 2, NULL <unfinished ...>",
       "1 5 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED} ---",
       "1 53 <... poll resumed>) = 1 ([{fd=7, revents=POLLIN}]) <0.050000>",
       "1 54 recvfrom(7, \"\"..., 16384, 0, NULL, NULL) = -1 EAGAIN (Resource) <0.000003>",
       "1 55 exit_group(0)       = ?", "2 56 +++ exited with 0 +++", end}));
  REQUIRE(trace.calls.size() == 7);
  CHECK(trace.calls[1].name == "socket");
  CHECK(trace.calls[1].arguments == Lines{"AF_INET", "SOCK_STREAM", "IPPROTO_TCP"});
  CHECK(trace.calls[1].result == 7);
  CHECK(trace.calls[2].bytes() == "GET /a HTTP/1.1\r\n\"\\\1\177x)");
  CHECK(trace.calls[2].descriptors() == std::vector<int>{7});
  CHECK(trace.calls[3].name == "poll");
  CHECK(trace.calls[3].descriptors() == std::vector<int>{7, 4});
  CHECK(trace.calls[3].from == milliseconds(3));
  CHECK(trace.calls[3].to == milliseconds(53));
  CHECK(trace.calls[4].name == "futex");  // it never came back
  CHECK(trace.calls[4].to == milliseconds(56));
  CHECK(trace.calls[5].result == -1);
  CHECK(!trace.calls[6].result);
  CHECK(trace.end == milliseconds(900));
}

TEST_CASE("inside: a file that is not a whole log of strace is refused") {
  CHECK(complaint("") == "strace saw no calls");
  CHECK(complaint("\n\n") == "strace saw no calls");
  CHECK(complaint("Hello, world") == "line 1: not a line of strace -f -ttt: Hello, world");
  CHECK(complaint("1 17:30:01 read(3) = 0") ==
        "line 1: not a line of strace -f -ttt: 1 17:30:01 read(3) = 0");
  CHECK(complaint(log_of({start})) == "line 1: the log breaks off before the program's end");
  CHECK(complaint(log_of({start, "1 1 read(3, \"abc", end})) == "line 2: a call without an end");
  CHECK(complaint(log_of({start, "1 1 read(3, \"\", 1)", end})) ==
        "line 2: a call without a result");
  CHECK(complaint(log_of({start, "1 1 (3)", end})) == "line 2: no call");
  CHECK(complaint(log_of({start, "1 1 read(3 <unfinished ...>", "1 2 <... poll resumed>) = 0",
                          end})) == "line 3: poll ends, but it was read that began");
  CHECK(complaint(log_of({start, "1 9 +++ killed by SIGSEGV (core dumped) +++"})) ==
        "line 2: the program was killed by SIGSEGV");
  const std::string whole = log_of("02-threads");
  for (std::size_t size = 0; size < whole.size() - 30; size += 97)
    CHECK(complaint(whole.substr(0, size)) != "");
}

TEST_CASE("inside: 01, one thread that waits for one URL at a time") {
  const auto all = subject("01-sync").inside;
  REQUIRE(all.lanes.size() == 1);
  CHECK(has_no_gaps(all.lanes[0]));
  CHECK(all.lanes[0].owners() == all_four);
  CHECK(calls(all.lanes[0]) == std::set<std::string>{"poll"});
  CHECK(all.most_at_once() == 1);
  std::size_t last = 0;
  for (const auto& span : all.lanes[0].spans) {
    REQUIRE(span.owner);
    CHECK(*span.owner >= last);
    last = *span.owner;
  }
}

TEST_CASE("inside: 02, a thread for each URL, and one that waits for them") {
  const auto all = subject("02-threads").inside;
  REQUIRE(all.lanes.size() == 5);
  CHECK(all.lanes[0].owners().empty());
  CHECK(calls(all.lanes[0]) == std::set<std::string>{"futex"});
  for (std::size_t i = 1; i < 5; ++i) {
    CHECK(has_no_gaps(all.lanes[i]));
    CHECK(all.lanes[i].owners() == std::vector<std::size_t>{i - 1});
    CHECK(calls(all.lanes[i]) == std::set<std::string>{"poll"});
    for (const auto& span : all.lanes[i].spans) CHECK(span.owner == i - 1);
  }
  CHECK(all.most_at_once() == 4);
}

TEST_CASE("inside: 03 to 05, one thread that sleeps in one place for all URLs") {
  for (const char* chapter : {"03-callbacks", "04-green-threads", "05-coroutines"}) {
    INFO(chapter);
    const auto all = subject(chapter).inside;
    REQUIRE(all.lanes.size() == 1);
    CHECK(has_no_gaps(all.lanes[0]));
    CHECK(all.lanes[0].owners() == all_four);
    CHECK(calls(all.lanes[0]) == std::set<std::string>{"epoll_wait"});
    CHECK(all.most_at_once() == 4);
    // The times of the test server: from the first call to the line on stdout.
    const int took[] = {1000, 250, 750, 500};
    for (std::size_t i = 0; i < 4; ++i) {
      REQUIRE(all.lives[i]);
      CHECK(all.lives[i]->to - all.lives[i]->from >= milliseconds(took[i]));
      CHECK(all.lives[i]->to - all.lives[i]->from < milliseconds(took[i] + 50));
    }
  }
}

TEST_CASE("inside: to sleep is to wait, and not to take long") {
  const auto slept = [](const char* call) {
    const std::string line = std::string("1 1 ") + call;
    return !calls(inside::lanes(inside::parse(log_of({start, line.c_str(), end})), {}).lanes.at(0))
                .empty();
  };
  CHECK(slept("poll([{fd=7, events=POLLIN}], 1, 1000) = 0 (Timeout) <0.050000>"));
  CHECK(!slept("poll([{fd=7, events=POLLIN}], 1, 0) = 0 (Timeout) <0.050000>"));
  CHECK(!slept("poll([{fd=7, events=POLLIN}], 1, 1000) = 1 ([{fd=7}]) <0.000050>"));
  CHECK(slept("ppoll([{fd=7}], 1, {tv_sec=1, tv_nsec=0}, NULL, 8) = 0 (Timeout) <0.050000>"));
  CHECK(!slept("ppoll([{fd=7}], 1, {tv_sec=0, tv_nsec=0}, NULL, 8) = 0 (Timeout) <0.050000>"));
  CHECK(slept("epoll_wait(5, [], 128, -1) = 0 <0.050000>"));
  CHECK(!slept("epoll_wait(5, [], 128, 0) = 0 <0.050000>"));
  CHECK(slept("epoll_pwait2(5, [], 128, NULL, NULL, 8) = 0 <0.050000>"));
  CHECK(slept("select(8, [7], [], [], {tv_sec=0, tv_usec=9}) = 0 (Timeout) <0.050000>"));
  CHECK(!slept("select(8, [7], [], [], {tv_sec=0, tv_usec=0}) = 0 (Timeout) <0.050000>"));
  CHECK(slept("futex(0x7f, FUTEX_WAIT_BITSET|FUTEX_CLOCK_REALTIME, 9, NULL) = 0 <0.050000>"));
  CHECK(!slept("futex(0x7f, FUTEX_WAKE_PRIVATE, 1) = 0 <0.050000>"));
  CHECK(slept("recvfrom(7, \"\", 16384, 0, NULL, NULL) = 0 <0.050000>"));
  CHECK(!slept("recvfrom(7, \"\", 16384, 0, NULL, NULL) = 0 <0.002000>"));
  CHECK(!slept("socket(AF_INET, SOCK_STREAM, 0) = 7 <0.050000>"));
}

TEST_CASE("inside: a redirect is its first URL's, on another connection as well") {
  const auto of = [](const char* location, const char* host, const char* target) {
    const std::string answer =
        "1 4 recvfrom(7, \"HTTP/1.1 302 Found\\r\\nLOCATION: " + std::string(location) +
        "\\r\\n\\r\\n\", 512, 0, NULL, NULL) = 60 <0.000010>";
    const std::string request = "1 6 sendto(7, \"GET " + std::string(target) +
                                " HTTP/1.1\\r\\nHost: " + host +
                                "\\r\\n\\r\\n\", 95, 0, NULL, 0) = 95 <0.000010>";
    const Lines urls{"http://x:1/b", "http://x:1/a"};
    const auto all = inside::lanes(
        inside::parse(log_of(
            {start, "1 1 socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 7 <0.000020>",
             "1 2 sendto(7, \"GET /a HTTP/1.1\\r\\nHost: x:1\\r\\n\\r\\n\", 95, 0) = 95 <0.000010>",
             answer.c_str(), "1 5 close(7) = 0 <0.000010>",
             "1 5 socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 7 <0.000010>", request.c_str(),
             end})),
        urls);
    REQUIRE(all.lanes.size() == 1);
    return all.lanes[0].owners();
  };
  using Owners = std::vector<std::size_t>;
  CHECK(of("/c", "x:1", "/c") == Owners{1});
  CHECK(of("http://y:2/c", "y:2", "/c") == Owners{1});
  CHECK(of("/b", "x:1", "/b") == Owners{1});        // though a URL is called that
  CHECK(of("/c", "x:1", "/b") == Owners{0, 1});     // no redirect: it is the other URL
  CHECK(of("/c", "elsewhere", "/x") == Owners{1});  // whose is not known
}

TEST_CASE("inside: URLs given twice are two") {
  const char send[] =
      "sendto(7, \"GET /a HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n\", 95, 0) = 95 <0.001000>";
  const std::string first = "1 2 " + std::string(send), second = "1 7 " + std::string(send);
  const auto all = inside::lanes(
      inside::parse(log_of({start, "1 1 socket(AF_INET, SOCK_STREAM, 0) = 7 <0.000020>",
                            first.c_str(), "1 4 write(1, \"http://x/a OK\\n\", 14) = 14 <0.000010>",
                            "1 5 close(7) = 0 <0.000010>",
                            "1 6 socket(AF_INET, SOCK_STREAM, 0) = 7 <0.000020>", second.c_str(),
                            "1 9 write(1, \"http://x/a Bad\\n\", 15) = 15 <0.000010>", end})),
      {"http://x/a", "http://x/a", "http://x/never"});
  REQUIRE(all.lives[0]);
  REQUIRE(all.lives[1]);
  CHECK(!all.lives[2]);
  CHECK(all.lives[0]->to < all.lives[1]->from);
  CHECK(all.lives[1]->to == Micros(8010));  // since the first: its own verdict is its end
  CHECK(all.most_at_once() == 1);
}

TEST_CASE("inside: what uses a descriptor after its socket is closed is nobody's") {
  const auto all = inside::lanes(
      inside::parse(log_of(
          {start, "1 1 socket(AF_INET, SOCK_STREAM, 0) = 7 <0.000020>",
           "1 2 sendto(7, \"GET /a HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n\", 95, 0) = 95 <0.001000>",
           "1 5 close(7) = 0 <0.000010>", "1 700 read(7, \"file\", 4096) = 4 <0.000010>", end})),
      {"http://x/a"});
  REQUIRE(all.lives[0]);
  CHECK(all.lives[0]->to < milliseconds(10));
}

TEST_CASE("inside: https is told by the host's name in the first message") {
  const auto all = inside::lanes(
      inside::parse(
          log_of({start, "1 1 socket(AF_INET, SOCK_STREAM, 0) = 7 <0.000020>",
                  "1 2 write(7, \"\\26\\3\\1\\2\\0one.example\\0\", 20) = 20 <0.000010>",
                  "1 3 socket(AF_INET, SOCK_STREAM, 0) = 8 <0.000020>",
                  "1 4 write(8, \"\\26\\3\\1\\2\\0two.example\\0\", 20) = 20 <0.000010>", end})),
      {"https://two.example/", "https://one.example:444/x"});
  REQUIRE(all.lives[0]);
  REQUIRE(all.lives[1]);
  CHECK(all.lives[1]->from < all.lives[0]->from);
}

TEST_CASE("inside: the five models, as text") {
  const auto shown = [](const std::string& chapter, std::size_t width) {
    return inside::text({subject(chapter)}, sites, milliseconds(2000), {width, true, false});
  };
  CHECK(shown("02-threads", 62) ==
        "            0 s         0.5          1.0         1.5\n"
        "            |           |            |           |\n"
        "02-threads: 5 threads, asleep 99 % of 1.01 s, 6.0 MB at most\n"
        "  main      #.futex..................#\n"
        "  thread 2  1....1.poll..............1\n"
        "  thread 3  2....222 poll\n"
        "  thread 4  3....3.poll........3\n"
        "  thread 5  4....44.poll.4\n"
        "  Seen: 4 URLs wait at once, with 4 stacks besides main's.\n"
        "\n"
        ". asleep; awake for 1 /twitter 2 /google 3 /yahoo 4 /facebook\n");
  CHECK(shown("03-callbacks", 62) ==
        "            0 s         0.5          1.0         1.5\n"
        "            |           |            |           |\n"
        "03-callbacks: 1 thread, asleep 99 % of 1.00 s, 6.0 MB at most\n"
        "  main      1234..2......4.....3.....1 epoll_wait\n"
        "  Seen: 4 URLs wait at once, with no stack besides main's.\n"
        "  Known from the source: each is a Deferred, a chain of callbacks.\n"
        "  /twitter  1>o>o>o>o>o>o>o>o>o>o>o>o\n"
        "  /google   2>o>o>\n"
        "  /yahoo    3>o>o>o>o>o>o>o>o>o\n"
        "  /facebook 4>o>o>o>o>o>o\n"
        "\n"
        ". asleep; awake for 1 /twitter 2 /google 3 /yahoo 4 /facebook\n");
}

TEST_CASE("inside: stacks are seen, and what is not seen is said to be known from the source") {
  const auto stacks = [](const char* chapter) { return subject(chapter).inside.stacks; };
  CHECK(stacks("01-sync") == 0);
  CHECK(stacks("02-threads") == 4);
  CHECK(stacks("03-callbacks") == 0);
  CHECK(stacks("04-green-threads") == 4);
  CHECK(stacks("05-coroutines") == 0);
  // The same run by another name: what is seen does not depend on the chapter.
  const auto renamed = [](const char* chapter, const char* name) {
    auto it = subject(chapter);
    it.chapter = name;
    return inside::text({it}, sites, {}, {80, true, false});
  };
  const auto shows = [](const std::string& text, const char* part) {
    INFO(text);
    return text.find(part) != std::string::npos;
  };
  CHECK(shows(renamed("04-green-threads", "99-other"), "with 4 stacks besides main's."));
  CHECK(shows(renamed("04-green-threads", "99-other"), "/google   2====="));
  CHECK(shows(renamed("02-threads", "03-callbacks"), "with 4 stacks besides main's."));
  CHECK(shows(renamed("03-callbacks", "99-other"), "4 URLs wait at once, with no stack"));
  CHECK(!shows(renamed("03-callbacks", "99-other"), "Known from the source"));
  CHECK(!shows(renamed("02-threads", "02-threads"), "Known from the source"));
  CHECK(
      shows(renamed("01-sync", "01-sync"), "1 URL waits at a time, with no stack besides main's."));
}

TEST_CASE("inside: no line of text is wider than it may be, and the marks stay in sight") {
  for (const bool ascii : {false, true})
    for (const std::size_t width : {60, 80, 200}) {
      std::vector<inside::Subject> all;
      for (const char* chapter :
           {"01-sync", "02-threads", "03-callbacks", "04-green-threads", "05-coroutines"})
        all.push_back(subject(chapter));
      const std::string text = inside::text(all, sites, {}, {width, ascii, false});
      for (const auto& line : lines(text)) {
        INFO(line);
        const auto letters =
            std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xC0) != 0x80; });
        CHECK(std::size_t(letters) <= std::max<std::size_t>(width, 80));
        if (ascii) CHECK(letters == std::ptrdiff_t(line.size()));
      }
      const auto digits = digits_of_lanes(text);
      REQUIRE(digits.size() == 9);
      const std::set<char> four{'1', '2', '3', '4'};
      CHECK(digits[0] == four);
      CHECK(digits[1].empty());
      for (char i = 0; i < 4; ++i) CHECK(digits[2 + i] == std::set<char>{char('1' + i)});
      for (int i = 6; i < 9; ++i) CHECK(digits[i] == four);
    }
}

TEST_CASE("inside: as SVG, short turns are wide enough to be seen") {
  for (const char* chapter : {"02-threads", "03-callbacks", "04-green-threads"}) {
    const std::string svg = inside::svg({subject(chapter)}, sites, milliseconds(2600));
    CHECK(svg.find("<title>" + std::string(chapter) + ": ") != std::string::npos);
    static const std::regex mark("<rect class='a\\d?' x='([0-9.]+)' y='[0-9.]+' width='([0-9.]+)'");
    std::size_t count = 0;
    for (std::sregex_iterator at(svg.begin(), svg.end(), mark), last; at != last; ++at, ++count) {
      CHECK(std::stod((*at)[2]) >= 3);
      CHECK(std::stod((*at)[1]) + std::stod((*at)[2]) < 900);
    }
    CHECK(count > 8);
    CHECK(svg.substr(svg.size() - 7) == "</svg>\n");
  }
}

TEST_CASE("inside: what a URL says breaks no picture") {
  const Lines urls{"<b>&\"'\n\xff", "http://x/<script>"};
  const auto all = inside::lanes(inside::parse(log_of({start, end})), urls);
  const std::string svg = inside::svg({{"05-coroutines", all, 0}}, urls);
  CHECK(svg.find("<b>") == std::string::npos);
  CHECK(svg.find("<script>") == std::string::npos);
  for (const char c : svg) CHECK((c == '\n' || (c >= ' ' && c <= '~')));
  CHECK(inside::text({{"05-coroutines", all, 0}}, urls, {}, {80, true, false}).find('\xff') ==
        std::string::npos);
}

TEST_CASE("inside: a URL by the thousand") {
  std::string log = log_of({start});
  Lines urls;
  for (int i = 0; i < 3000; ++i) {
    const std::string n = std::to_string(i), fd = std::to_string(i + 5);
    const std::string open = "1 1 socket(AF_INET, SOCK_STREAM, 0) = " + fd + " <0.000020>";
    const std::string send = "1 2 sendto(" + fd + ", \"GET /" + n +
                             " HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n\", 95, 0) = 95 <0.000010>";
    log += log_of({open.c_str(), send.c_str()});
    urls.push_back("http://x/" + n);
  }
  log += log_of({end});
  const auto all = inside::lanes(inside::parse(log), urls);
  CHECK(all.most_at_once() == 3000);
  const std::string svg = inside::svg({{"05-coroutines", all, 0}}, urls);
  CHECK(svg.size() < 200'000);
  CHECK(svg.find(">100 of 3,000 URLs</text>") != std::string::npos);
  CHECK(lines(inside::text({{"05-coroutines", all, 0}}, urls)).size() < 50);
}

TEST_CASE("inside: a turn for many URLs does not push away what comes behind") {
  std::string log = log_of({start});
  Lines urls;
  for (int i = 0; i < 200; ++i) {
    const std::string n = std::to_string(i), fd = std::to_string(i + 5);
    const std::string open = "1 " + n + " socket(AF_INET, SOCK_STREAM, 0) = " + fd + " <0.000000>";
    const std::string send = "1 " + n + " sendto(" + fd + ", \"GET /" + n +
                             " HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n\", 95, 0) = 95 <0.000001>";
    log += log_of({open.c_str(), send.c_str()});
    urls.push_back("http://x/" + n);
  }
  log += log_of({"1 200 epoll_wait(4, [], 128, -1) = 1 <49.8>",
                 "1 50000 recvfrom(5, \"HTTP/1.1 200 OK\", 512, 0, NULL, NULL) = 60 <0.000010>",
                 "1 99000 +++ exited with 0 +++"});
  const auto all = inside::lanes(inside::parse(log), urls);
  const std::string text = inside::text({{"05-coroutines", all, 0}}, urls, {}, {80, true, false});
  INFO(text);
  CHECK(std::regex_search(text, std::regex("\n  main  .{0,20}\\.epoll_wait\\.{10,}1")));
  const std::string svg = inside::svg({{"05-coroutines", all, 0}}, urls);
  static const std::regex mark("<rect class='a\\d?' x='([0-9.]+)'");
  for (std::sregex_iterator at(svg.begin(), svg.end(), mark), last; at != last; ++at)
    CHECK(std::stod((*at)[1]) < 700);
}

TEST_CASE("inside: the tool draws a log") {
  const Folder folder;
  const std::string picture = folder.path() / "a.svg";
  Lines arguments{"--log", log_file("02-threads"), "--svg", picture, "--ascii", "02-threads", "--"};
  arguments.insert(arguments.end(), sites.begin(), sites.end());
  const Result result = run(tool(arguments));
  CHECK(result.status == 0);
  CHECK(result.err == "");
  CHECK(digits_of_lanes(result.out).size() == 5);
  CHECK(std::filesystem::file_size(picture) > 1000);
}

TEST_CASE("inside: the tool says what is wrong") {
  const Folder folder;
  const auto says = [](const Lines& arguments, int status, const std::string& part) {
    const Result result = run(tool(arguments));
    INFO(result.err);
    CHECK(result.status == status);
    CHECK(result.out == "");
    CHECK(result.err.rfind("inside: ", 0) == 0);
    CHECK(result.err.find(part) != std::string::npos);
  };
  says({}, 2, "of which chapter?");
  says({"02-threads"}, 2, "which URLs?");
  says({"--frame", "02-threads", "--", "x"}, 2, "no such option");
  says({"--span", "x", "02-threads", "--", "x"}, 2, "--span takes seconds");
  says({"06-actors", "--", "x"}, 1, "06-actors/fetch is not there");
  says({"--log", folder.path() / "no", "02-threads", "--", "x"}, 1, "cannot read");
  says({"--log", folder.write("empty", ""), "02-threads", "--", "x"}, 1, "strace saw no calls");
  says({"--log", folder.write("text", "Hello\n"), "02-threads", "--", "x"}, 1,
       "what strace wrote of 02-threads cannot be read: line 1: not a line of strace");
  // Where strace is not there, or may not look into programs.
  says({"--strace", folder.path() / "no", "02-threads", "--", "x"}, 3, "no is not there");
  const auto forbidden = folder.write(
      "strace",
      "#!/bin/sh\necho 'strace: ptrace(PTRACE_SEIZE, 7): Operation not permitted' >&2\nexit 1\n");
  std::filesystem::permissions(forbidden, std::filesystem::perms::owner_all);
  says({"--strace", forbidden, "02-threads", "--", "x"}, 3,
       "strace: ptrace(PTRACE_SEIZE, 7): Operation not permitted");
  says({"--log", log_file("02-threads"), "--svg", folder.path() / "no" / "a.svg", "--quiet",
        "02-threads", "--", "x"},
       1, "cannot write");
}

TEST_CASE("inside: looked into here, 02 is four workers of one URL each, 03 one of all four") {
  if (sanitized) return not_run("the sanitizers' own threads would have lanes, too");
  const std::string threads = draw_live({"02-threads"});
  if (threads.empty()) return;
  INFO(threads);
  const auto workers = digits_of_lanes(threads);
  REQUIRE(workers.size() == 5);
  CHECK(workers[0].empty());
  CHECK(std::regex_search(threads, std::regex("\n  main .*futex")));
  for (char i = 0; i < 4; ++i) CHECK(workers[1 + i] == std::set<char>{char('1' + i)});
  const std::string callbacks = draw_live({"03-callbacks"});
  INFO(callbacks);
  const auto lanes = digits_of_lanes(callbacks);
  REQUIRE(lanes.size() == 1);
  CHECK(lanes[0] == std::set<char>{'1', '2', '3', '4'});
  CHECK(callbacks.find("epoll_wait") != std::string::npos);
  CHECK(std::regex_search(callbacks,
                          std::regex("1 thread, asleep \\d+ % of [0-9.]+ s, [0-9.]+ MB at most")));
}
