#include "autopsy.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <utility>
#include <vector>

#include "exercise.hpp"
#include "process.hpp"

namespace fs = std::filesystem;

namespace {

enum class Wait { computing, disk, sleeping, network, lock, end_of_thread, gone, other };

struct Thread {
  pid_t id = 0;
  Wait wait = Wait::other;
  pid_t for_whom = 0;         // the holder of the lock, or the thread that is to end
  std::uint64_t address = 0;  // of the lock
};

// A file below the process's folder in /proc; empty if the process is gone.
std::string proc_file(pid_t process, const std::string& name) try {
  return read_file("/proc/" + std::to_string(process) + '/' + name);
} catch (const std::ios_base::failure&) {
  return {};
}

std::optional<std::uint32_t> word_at(pid_t process, std::uint64_t address) {
  const Descriptor memory(
      open(("/proc/" + std::to_string(process) + "/mem").c_str(), O_RDONLY | O_CLOEXEC));
  std::uint32_t word = 0;
  if (pread(memory.get(), &word, sizeof word, off_t(address)) != sizeof word) return {};
  return word;
}

// A futex is a word that threads wait at. Its value tells what kind it is: pthread_join waits at
// the id of the thread that must end; a glibc mutex with waiters is 2, and its holder's id stands 8
// bytes behind.
void look_at_futex(pid_t process, const std::set<pid_t>& ids, Thread& thread) {
  const auto word = word_at(process, thread.address);
  const auto owner = word_at(process, thread.address + 8);
  if (word && ids.count(pid_t(*word))) {
    thread.wait = Wait::end_of_thread;
    thread.for_whom = pid_t(*word);
  } else if (word == 2u && owner && ids.count(pid_t(*owner))) {
    thread.wait = Wait::lock;
    thread.for_whom = pid_t(*owner);
  }
}

Thread look_at(pid_t process, pid_t id, const std::set<pid_t>& ids) {
  Thread thread{id};
  const std::string files = "task/" + std::to_string(id);
  const std::string stat = proc_file(process, files + "/stat");
  const auto name_end = stat.rfind(')');
  const char state = name_end + 2 < stat.size() ? stat[name_end + 2] : '?';
  long number = -1;
  std::istringstream call(proc_file(process, files + "/syscall"));
  if (state == 'R') thread.wait = Wait::computing;
  if (state == 'D') thread.wait = Wait::disk;
  if (state == 'Z' || state == 'X' || stat.empty()) thread.wait = Wait::gone;
  if (thread.wait != Wait::other || !(call >> number)) return thread;
  call >> std::hex >> thread.address;
  switch (number) {
    case SYS_futex:
      look_at_futex(process, ids, thread);
      break;
    case SYS_clock_nanosleep:
    case SYS_nanosleep:
      thread.wait = Wait::sleeping;
      break;
    case SYS_ppoll:
    case SYS_pselect6:
    case SYS_epoll_pwait:
    case SYS_recvfrom:
    case SYS_recvmsg:
    case SYS_read:
#ifdef SYS_poll
    case SYS_poll:
    case SYS_select:
    case SYS_epoll_wait:
#endif
      thread.wait = Wait::network;
  }
  return thread;
}

// The name of the global variable at `address`, in backquotes; empty if there is none.
std::string variable_at(pid_t process, const std::string& program, std::uint64_t address) {
  // Its file is mapped from here on. (A sanitizer has mappings before that.)
  std::ifstream maps("/proc/" + std::to_string(process) + "/maps");
  std::error_code gone;
  const std::string exe = fs::read_symlink("/proc/" + std::to_string(process) + "/exe", gone);
  std::uint64_t base = 0;
  for (std::string line; base == 0 && std::getline(maps, line);)
    if (line.find(exe) != line.npos) base = std::stoull(line, nullptr, 16);
  static std::string named;  // nm takes its time: once is enough for a hang
  static std::string table;
  const std::string now = program + proc_file(process, "stat").substr(0, 8);
  if (std::exchange(named, now) != now)
    table = run({"nm", "-C", "-S", "--defined-only", program}).out;
  std::istringstream symbols(table);
  for (std::string line; std::getline(symbols, line);) {
    std::istringstream words(line);
    std::uint64_t start = 0, size = 0;
    char kind = 0;
    std::string name;
    if (!(words >> std::hex >> start >> size >> kind >> std::ws) || !std::getline(words, name))
      continue;
    for (const std::uint64_t at : {start, start + base})
      if (at <= address && address < at + size) return '`' + name + '`';
  }
  return {};
}

std::string count(std::size_t number, const std::string& one, const std::string& verb) {
  const bool single = number == 1;
  return std::to_string(number) + ' ' + one + (single ? " " : "s ") + verb + (single ? "s" : "");
}

// The locks that wait for each other, from one of them on; empty if there is no such circle.
std::vector<Thread> find_circle(const std::map<pid_t, Thread>& threads) {
  for (const auto& [id, thread] : threads) {
    std::vector<Thread> way;
    for (Thread at = thread; at.wait == Wait::lock && way.size() <= threads.size();) {
      way.push_back(at);
      if (at.for_whom == id) return way;
      at = threads.at(at.for_whom);
    }
  }
  return {};
}

// How often each of them has given up its core, or lost it.
std::string times_run(pid_t process, const std::vector<Thread>& threads) {
  std::string all;
  for (const auto& thread : threads) {
    const std::string id = std::to_string(thread.id);
    const std::string status = proc_file(process, "task/" + id + "/status");
    all += id + status.substr(std::min(status.find("voluntary_ctxt"), status.size()));
  }
  return all;
}

std::map<pid_t, Thread> look_at_all(pid_t process) {
  std::set<pid_t> ids;
  std::error_code gone;
  for (fs::directory_iterator task("/proc/" + std::to_string(process) + "/task", gone), end;
       !gone && task != end; task.increment(gone))
    ids.insert(std::stoi(task->path().filename()));
  std::map<pid_t, Thread> threads;
  for (const pid_t id : ids) threads[id] = look_at(process, id, ids);
  return threads;
}

}  // namespace

std::string deadlock(pid_t process, const std::string& program) {
  // It looks at the threads one after the other, and they may change roles meanwhile. But a thread
  // that waits for ever does not run. So all of a circle must have slept from one look to the next.
  const auto seen = find_circle(look_at_all(process));
  if (seen.empty()) return {};
  const std::string before = times_run(process, seen);
  const auto circle = find_circle(look_at_all(process));
  if (circle.empty() || before != times_run(process, circle)) return {};
  const auto name = [&](std::size_t i) { return variable_at(process, program, circle[i].address); };
  if (circle.size() == 1)
    return "a thread waits for " + (name(0).empty() ? "a lock" : name(0)) + " that it holds itself";
  std::string text = std::to_string(circle.size()) + " threads wait for each other";
  if (circle.size() == 2 && !name(0).empty() && name(0) != name(1))
    text += ": one holds " + name(1) + " and wants " + name(0) + ", the other holds " + name(0) +
            " and wants " + name(1);
  return text;
}

std::string what_it_waits_for(pid_t process, const std::string& program,
                              bool has_sanitizer_thread) {
  if (const auto circle = deadlock(process, program); !circle.empty()) return circle;
  std::map<Wait, std::size_t> waits;
  for (const auto& [id, thread] : look_at_all(process)) ++waits[thread.wait];
  if (has_sanitizer_thread && waits[Wait::sleeping] > 0) --waits[Wait::sleeping];
  std::string text;
  const auto add = [&](Wait wait, const std::string& verb, const std::string& rest) {
    if (!waits[wait]) return;
    text += (text.empty() ? "" : ", ") + count(waits[wait], "thread", verb) + rest;
  };
  add(Wait::computing, "compute", " without end");
  add(Wait::disk, "wait", " for the disk");
  add(Wait::network, "wait", " for the network");
  add(Wait::lock, "wait", " for a lock");
  add(Wait::sleeping, "sleep", "");
  add(Wait::other, "wait", " for something that never comes (a place, a signal, a value)");
  if (text.empty()) add(Wait::end_of_thread, "wait", " for another to end");
  return text;
}

pid_t thread_to_ask(pid_t process, bool has_sanitizer_thread) {
  const auto threads = look_at_all(process);
  const auto circle = find_circle(threads);
  if (!circle.empty()) return circle.front().id;
  for (const Wait wait : {Wait::computing, Wait::lock, Wait::other, Wait::network, Wait::sleeping})
    for (const auto& [id, thread] : threads) {
      if (wait == Wait::sleeping && has_sanitizer_thread && id != process) {
        has_sanitizer_thread = false;  // the first that was started is the sanitizer's
        continue;
      }
      if (thread.wait == wait) return id;
    }
  return process;
}

std::size_t count_threads(pid_t process) { return look_at_all(process).size(); }

bool is_busy(pid_t process) {
  const auto threads = look_at_all(process);
  return std::ranges::any_of(threads, [](const auto& one) {
    return one.second.wait == Wait::computing || one.second.wait == Wait::disk;
  });
}

long times_waited(pid_t process) {
  long all = 0;
  for (const auto& [id, thread] : look_at_all(process)) {
    const std::string status = proc_file(process, "task/" + std::to_string(id) + "/status");
    const std::string name = "\nvoluntary_ctxt_switches:";
    if (const auto at = status.find(name); at != status.npos)
      all += std::atol(status.c_str() + at + name.size());
  }
  return all;
}

bool sleeps(pid_t process) {
  const auto threads = look_at_all(process);
  const auto main = threads.find(process);
  return main != threads.end() && main->second.wait == Wait::sleeping;
}

bool has_ended(pid_t process) {
  const auto threads = look_at_all(process);
  return !threads.empty() && std::ranges::all_of(threads, [](const auto& one) {
    return one.second.wait == Wait::gone;
  });
}

double cpu_seconds(pid_t process) {
  const std::string stat = proc_file(process, "stat");
  std::istringstream after_name(stat.substr(std::min(stat.rfind(')') + 1, stat.size())));
  std::string skipped;
  for (int i = 3; i < 14; ++i) after_name >> skipped;
  double user = 0, system = 0;  // in clock ticks
  after_name >> user >> system;
  return (user + system) / double(sysconf(_SC_CLK_TCK));
}
