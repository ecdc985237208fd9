#include "peers.hpp"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>

using boost::asio::ip::tcp;

namespace {

constexpr auto interval = std::chrono::seconds(1);
constexpr int most_searches = 3;

// The endpoint as /proc/net/tcp shows it: 0100007F:1F90, in the byte order of this machine.
std::string in_hex(const tcp::endpoint& endpoint, bool as_v6) {
  const auto address = endpoint.address();
  std::string bytes;
  if (address.is_v4()) {
    if (as_v6) bytes.assign(10, '\0').append(2, '\xff');
    for (const auto byte : address.to_v4().to_bytes()) bytes += char(byte);
  } else {
    for (const auto byte : address.to_v6().to_bytes()) bytes += char(byte);
  }
  std::string text;
  char word[10];
  for (std::size_t at = 0; at + 4 <= bytes.size(); at += 4) {
    std::uint32_t value;
    std::memcpy(&value, bytes.data() + at, 4);
    std::snprintf(word, sizeof word, "%08X", value);
    text += word;
  }
  std::snprintf(word, sizeof word, ":%04X", unsigned(endpoint.port()));
  return text + word;
}

// Without the address within of one that is IPv4 in IPv6.
tcp::endpoint plain(const tcp::endpoint& endpoint) {
  const auto address = endpoint.address();
  if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return endpoint;
  return {boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6()),
          endpoint.port()};
}

// The inode of the socket at `its` end of a connection, in one of the kernel's tables.
std::string inode(const char* table, const std::string& its, const std::string& ours) {
  const std::string both = ' ' + its + ' ' + ours + ' ';
  std::ifstream in(table);
  for (std::string line; std::getline(in, line);) {
    const auto at = line.find(both);
    if (at == line.npos) continue;
    // Behind the two: state, queues, timer, retransmits, user, timeout, inode.
    unsigned user = 0;
    unsigned long long number = 0;
    if (std::sscanf(line.c_str() + at + both.size(), "%*s %*s %*s %*s %u %*s %llu", &user,
                    &number) == 2 &&
        user == geteuid() && number != 0)
      return std::to_string(number);
  }
  return "";
}

struct Close {
  void operator()(DIR* folder) const { closedir(folder); }
};
using Folder = std::unique_ptr<DIR, Close>;

bool has_socket(const std::string& process, const std::string& link) {
  const std::string path = "/proc/" + process + "/fd";
  const Folder folder(opendir(path.c_str()));
  if (!folder) return false;
  char target[64];
  while (const dirent* entry = readdir(folder.get())) {
    const auto size = readlinkat(dirfd(folder.get()), entry->d_name, target, sizeof target);
    if (size > 0 && link.compare(0, link.npos, target, std::size_t(size)) == 0) return true;
  }
  return false;
}

}  // namespace

std::optional<pid_t> process_behind(const tcp::endpoint& its_end, const tcp::endpoint& our_end) {
  const tcp::endpoint its = plain(its_end), ours = plain(our_end);
  std::string number;
  if (its.address().is_v4())
    number = inode("/proc/net/tcp", in_hex(its, false), in_hex(ours, false));
  if (number.empty()) number = inode("/proc/net/tcp6", in_hex(its, true), in_hex(ours, true));
  if (number.empty()) return {};
  const std::string link = "socket:[" + number + ']';
  const Folder all(opendir("/proc"));
  if (!all) return {};
  while (const dirent* entry = readdir(all.get())) {
    const std::string name = entry->d_name;
    pid_t process = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), process);
    if (error != std::errc() || end != name.data() + name.size()) continue;
    struct stat about {};
    if (fstatat(dirfd(all.get()), entry->d_name, &about, 0) != 0 || about.st_uid != geteuid())
      continue;
    if (has_socket(name, link)) return process;
  }
  return {};
}

std::optional<Holding> holding_of(pid_t process) {
  std::ifstream in("/proc/" + std::to_string(process) + "/status");
  Holding its;
  for (std::string line; std::getline(in, line);) {
    std::sscanf(line.c_str(), "Threads: %u", &its.threads);
    std::sscanf(line.c_str(), "VmRSS: %u", &its.kib);
  }
  // One that has ended, and was not waited for, holds nothing.
  return its.threads > 0 && its.kib > 0 ? std::optional(its) : std::nullopt;
}

void Peers::look(Recorder& recorder, const Connections& connections, Clock::time_point now) {
  const std::uint64_t newest = recorder.runs().empty() ? 0 : recorder.runs().back()->id;
  if (looked_ && now - *looked_ < interval && newest == newest_) return;
  looked_ = now;
  newest_ = newest;
  std::map<std::uint64_t, Known> in_flight;
  for (const auto& run : recorder.runs()) {
    if (run->in_flight == 0) continue;
    Known its = runs_[run->id];
    if (!its.process && its.searches < most_searches) {
      for (const auto& connection : connections) {
        if (connection.recording.run() != run.get()) continue;
        ++its.searches;
        if (const auto ends = connection.endpoints())
          its.process = process_behind(ends->first, ends->second);
        break;
      }
    }
    if (its.process) recorder.tell(*run, holding_of(*its.process));
    in_flight[run->id] = its;
  }
  runs_ = std::move(in_flight);
}
