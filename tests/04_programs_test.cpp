// Chapter 04's programs from outside.

#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "fetchers.hpp"
#include "process.hpp"
#include "test_server.hpp"

namespace {

const std::string chapter = BUILD_DIR "/04-green-threads/";

// The probe's answer to `what`. `variant` may be "-hidden".
Result probe(const std::string& what, const std::string& variant = "") {
  return run({std::string(PROBE) + variant, what});
}

std::size_t count_tasks(pid_t pid) {
  const std::filesystem::directory_iterator tasks("/proc/" + std::to_string(pid) + "/task");
  return std::distance(begin(tasks), end(tasks));
}

// Once `count` requests are in the server together.
void await_in_flight(const Server& server, unsigned count) {
  for (int i = 0; i < 3000 && server.stats().in_flight < count; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  REQUIRE(server.stats().in_flight == count);
}

// Runs a command until it waits for a lock, for ever, or ends.
Result run_until_stuck(const Lines& command) {
  const std::string in_futex = std::to_string(SYS_futex) + " ";
  return run(command, {.go_on = [&](pid_t pid, const Result& so_far) {
               std::ifstream call("/proc/" + std::to_string(pid) + "/syscall");
               std::string text;
               std::getline(call, text);
               return so_far.out != "1 has it\n" || !text.starts_with(in_futex);
             }});
}

}  // namespace

TEST_CASE("04: both fetchers have all their requests in flight on one OS thread", "[04]") {
  const unsigned count = 200;
  for (const char* program : {"fetch", "fetch_httplib"}) {
    INFO(program);
    const Server server;
    Lines words{chapter + program};
    words.insert(words.end(), count, server.url("/delay/5"));
    Process process(words);
    await_in_flight(server, count);
    CHECK(count_tasks(process.pid()) == 1);
    process.signal(SIGKILL);
    process.finish();
  }
}

TEST_CASE("04: serve has all its requests in flight on one OS thread", "[04]") {
  Process serve({chapter + "serve", "0"});
  const std::string url = serve.read_line().substr(std::string("listening on ").size());
  const std::size_t count = sanitized ? 100 : 1000;
  Lines words{chapter + "fetch"};
  words.insert(words.end(), count, url + "/delay/2");
  const Result result = run(words);
  INFO(result.err.substr(0, 2000));  // why some are Bad
  CHECK(count_ok(result, Lines(words.begin() + 1, words.end())) == count);
  CHECK(count_tasks(serve.pid()) == 1);
  const std::string long_path(8000, '1');
  CHECK(run({chapter + "fetch", url + "/delay/" + long_path}).err.find("HTTP status 404") !=
        std::string::npos);
  serve.signal(SIGTERM);
  const Result end = serve.finish();
  CHECK(end.status == 0);
  CHECK(end.err == "");
}

TEST_CASE("04: serve stops at once when nothing is at work", "[04]") {
  for (const int signal : {SIGINT, SIGTERM}) {
    Process serve({chapter + "serve", "0"});
    serve.read_line();
    serve.signal(signal);
    const Result end = serve.finish();
    CHECK_FALSE(end.timed_out);
    CHECK(end.status == 0);
  }
}

TEST_CASE("04: serve tells that it cannot serve, and how to use it", "[04]") {
  Process serve({chapter + "serve", "0"});
  const std::string line = serve.read_line();
  const Result second = run({chapter + "serve", line.substr(line.rfind(':') + 1)});
  CHECK(second.status == 1);
  CHECK(second.err.find("cannot serve on port") != std::string::npos);
  serve.signal(SIGTERM);
  for (const char* port :
       {"x", "", "-1", "+1", " 80", "80x", "\xff", "65536", "4294967377", "99999999999999999999"}) {
    INFO(port);
    CHECK(run({chapter + "serve", port}, {.time_limit = std::chrono::seconds(10)}).status == 2);
  }
}

TEST_CASE("04: the coroutine says what it was sent, and nothing before it is started", "[04]") {
  const Result result = run({chapter + "echo"});
  CHECK(result.status == 0);
  CHECK(result.out ==
        "create it: nothing runs yet\n"
        "start it: it runs until it stops to be sent something\n"
        "  started\n"
        "send \"hello\"\n"
        "  received: hello\n"
        "send \"world\"\n"
        "  received: world\n"
        "send \"\"\n"
        "  ended\n"
        "it is over\n");
}

TEST_CASE("04: names that hang do not hold up the others", "[04]") {
  if (sanitized) return not_run("the sanitizers load no module");
  const Server server;
  const std::string port = server.url().substr(server.url().rfind(':'));
  Lines words{"env", "LD_PRELOAD=" NAMES, chapter + "fetch_httplib"}, expected;
  for (int i = 0; i < 200; ++i) {
    words.push_back("http://slow.test" + port + "/status/200?" + std::to_string(i));
    expected.push_back(words.back() + " Bad");
  }
  words.push_back("http://quick.test" + port + "/status/200");
  expected.push_back(words.back() + " OK");
  Process process(words);
  CHECK(process.read_line() == expected.back());
  expected.pop_back();
  const Result result = process.finish();
  CHECK(difference(lines(result.out), expected) == Lines());
  CHECK(lines(result.err).front().ends_with(": timed out after 10 s"));
}

TEST_CASE("04: names that hang are Bad at the deadline", "[04]") {
  if (sanitized) return not_run("the sanitizers load no module");
  Lines words{"env", "LD_PRELOAD=" NAMES, chapter + "fetch_httplib"}, urls;
  for (int i = 0; i < 100; ++i) urls.push_back("http://slow.test/?" + std::to_string(i));
  words.insert(words.end(), urls.begin(), urls.end());
  const Result result = run(words, {.time_limit = std::chrono::seconds(30)});
  CHECK_FALSE(result.timed_out);
  CHECK(difference(lines(result.err), each(urls, ": timed out after 10 s")) == Lines());
}

// The README says what the next four tests show. If one no longer holds, correct the README.
TEST_CASE("04: a std::mutex that another green thread has stops them all, for ever", "[04]") {
  const Result result = run_until_stuck({PROBE, "mutex"});
  CHECK(result.timed_out);
  CHECK(result.out == "1 has it\n");
}

TEST_CASE("04: a static that another green thread initializes stops them, or the program", "[04]") {
  const Result result = run_until_stuck({PROBE, "static"});
  CHECK((result.timed_out || result.status == 128 + SIGABRT));
  CHECK(result.out == "1 has it\n");
}

TEST_CASE("04: a patch of pthread_mutex_lock would help a std::mutex", "[04]") {
  if (sanitized) return not_run("the sanitizers load no module");
  CHECK(run({"env", "LD_PRELOAD=" GREEN_MUTEX, PROBE, "mutex"}).out ==
        "1 has it\n1 leaves it\n2 has it\n2 leaves it\n");
}

TEST_CASE("04: two green threads have a recursive mutex at once", "[04]") {
  CHECK(probe("recursive-mutex").out == "1 has it\n2 has it\n1 leaves it\n2 leaves it\n");
}

TEST_CASE("04: without patch_all() green threads do not take turns in libc's calls", "[04]") {
  CHECK(probe("patched").out == "a b a b ");
  CHECK(probe("unpatched").out == "a a b b ");
}

TEST_CASE("04: patch_all() tells that a hidden patch has no effect", "[04]") {
  const Result result = probe("patched", "-hidden");
  CHECK(result.status == 3);
  CHECK(result.out.find("patch_all") != std::string::npos);
  CHECK(result.out.find("visibility") != std::string::npos);
}

TEST_CASE("04: a green thread that overflows its stack dies of it", "[04]") {
  const Result result = probe("overflow");
  CHECK(result.status != 0);
  if (!sanitized) CHECK(result.status == 128 + SIGSEGV);
}

TEST_CASE("04: more green threads than the machine has memory maps for is an error", "[04]") {
  if (sanitized) return not_run("the sanitizers need maps themselves");
  const Result result = probe("many-stacks");
  CHECK(result.status == 0);
  CHECK(lines(result.out) ==
        Lines{"no stack for a green thread: Cannot allocate memory", "many", "one more"});
}

TEST_CASE("04: an exception that nobody joins is told", "[04]") {
  const Result result = probe("unjoined");
  CHECK(result.status == 0);
  CHECK(result.err == "a green thread ended with: nobody joins me\n");
}

TEST_CASE("04: a straggler is not unwound when the program ends", "[04]") {
  const Result result = probe("straggler");
  CHECK(result.status == 0);
  CHECK(result.out == "left behind\n");
}

// For a quiet machine, by hand: `unit-tests "[many]"`.
TEST_CASE("04: thousands at once", "[.][many]") {
  const Server server;
  for (const auto& [program, count] :
       {std::pair<const char*, unsigned>{"fetch", 4000}, {"fetch_httplib", 10'000}}) {
    Lines words{chapter + program};
    words.insert(words.end(), count, server.url("/delay/1"));
    CHECK(count_ok(run(words), Lines(words.begin() + 1, words.end())) == count);
  }
}
