// Tests of the test helpers: an error that they miss, every other test would miss, too.

#include "process.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>

#include "catch.hpp"

namespace {

Result shell(const std::string& script, Process::Options options = {}) {
  return run({"sh", "-c", script}, options);
}

}  // namespace

TEST_CASE("process: output, errors and exit status are seen") {
  const Result result = shell("echo out; echo err >&2; exit 3");
  CHECK(result.out == "out\n");
  CHECK(result.err == "err\n");
  CHECK(result.status == 3);
  CHECK(result.orphans == 0);
  CHECK(!result.timed_out);
}

TEST_CASE("process: a signal is seen") { CHECK(shell("kill -SEGV $$").status == 128 + SIGSEGV); }

TEST_CASE("process: a program that does not exist is seen") {
  const Result result = run({"/no/such/program"});
  CHECK(result.status == 127);
  CHECK(result.err.find("No such file") != std::string::npos);
}

TEST_CASE("process: what go_on throws comes to the caller, and ends the program") {
  const auto refuse = [](pid_t, const Result&) -> bool {
    usleep(60'000);  // so that it is time for the next question at once
    throw std::runtime_error("enough");
  };
  CHECK_THROWS_WITH(shell("sleep 60", {.go_on = refuse}), "enough");
}

TEST_CASE("process: memory is seen") {
  const std::string script = "x=$(head -c 50000000 /dev/zero | tr '\\0' x); exit 0";
  CHECK(shell(script).peak_kib > 40'000);
  if (!sanitized) CHECK(shell("exit 0").peak_kib < 40'000);  // the fork of this program counts
}

TEST_CASE("process: what hangs is ended, with all its children") {
  const Result result = shell("sleep 100 & sleep 100", {.time_limit = std::chrono::seconds(1)});
  CHECK(result.timed_out);
  CHECK(result.status == 128 + SIGKILL);
}

TEST_CASE("process: what has ended in time may be asked late") {
  Process process({"echo", "in time"}, {.time_limit = std::chrono::seconds(-100)});
  siginfo_t info;
  REQUIRE(waitid(P_PID, id_t(process.pid()), &info, WEXITED | WNOWAIT) == 0);
  const Result result = process.finish();
  CHECK(!result.timed_out);
  CHECK(result.out == "in time\n");
}

TEST_CASE("process: children left behind are seen and ended") {
  CHECK(shell("true & exit 0").orphans == 1);
  const Result result = shell("sleep 100 & exit 0");
  CHECK(result.orphans == 1);
  CHECK(result.left_some);
}

TEST_CASE("process: no descriptor is inherited") {
  const int leaky = open("/dev/null", O_RDONLY);
  const Result result = shell("ls /proc/self/fd");
  close(leaky);
  CHECK(result.out == "0\n1\n2\n3\n");  // 3 is that of ls, to read the folder
}

TEST_CASE("process: a line can be had before the end, which stdin brings about") {
  Process process({"sh", "-c", "echo one; echo two; read end; echo three"});
  CHECK(process.read_line() == "one");
  CHECK(process.read_line() == "two");
  CHECK(process.finish().out == "three\n");
}

TEST_CASE("process: ended with its object") {
  pid_t pid = 0;
  {
    Process process({"sleep", "100"});
    pid = process.pid();
    CHECK(kill(pid, 0) == 0);
  }
  CHECK(kill(pid, 0) == -1);
}
