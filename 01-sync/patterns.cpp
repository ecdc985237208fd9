// Problems of every network program, as far as a program that does one thing at a time can solve
// them. A pipe replaces the server. ../05-coroutines/patterns.md shows the other models.

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>

using namespace std::chrono_literals;

// A server that never answers.
int silent_server() {
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("no pipe");
  return ends[0];
}

// #region ask
// Waits for an answer, for at most `limit`, and throws if there is none. The blocking call itself
// must know the deadline, because nothing else can end it.
std::string ask(int server, std::chrono::seconds limit) {
  pollfd wanted{server, POLLIN, 0};
  const timespec time{limit.count(), 0};
  sigset_t none;
  sigemptyset(&none);
  const int ready = ppoll(&wanted, 1, &time, &none);  // only here a signal can arrive
  if (ready == -1 && errno == EINTR) throw std::runtime_error("cancelled");
  if (ready == 0) throw std::runtime_error("timed out");
  char answer[100];
  const ssize_t size = read(server, answer, sizeof answer);
  if (size == -1) throw std::system_error(errno, std::generic_category(), "read");
  return std::string(answer, std::size_t(size));
}
// #endregion ask

void say(const char* what, const std::string& how) { std::printf("%s: %s\n", what, how.c_str()); }

// #region deadline
void deadline() try {
  say("deadline", ask(silent_server(), 1s));
} catch (const std::exception& error) {
  say("deadline", error.what());
}
// #endregion deadline

// #region retry
struct Busy : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Only a server that is busy is asked again. Any other error ends it.
std::string retry(const std::function<std::string()>& attempt) {
  for (auto pause = 10ms;; pause *= 2) try {
      return attempt();
    } catch (const Busy&) {
      if (pause > 1s) throw;
      std::this_thread::sleep_for(pause);
    }
}
// #endregion retry

// #region interrupt
// A signal with a handler ends ppoll with EINTR. It is blocked everywhere else. Otherwise it could
// arrive just before ppoll, which would then go on waiting.
void until_interrupted(std::chrono::seconds limit) {
  std::signal(SIGINT, [](int) {});
  sigset_t interrupt;
  sigemptyset(&interrupt);
  sigaddset(&interrupt, SIGINT);
  sigprocmask(SIG_BLOCK, &interrupt, nullptr);
  std::puts("press Ctrl-C");
  std::fflush(stdout);
  try {
    ask(silent_server(), limit);
  } catch (const std::exception& error) {
    say("the request", error.what());
  }
  say("shutdown", "clean");
}
// #endregion interrupt

int main(int argc, char* argv[]) {
  if (argc > 1)
    return until_interrupted(argc > 2 ? std::chrono::seconds(std::stoi(argv[2])) : 1h), 0;
  deadline();
  int tries = 0;
  const auto flaky = [&] {
    if (++tries < 3) throw Busy("busy");
    return "answered at try " + std::to_string(tries);
  };
  say("retry", retry(flaky));
}
