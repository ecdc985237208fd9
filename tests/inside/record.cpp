#include "record.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace inside {

namespace {

int checked(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

// What all chapters sleep in, what shows whom they work for, and how stacks are made. A `?` is for
// the calls that some machines do not have.
constexpr char calls[] =
    "trace=network,?poll,?ppoll,?select,?pselect6,?epoll_wait,?epoll_pwait,?epoll_pwait2,?futex,"
    "read,write,?readv,?writev,?clone,?clone3,?fork,?vfork,execve,exit,exit_group,close,"
    "?nanosleep,?clock_nanosleep,?wait4,?waitid,?mmap,?mmap2";

struct Pipe {
  std::array<int, 2> fds{-1, -1};
  Pipe() { checked(pipe2(fds.data(), O_CLOEXEC), "pipe2"); }
  ~Pipe() {
    for (int& fd : fds) close_one(fd);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  static void close_one(int& fd) {
    if (fd >= 0) close(fd);
    fd = -1;
  }
};

// All that comes out of the pipes until all their other ends are closed.
void read_all(Pipe& log_pipe, std::string& log, Pipe& words_pipe, std::string& words) {
  for (;;) {
    pollfd fds[] = {{log_pipe.fds[0], POLLIN, 0}, {words_pipe.fds[0], POLLIN, 0}};
    if (fds[0].fd < 0 && fds[1].fd < 0) return;
    if (poll(fds, 2, -1) < 0) {
      if (errno == EINTR) continue;
      checked(-1, "poll");
    }
    for (const int i : {0, 1}) {
      if (!fds[i].revents) continue;
      static char buffer[64 * 1024];
      const auto size = read(fds[i].fd, buffer, sizeof buffer);
      if (size > 0)
        (i == 0 ? log : words).append(buffer, std::size_t(size));
      else
        Pipe::close_one((i == 0 ? log_pipe : words_pipe).fds[0]);
    }
  }
}

}  // namespace

Recorded record(const std::vector<std::string>& command, const std::string& strace) {
  // With -D strace is not the program's parent. So the program is our child, and the kernel tells
  // us how much memory it used. strace becomes our child when its own parent ends.
  checked(prctl(PR_SET_CHILD_SUBREAPER, 1), "prctl");
  Pipe log, words;
  const std::string file = "/dev/fd/" + std::to_string(log.fds[1]);
  // With as few stops as possible: calls that strace does not watch run at full speed.
  std::vector<std::string> all{
      strace, "-D", "-f", "--seccomp-bpf", "-ttt", "-T", "-s", "1024", "-o", file, "-e", calls};
  all.push_back("--");
  all.insert(all.end(), command.begin(), command.end());
  std::vector<char*> arguments;
  for (auto& argument : all) arguments.push_back(argument.data());
  arguments.push_back(nullptr);

  const pid_t parent = getpid(), child = checked(fork(), "fork");
  if (child == 0) {  // from here to execvp: only what is safe after a fork
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(127);
    const int null = open("/dev/null", O_RDWR);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    dup2(words.fds[1], STDERR_FILENO);
    fcntl(log.fds[1], F_SETFD, 0);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  Pipe::close_one(log.fds[1]);
  Pipe::close_one(words.fds[1]);
  Recorded recorded;
  std::string said;
  read_all(log, recorded.log, words, said);

  int status = 0;
  rusage usage{};
  while (wait4(child, &status, 0, &usage) < 0 && errno == EINTR) {
  }
  while (waitpid(-1, nullptr, 0) > 0 || errno == EINTR) {  // strace
  }
  recorded.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  recorded.peak_kib = usage.ru_maxrss;
  if (recorded.log.empty()) {
    const std::string first = said.substr(0, said.find('\n'));
    throw std::runtime_error(recorded.status == 127 && first.empty() ? strace + " is not there"
                             : first.empty()                         ? strace + " wrote nothing"
                                                                     : first);
  }
  return recorded;
}

}  // namespace inside
