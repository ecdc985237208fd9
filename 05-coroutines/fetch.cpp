// Fetches the URLs all at once: 01 with `co_await`. A fetch that waits is a coroutine suspended,
// not a thread blocked; one thread runs them all, so nothing that they share needs a lock.

#include <fcntl.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "http_get.hpp"

namespace asio = boost::asio;

struct Verdict {
  bool ok;
  std::string reason;  // why not, in words for a person
};

int exit_status = 0;

// #region is_ok
// Whether `url` answers 200 and sends its whole body, over at most 10 redirects and within 10 s in
// all.
awaitable<Verdict> is_ok(std::string url) {
  const Response response = co_await http_get(std::move(url));
  co_return Verdict{response.status == 200, "HTTP status " + std::to_string(response.status)};
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
awaitable<void> fetch(std::string url) try {
  print(url, co_await is_ok(url));
} catch (const std::exception& error) {
  print(url, {false, error.what()});
}
// #endregion fetch

// #region main
int main(int argc, char* argv[]) try {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s URL...\n", argv[0]);
    return 2;
  }
  // Where stdout is closed, no socket is to take its place and be sent our lines.
  for (int fd = 0; fd != -1 && fd <= STDERR_FILENO;) fd = open("/dev/null", O_RDONLY);
  std::signal(SIGPIPE, SIG_IGN);

  const std::vector<std::string> urls(argv + 1, argv + argc);
  static auto& loop = *new asio::io_context(1);  // never destroyed: a name lookup may outlast main
  // #region wait
  std::vector<bool> done(urls.size());
  auto running = urls.size();
  for (std::size_t i = 0; i < urls.size(); ++i)
    co_spawn(loop, fetch(urls[i]), [&, i](std::exception_ptr) {
      done[i] = true;
      if (--running == 0) loop.stop();
    });
  while (!loop.stopped()) try {
      loop.run();
    } catch (const std::bad_alloc&) {  // an operation could not begin: its coroutine is gone
    }
  // #endregion wait
  for (std::size_t i = 0; i < urls.size(); ++i)
    if (!done[i]) print(urls[i], {false, "out of memory"});
  return exit_status;
} catch (const std::exception& error) {  // no loop to be had: too few open files
  for (int i = 1; i < argc; ++i) print(argv[i], {false, error.what()});
  return exit_status;
}
// #endregion main
