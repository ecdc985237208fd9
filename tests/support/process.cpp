#include "process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <regex>
#include <system_error>
#include <thread>
#include <utility>

namespace {

constexpr std::chrono::seconds grace{5};  // for children that end because their parent has

int checked(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

int Descriptor::release() { return std::exchange(fd_, -1); }

void Descriptor::close() {
  if (is_open()) ::close(release());
}

Pipe::Pipe() {
  int fds[2];
  checked(pipe2(fds, O_CLOEXEC), "pipe2");
  read_end = Descriptor(fds[0]);
  write_end = Descriptor(fds[1]);
}

Process::Process(const std::vector<std::string>& command, Options options)
    : deadline_(Clock::now() + options.time_limit), go_on_(options.go_on) {
  checked(prctl(PR_SET_CHILD_SUBREAPER, 1), "prctl");  // orphans come to us, to be seen
  std::vector<char*> arguments;
  for (const auto& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  Pipe in, out, err;
  const pid_t parent = getpid();

  pid_ = checked(fork(), "fork");
  if (pid_ == 0) {  // from here to execvp: only what is safe after a fork
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);
    dup2(in.read_end.get(), STDIN_FILENO);
    dup2(options.out < 0 ? out.write_end.get() : options.out, STDOUT_FILENO);
    dup2(err.write_end.get(), STDERR_FILENO);
    close_range(STDERR_FILENO + 1, ~0u, 0);
    ::signal(SIGPIPE, SIG_DFL);
    execvp(arguments[0], arguments.data());
    perror(arguments[0]);
    _exit(127);
  }
  setpgid(pid_, pid_);  // the child does so, too: either may be first
  ended_ = Descriptor(checked(int(syscall(SYS_pidfd_open, pid_, 0)), "pidfd_open"));
  input_ = std::move(in.write_end);
  output_ = {std::move(out.read_end), std::move(err.read_end)};
}

Process::~Process() {
  if (pid_ < 0) return;
  deadline_ = Clock::now();
  go_on_ = nullptr;  // it may be what threw, and would throw again
  finish();
}

bool Process::has_ended() const {
  pollfd ended{ended_.get(), POLLIN, 0};
  return poll(&ended, 1, 0) == 1;
}

void Process::signal(int number) {
  if (pid_ > 0) kill(pid_, number);
}

void Process::stop_and_continue() {
  signal(SIGSTOP);
  siginfo_t stopped;
  waitid(P_PID, static_cast<id_t>(pid_), &stopped, WSTOPPED);
  signal(SIGCONT);
}

bool Process::collect() {
  using std::chrono::milliseconds;
  const auto now = Clock::now();
  auto until = deadline_;
  if (go_on_ && !has_ended()) {
    if (now >= next_question_) {
      next_question_ = now + milliseconds(50);
      result_.timed_out = !go_on_(pid_, result_);
    }
    until = std::min(deadline_, next_question_);
  }
  if (now > deadline_ + grace) result_.timed_out = true;  // and there is output all the time
  if (result_.timed_out) return false;
  const auto left = std::chrono::ceil<milliseconds>(until - now);
  pollfd fds[] = {
      {output_[0].get(), POLLIN, 0}, {output_[1].get(), POLLIN, 0}, {ended_.get(), POLLIN, 0}};
  if (poll(fds, 3, int(std::max(left, milliseconds(0)).count())) == 0) {
    result_.timed_out = until == deadline_;
    return !result_.timed_out;
  }
  for (int i : {0, 1}) {
    if (!fds[i].revents) continue;
    char buffer[64 * 1024];
    const auto size = read(fds[i].fd, buffer, sizeof buffer);
    if (size > 0) (i == 0 ? result_.out : result_.err).append(buffer, std::size_t(size));
    if (size == 0) output_[i].close();  // poll passes over descriptors of -1
    if (size >= 0) return true;         // there may be more
  }
  return !fds[2].revents;
}

std::string Process::read_line() {
  std::size_t end;
  while ((end = result_.out.find('\n')) == std::string::npos && output_[0].is_open() && collect()) {
  }
  const std::string line = result_.out.substr(0, end);
  result_.out.erase(0, end == std::string::npos ? end : end + 1);
  return line;
}

Result Process::finish() {
  input_.close();
  if (has_ended()) deadline_ = std::max(deadline_, Clock::now());  // it was in time, we are late
  while (collect()) {
  }
  reap();
  // AddressSanitizer's one word on chapter 04, which tells it of each switch of stacks as it wants.
  static const std::regex notice(
      "==\\d+==WARNING: ASan doesn't fully support makecontext/swapcontext [^\n]*\n");
  if (sanitized) result_.err = std::regex_replace(result_.err, notice, "");
  return std::move(result_);
}

void Process::reap() {
  const pid_t group = std::exchange(pid_, -1);
  if (result_.timed_out) kill(-group, SIGKILL);
  int status = 0;
  rusage usage{};
  wait4(group, &status, 0, &usage);
  result_.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  result_.peak_kib = usage.ru_maxrss;
  const auto seconds = [](const timeval& time) {
    return double(time.tv_sec) + 1e-6 * double(time.tv_usec);
  };
  result_.user_seconds = seconds(usage.ru_utime);
  result_.cpu_seconds = result_.user_seconds + seconds(usage.ru_stime);
  result_.page_faults = usage.ru_minflt + usage.ru_majflt;

  const auto patience = Clock::now() + grace;
  for (pid_t orphan; (orphan = waitpid(-group, nullptr, WNOHANG)) >= 0;) {
    if (orphan > 0) {
      ++result_.orphans;
    } else if (Clock::now() > patience) {
      result_.left_some = true;
      kill(-group, SIGKILL);
    }
    if (orphan == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

Result run(const std::vector<std::string>& command, Process::Options options) {
  return Process(command, options).finish();
}
