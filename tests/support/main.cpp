// The main program of all tests. It has a file of its own because it takes long to compile.

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_session.hpp>
#else
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
#endif

#include <sys/resource.h>

#include <algorithm>
#include <csignal>

// Many systems allow 1,024 open files at first, and more if a program asks.
static void allow_open_files(rlim_t count) {
  rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = std::max(limit.rlim_cur, std::min(limit.rlim_max, count));
  setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char* argv[]) {
  std::signal(SIGPIPE, SIG_IGN);  // a peer that has gone is for a test to see
  allow_open_files(20'000);
  return Catch::Session().run(argc, argv);
}
