// Fetches all URLs at once: chapter 01 with a child process per URL, like Python's multiprocessing.
// Processes share no memory, so nothing needs a lock. The exit status of a child is its verdict.
// Only the parent prints to stdout. A child prints the reason to stderr before it exits.

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <map>
#include <string>
#include <system_error>

#include "cli.hpp"
#include "http_get.hpp"

Verdict is_ok(const std::string& url) {
  const Response response = http_get(url);
  return {response.status == 200, "HTTP status " + std::to_string(response.status)};
}

// #region fetch
std::map<pid_t, std::string> children;  // those that are running, and the URL of each

// Everything that a child does.
[[noreturn]] void be_child(const std::string& url, pid_t parent) try {
  prctl(PR_SET_PDEATHSIG, SIGKILL);        // end when the parent ends, in whatever way,
  if (getppid() != parent) std::_Exit(1);  // or if it ended before that line
  const auto [ok, reason] = is_ok(url);
  if (!ok) explain(url, reason);
  std::_Exit(ok ? 0 : 1);
} catch (const std::exception& error) {
  explain(url, error.what());
  std::_Exit(1);
}

void fetch(const std::string& url) try {
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) be_child(url, parent);
  if (child == -1) throw std::system_error(errno, std::system_category(), "out of processes");
  children.emplace(child, url);
} catch (const std::exception& error) {
  print(url, error);
}
// #endregion fetch

// #region reap
// Prints the verdicts of the children that have ended. With WNOHANG it waits for none of them,
// with 0 for all of them.
void reap(int options) {
  int status = 0;
  for (pid_t child; !children.empty() && (child = waitpid(-1, &status, options)) > 0;) {
    const auto ended = children.extract(child);
    if (!ended) continue;  // not ours: a child of the program that exec'ed this one
    const std::string& url = ended.mapped();
    if (WIFSIGNALED(status)) {
      print(url, {false, std::string("died of: ") + strsignal(WTERMSIG(status))});
    } else {
      print(url, {WEXITSTATUS(status) == 0, ""});  // the child has explained it
    }
  }
}
// #endregion reap

int main(int argc, char* argv[]) {
  const auto urls = arguments(argc, argv);
  std::signal(SIGCHLD, SIG_DFL);
  for (const auto& url : urls) {
    fetch(url);
    reap(WNOHANG);
  }
  reap(0);
  return exit_status;
}
