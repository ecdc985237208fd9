#include "name_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "link.hpp"

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t header_size = 12;
constexpr char of_ipv4[] = {0, 1, 0, 1};  // type A, class IN

struct Answer {
  Clock::time_point due;
  sockaddr_in to;
  std::string bytes;
};

Descriptor udp_socket(const char* address) {
  Descriptor fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(53);
  inet_pton(AF_INET, address, &name.sin_addr);
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&name), sizeof name) != 0)
    throw std::system_error(errno, std::generic_category(), "port 53");
  return fd;
}

// The name that is asked for; `at` is then behind it.
std::string read_name(const std::string& question, std::size_t& at) {
  std::string name;
  while (const auto size = static_cast<unsigned char>(question.at(at++))) {
    name += (name.empty() ? "" : ".") + question.substr(at, size);
    at += size;
  }
  return name;
}

// RFC 1035, 4.1. Names that it does not know do not exist.
std::string answer_to(const std::string& question, std::size_t end_of_name,
                      const NameServer::Name* name) {
  const std::string kind = question.substr(end_of_name, sizeof of_ipv4);
  std::string answer = question.substr(0, end_of_name + kind.size());
  std::size_t count = 0;
  if (name && kind == std::string(of_ipv4, sizeof of_ipv4))
    for (const auto& text : name->addresses) {
      in_addr address{};
      inet_pton(AF_INET, text.c_str(), &address);
      answer += "\xc0\x0c" + kind + std::string(4, '\0') + std::string("\0\4", 2);
      answer.append(reinterpret_cast<const char*>(&address), sizeof address);
      ++count;
    }
  answer[2] = '\x81';
  answer[3] = name ? '\x80' : '\x83';
  std::memset(&answer[6], 0, header_size - 6);
  answer[7] = static_cast<char>(count);
  return answer;
}

}  // namespace

NameServer::NameServer(const char* address, std::map<std::string, Name> names)
    : names_(std::move(names)),
      socket_(udp_socket(address)),
      thread_([this](std::stop_token stop) { serve(stop); }) {
  show_files(address);
}

// glibc asks again each 5 s, so a lost question costs no more than that, and gives up after 15 s.
void NameServer::show_files(const std::string& address) {
  if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    throw Missing(std::string("no mount namespace is to be had: ") + std::strerror(errno));
  shown_.emplace_back(
      folder_.write("resolv.conf", "nameserver " + address + "\noptions attempts:3\n"),
      "/etc/resolv.conf");
  if (std::filesystem::exists("/etc/nsswitch.conf"))
    shown_.emplace_back(folder_.write("nsswitch.conf", "hosts: files dns\n"), "/etc/nsswitch.conf");
}

NameServer::Shown::Shown(const std::filesystem::path& file, const std::string& its_place)
    : place(its_place) {
  if (mount(file.c_str(), place.c_str(), nullptr, MS_BIND, nullptr) != 0)
    throw Missing("no other " + place + " is to be had: " + std::strerror(errno));
}

NameServer::Shown::~Shown() { umount2(place.c_str(), MNT_DETACH); }

void NameServer::serve(std::stop_token stop) const {
  std::list<Answer> answers;
  while (!stop.stop_requested()) {
    pollfd ready{socket_.get(), POLLIN, 0};
    poll(&ready, 1, 10);
    char buffer[512];
    sockaddr_in from{};
    const auto address = reinterpret_cast<sockaddr*>(&from);
    socklen_t address_size = sizeof from;
    for (ssize_t size;
         (size = recvfrom(socket_.get(), buffer, sizeof buffer, 0, address, &address_size)) > 0;) {
      const std::string question(buffer, std::size_t(size));
      std::size_t end = header_size;
      const auto name = names_.find(read_name(question, end));
      const Name* const found = name == names_.end() ? nullptr : &name->second;
      const auto delay = found ? found->delay : std::chrono::seconds(0);
      answers.push_back({Clock::now() + delay, from, answer_to(question, end, found)});
    }
    answers.remove_if([&](const Answer& it) {
      if (it.due > Clock::now()) return false;
      sendto(socket_.get(), it.bytes.data(), it.bytes.size(), 0,
             reinterpret_cast<const sockaddr*>(&it.to), sizeof it.to);
      return true;
    });
  }
}
