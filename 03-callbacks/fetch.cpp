// Fetches the URLs all at once on one thread: an event loop calls back whoever has an answer.
// is_ok and fetch return before anything has happened. What they return is a Deferred, the promise
// of a result, and what used to stand below the call now stands in a callback.

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

#include "agent.hpp"
#include "deferred.hpp"
#include "reactor.hpp"

struct Verdict {
  bool ok;
  std::string reason;  // why not, in words for a person
};

int exit_status = 0;

// #region is_ok
// Whether `url` answers 200 and sends its whole body, over at most 10 redirects and within 10 s in
// all.
Deferred<Verdict> is_ok(const RedirectAgent& agent, const std::string& url) {
  return agent.get(url).add_callback([](const Response& response) {
    return Verdict{response.status == 200, "HTTP status " + std::to_string(response.status)};
  });
}
// #endregion is_ok

// #region print
// One line on stdout says the verdict; for a Bad one, one on stderr says why.
void print(const std::string& url, const Verdict& verdict) {
  if (!verdict.ok) {
    exit_status = 1;
    std::fprintf(stderr, "%s: %s\n", url.c_str(), verdict.reason.c_str());
  }
  const bool printed = std::printf("%s %s\n", url.c_str(), verdict.ok ? "OK" : "Bad") > 0;
  if (!printed || std::fflush(stdout) != 0) std::_Exit(1);  // stdout is closed: nobody reads on
}
// #endregion print

// #region fetch
Deferred<void> fetch(const RedirectAgent& agent, const std::string& url) {
  const auto print_verdict = [url](const Verdict& verdict) { print(url, verdict); };
  const auto print_bad = [url](const std::exception& error) { print(url, {false, error.what()}); };
  return is_ok(agent, url).add_callback(print_verdict).add_errback(print_bad);
}
// #endregion fetch

// #region main
int main(int argc, char* argv[]) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s URL...\n", argv[0]);
    return 2;
  }
  // Where stdout is closed, no socket is to take its place and be sent our lines.
  for (int fd = 0; fd != -1 && fd <= STDERR_FILENO;) fd = open("/dev/null", O_RDONLY);
  std::signal(SIGPIPE, SIG_IGN);

  const std::vector<std::string> urls(argv + 1, argv + argc);
  try {
    return react([&](Reactor& reactor) {
      const RedirectAgent agent{Agent(reactor)};
      std::vector<Deferred<void>> fetches;
      for (const auto& url : urls) fetches.push_back(fetch(agent, url));
      return gather(fetches).add_callback([](const auto&) { return exit_status; });
    });
  } catch (const std::exception& error) {  // no reactor to be had: too few open files
    for (const auto& url : urls) print(url, {false, error.what()});
    return exit_status;
  }
}
// #endregion main
