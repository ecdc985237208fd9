// Fetches the URLs all at once: 01 with a child process per URL, as Python's multiprocessing does.
// Processes share no memory, so nothing needs a lock: the verdict comes home as an exit status.
// Only the parent prints to stdout; a child says the reason on stderr before it leaves.

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
std::map<pid_t, std::string> children;  // at work now, and the URL of each

// All that a child does.
[[noreturn]] void be_child(const std::string& url, pid_t parent) try {
  prctl(PR_SET_PDEATHSIG, SIGKILL);        // go when the parent goes, however it goes,
  if (getppid() != parent) std::_Exit(1);  // or went before that line
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
// Prints the verdicts of the children that have ended. With WNOHANG it waits for none,
// with 0 it waits for all.
void reap(int options) {
  int status = 0;
  for (pid_t child; !children.empty() && (child = waitpid(-1, &status, options)) > 0;) {
    const auto ended = children.extract(child);
    if (!ended) continue;  // it was there before this program, which replaced its parent
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
