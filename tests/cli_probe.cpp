// Chapter 01's cli, which all chapters share, in a program that loses URLs: each URL says what will
// happen to it.

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <stdexcept>
#include <thread>
#include <vector>

#include "../01-sync/cli.hpp"

namespace {

void use_up_memory() {
  const rlimit none{1, 1};
  setrlimit(RLIMIT_AS, &none);
  for (std::size_t size = 1 << 20; size >= 16;)
    if (!std::malloc(size)) size /= 2;
}

bool has_no_spare_file() {
  for (const int fd : {0, 1, 2})
    if (fcntl(fd, F_GETFD) == -1) return false;
  return fcntl(3, F_GETFD) == -1;
}

// Runs `work` in a child, and returns the child's exit status.
int in_child(void (*work)()) {
  const pid_t child = fork();
  if (child == 0) {
    work();
    std::exit(5);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Ends the program while threads print.
[[noreturn]] void race() {
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([] {
      for (;;) print("ok", {true, ""});
    });
  throw std::runtime_error("thrown");
}

void work(const std::string& url) {
  if (url == "ok") print(url, {true, ""});
  if (url == "bad") print(url, {false, "a reason"});
  if (url == "explained") explain(url, "a reason"), print(url, {false, ""});
  if (url == "again") print(url, {true, ""}), print(url, {true, ""}), print(url, {false, "again"});
  if (url == "throw") throw std::runtime_error("thrown");
  if (url == "throw-4") throw 4;
  if (url == "thread") std::jthread([] { throw std::runtime_error("thrown in a thread"); }).join();
  if (url == "race") race();
  if (url == "exit") std::exit(0);
  if (url == "no-memory") use_up_memory();
  if (url == "files") print(url, {has_no_spare_file(), "a file that nobody opened"});
  if (url == "child") print(url, {in_child([] {}) == 5, "the child printed"});
  if (url == "bad-child") print(url, {in_child([] { throw 4; }) == 128 + SIGABRT, "not aborted"});
}

}  // namespace

int main(int argc, char* argv[]) {
  for (const auto& url : arguments(argc, argv)) work(url);
  return exit_status;
}
