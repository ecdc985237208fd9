#include "measure.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include "folder.hpp"
#include "process.hpp"
#include "socket.hpp"

namespace {

using std::to_string;

// 20,000 connections to one address crawl: the kernel looks long for a free port.
constexpr int addresses = 8;

// A network of 127.0.0.0/8 that no run had for a day: its first three numbers. The kernel keeps a
// connection for a minute after its end, and whoever connects to the same address again has to find
// a port between all those. Here nobody does. Waiting for that minute would take an hour in all.
std::string next_network() {
  static std::uint32_t number = std::uint32_t(std::time(nullptr));
  constexpr std::uint32_t some = 250 * 250;
  const std::uint32_t at = number++ % some;
  return "127." + to_string(1 + at / 250) + '.' + to_string(1 + at % 250) + '.';
}

// A server of its own for each run: none inherits the memory, or the ports, of the run before.
class TestServer {
 public:
  explicit TestServer(bool is_tls = false)
      : is_tls_(is_tls),
        network_(next_network()),
        process_(command(), {.time_limit = std::chrono::minutes(5)}) {
    for (int i = 0; i < (is_tls ? 2 : addresses); ++i) {
      const std::string line = process_.read_line();
      const auto at = line.find("http");
      if (at == line.npos) throw std::runtime_error("no test server: " + line);
      bases_.push_back(line.substr(at));
    }
    port_ = std::stoi(bases_[0].substr(bases_[0].rfind(':') + 1));
    if (is_tls) bases_.erase(bases_.begin());
    if (clock_getcpuclockid(process_.pid(), &clock_) != 0) throw std::runtime_error("no CPU clock");
    cpu_at_start_ = cpu();
  }

  std::string url(const std::string& path, std::int64_t number) const {
    // Those at a barrier ask for the same one.
    const bool is_shared = path.rfind("/barrier", 0) == 0;
    return bases_[std::size_t(number) % bases_.size()] + path +
           (is_shared ? "" : '?' + to_string(number));
  }

  // The file of what it is to be trusted by.
  std::string certificate() const { return folder_.path() / "ca.pem"; }

  // CPU that it used since its start.
  std::int64_t cpu_used() const { return cpu() - cpu_at_start_; }

  std::int64_t most_in_flight() const {
    const std::string answer =
        Socket(std::uint16_t(port_), is_tls_ ? "127.0.0.1" : (network_ + '1').c_str())
            .send("GET /stats HTTP/1.0\r\n\r\n")
            .receive();
    const std::string name = "\"most_in_flight\":";
    const auto at = answer.find(name);
    if (at == answer.npos) throw std::runtime_error("no stats in: " + answer);
    return std::stoll(answer.substr(at + name.size()));
  }

 private:
  std::vector<std::string> command() const {
    std::vector<std::string> all{BUILD_DIR "/tests/server/test-server", "--port", "0",
                                 "--exit-with-stdin"};
    if (is_tls_) {  // its certificate is for 127.0.0.1, where at least the port is new
      all.insert(all.end(), {"--tls-port", "0", "--ca-file", certificate()});
      return all;
    }
    for (int i = 1; i <= addresses; ++i) all.insert(all.end(), {"--host", network_ + to_string(i)});
    return all;
  }

  std::int64_t cpu() const {
    timespec time{};
    clock_gettime(clock_, &time);
    return std::int64_t(time.tv_sec) * 1'000'000 + time.tv_nsec / 1000;
  }

  bool is_tls_;
  std::string network_;
  const Folder folder_;
  Process process_;
  std::vector<std::string> bases_;
  int port_ = 0;
  clockid_t clock_{};
  std::int64_t cpu_at_start_ = 0;
};

// --- What /proc tells of it while it runs -------------------------------------------------------

// What is there; a file of /proc may end at any moment, with its process.
std::string read(const std::string& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

// The number behind `name`; 0 if there is none.
std::int64_t number(const std::string& text, const std::string& name) {
  const auto at = text.find(name);
  return at == text.npos ? 0 : std::atoll(text.c_str() + at + name.size());
}

// A process and all below it.
std::vector<pid_t> tree(pid_t root) {
  std::vector<pid_t> all{root};
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::string pid = to_string(all[i]);
    std::ifstream children("/proc/" + pid + "/task/" + pid + "/children");
    all.insert(all.end(), std::istream_iterator<pid_t>(children), {});
  }
  return all;
}

std::int64_t open_descriptors(const std::string& process) {
  struct stat status {};
  const std::string folder = process + "/fd";
  if (stat(folder.c_str(), &status) == 0 && status.st_size > 0) return status.st_size;  // Linux 6.2
  DIR* const open = opendir(folder.c_str());
  if (!open) return 0;
  std::int64_t count = -2;  // . and ..
  while (readdir(open)) ++count;
  closedir(open);
  return count;
}

// Whether it is still this program, forked but not yet another one.
bool is_ourselves(pid_t pid) {
  std::error_code error;
  const auto exe = std::filesystem::read_symlink("/proc/" + to_string(pid) + "/exe", error);
  return error || exe == std::filesystem::read_symlink("/proc/self/exe");
}

// Takes down the most that there was. Of many processes it looks at some, and takes the rest to be
// like them: it must not disturb what it measures.
void look(pid_t root, Run& most) {
  if (is_ourselves(root)) return;
  constexpr std::size_t looked_at = 16;
  const auto all = tree(root);
  std::int64_t peak = 0, threads = 0, descriptors = 0;
  const auto add = [&](pid_t pid, double weight) {
    const std::string process = "/proc/" + to_string(pid), status = read(process + "/status");
    const auto memory = all.size() == 1 ? number(status, "VmHWM:")
                                        : number(read(process + "/smaps_rollup"), "\nPss:");
    peak += std::int64_t(double(memory) * weight);
    threads += std::int64_t(double(number(status, "Threads:")) * weight);
    descriptors += std::int64_t(double(open_descriptors(process)) * weight);
  };
  add(root, 1);
  const std::size_t below = all.size() - 1, some = std::min(below, looked_at);
  for (std::size_t i = 0; i < some; ++i)
    add(all[1 + i * below / some], double(below) / double(some));
  most.processes = std::max(most.processes, std::int64_t(all.size()));
  most.peak = std::max(most.peak, peak);
  most.threads = std::max(most.threads, threads);
  most.descriptors = std::max(most.descriptors, descriptors);
}

// --- Whether it did its work --------------------------------------------------------------------

std::vector<std::string> sorted_lines(const std::string& text) {
  std::vector<std::string> all;
  for (std::size_t at = 0, end; at < text.size(); at = end + 1) {
    end = std::min(text.find('\n', at), text.size());
    all.push_back(text.substr(at, end - at));
  }
  std::sort(all.begin(), all.end());
  return all;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

// Each URL must have its OK, once.
std::string what_is_lost(const Result& result, const std::string& out,
                         std::vector<std::string> urls) {
  for (auto& url : urls) url += " OK";
  std::sort(urls.begin(), urls.end());
  const auto lines = sorted_lines(out);
  std::vector<std::string> missing;
  std::set_difference(urls.begin(), urls.end(), lines.begin(), lines.end(),
                      std::back_inserter(missing));
  std::string why;
  if (result.timed_out)
    why = "it did not end";
  else if (!missing.empty())
    why = to_string(missing.size()) + " of " + to_string(urls.size()) + " are not OK";
  else if (lines.size() != urls.size())
    why = to_string(lines.size()) + " lines for " + to_string(urls.size()) + " URLs";
  else if (result.status != 0)
    why = "it ended with status " + to_string(result.status);
  if (!why.empty() && !result.err.empty()) why += ": " + first_line(result.err);
  return why;
}

}  // namespace

Run measure(std::vector<std::string> command, const std::string& path, std::int64_t n) {
  const std::string over_tls = "https:";
  const bool is_tls = path.rfind(over_tls, 0) == 0;
  const TestServer server(is_tls);
  std::vector<std::string> urls;
  for (std::int64_t i = 0; i < n; ++i)
    urls.push_back(server.url(is_tls ? path.substr(over_tls.size()) : path, i));
  if (is_tls) command.insert(command.begin(), {"env", "SSL_CERT_FILE=" + server.certificate()});
  command.insert(command.end(), urls.begin(), urls.end());

  // A file, so that nobody has to read along; to append to, or threads would overwrite each other.
  const Descriptor out(memfd_create("out", MFD_CLOEXEC));
  if (!out.is_open() || fcntl(out.get(), F_SETFL, O_APPEND) < 0)
    throw std::runtime_error("no memory for what it says");
  Run run_;
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  Process process(command, {.out = out.get(),
                            .time_limit = std::chrono::seconds(90),
                            .go_on = [&run_](pid_t pid, const Result&) {
                              look(pid, run_);
                              return true;
                            }});
  const Result result = process.finish();
  run_.wall = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start).count();
  run_.cpu = std::int64_t(result.cpu_seconds * 1e6);
  run_.user = std::int64_t(result.user_seconds * 1e6);
  run_.faults = result.page_faults;
  run_.server_cpu = server.cpu_used();
  run_.in_flight = server.most_in_flight();
  // Of a single process the kernel tells the end, too; but at least what this program has itself,
  // from the moment of its fork.
  rusage self{};
  getrusage(RUSAGE_SELF, &self);
  if (run_.processes <= 1 && result.peak_kib > self.ru_maxrss)
    run_.peak = std::max(run_.peak, std::int64_t(result.peak_kib));
  run_.lost = what_is_lost(result, read("/proc/self/fd/" + to_string(out.get())), urls);
  return run_;
}

std::map<std::string, std::int64_t> count_calls(std::vector<std::string> command,
                                                const std::string& path, std::int64_t n) {
  const TestServer server;
  const Descriptor counts(memfd_create("counts", 0));  // strace opens it by its name
  const std::string file = "/proc/" + to_string(getpid()) + "/fd/" + to_string(counts.get());
  command.insert(command.begin(), {"strace", "-f", "-qq", "-c", "-o", file});
  for (std::int64_t i = 0; i < n; ++i) command.push_back(server.url(path, i));
  const Result result = run(command);
  if (result.status != 0)
    throw std::runtime_error("strace counts nothing: " + first_line(result.err));
  // A line of it: share of the time, seconds, microseconds, calls, errors if any, name.
  std::map<std::string, std::int64_t> all;
  for (const auto& line : sorted_lines(read(file))) {
    std::istringstream stream(line);
    const std::vector<std::string> words{std::istream_iterator<std::string>(stream), {}};
    if (words.size() >= 5 && words.back() != "total" && std::isdigit(words[0][0]))
      all[words.back()] = std::atoll(words[3].c_str());
  }
  return all;
}
