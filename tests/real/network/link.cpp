#include "link.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <deque>
#include <fstream>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <system_error>

namespace {

using Clock = std::chrono::steady_clock;

int checked(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

int allowed(int result, const std::string& what) {
  if (result < 0) throw Missing(what + ": " + std::strerror(errno));
  return result;
}

// Moves this thread to a new network. A user who is not root becomes the root of a user namespace.
Descriptor new_network() {
  if (unshare(CLONE_NEWNET) != 0) {
    const std::string user = std::to_string(getuid()), group = std::to_string(getgid());
    allowed(unshare(CLONE_NEWUSER | CLONE_NEWNET), "no network namespace is to be had");
    std::ofstream("/proc/self/setgroups") << "deny";
    std::ofstream("/proc/self/uid_map") << "0 " << user << " 1";
    std::ofstream("/proc/self/gid_map") << "0 " << group << " 1";
  }
  return Descriptor(checked(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), "/proc/self/ns/net"));
}

void set(sockaddr& to, const char* address) {
  sockaddr_in value{};
  value.sin_family = AF_INET;
  inet_pton(AF_INET, address, &value.sin_addr);
  std::memcpy(&to, &value, sizeof to);
}

// A device of this thread's network that leads to `peer`, and by which it looks for all others.
Descriptor new_tun(const char* address, const char* peer) {
  Descriptor tun(allowed(open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC), "/dev/net/tun"));
  ifreq request{};
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  allowed(ioctl(tun.get(), TUNSETIFF, &request), "no TUN device is to be had");
  const Descriptor any(checked(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"));
  const auto configure = [&](unsigned long what) {
    checked(ioctl(any.get(), what, &request), "ioctl of a TUN device");
  };
  // It must lose no packet even if our thread gets no turn for long: its queue holds 500 otherwise.
  request.ifr_qlen = 50'000;
  configure(SIOCSIFTXQLEN);
  set(request.ifr_addr, address);
  configure(SIOCSIFADDR);
  set(request.ifr_dstaddr, peer);
  configure(SIOCSIFDSTADDR);
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  configure(SIOCSIFFLAGS);
  rtentry route{};
  set(route.rt_dst, "0.0.0.0");
  set(route.rt_genmask, "0.0.0.0");
  route.rt_flags = RTF_UP;
  route.rt_dev = request.ifr_name;
  checked(ioctl(any.get(), SIOCADDRT, &route), "route to a TUN device");
  return tun;
}

// Gives this thread's network an address that leads nowhere else.
void add_address(const char* address) {
  const Descriptor any(checked(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"));
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  set(request.ifr_addr, address);
  checked(ioctl(any.get(), SIOCSIFADDR, &request), "address of lo");
  set(request.ifr_netmask, "255.255.255.255");  // by default all of 10.* would be here
  checked(ioctl(any.get(), SIOCSIFNETMASK, &request), "netmask of lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  checked(ioctl(any.get(), SIOCSIFFLAGS, &request), "lo");
}

struct Packet {
  std::string bytes;
  Clock::time_point due;
};

// One direction of the link.
struct Lane {
  int from, to;
  std::set<std::string> ends;  // the addresses there, as in packets
  std::deque<Packet> packets = {};
};

std::string in_packets(const char* address) {
  in_addr value{};
  inet_pton(AF_INET, address, &value);
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

// What a packet of TCP has in common with those that send the same again: addresses, ports, and the
// numbers of the first byte and of the one expected next.
std::string identity(const std::string& packet) { return packet.substr(12, 20); }

}  // namespace

Link::Host::Host(const char* address, const char* peer, const char* second)
    : network(new_network()), tun(new_tun(address, peer)) {
  if (second) add_address(second);
}

Link::Link(const Weather& weather)
    : weather_(weather),
      client_(client_address, server_address),
      server_(server_address, client_address, second_address),
      thread_([this](std::stop_token stop) { forward(stop); }) {}

void Link::enter_client() const { checked(setns(client_.network.get(), CLONE_NEWNET), "setns"); }
void Link::enter_server() const { checked(setns(server_.network.get(), CLONE_NEWNET), "setns"); }

void Link::forward(std::stop_token stop) const {
  Lane lanes[] = {{client_.tun.get(),
                   server_.tun.get(),
                   {in_packets(server_address), in_packets(second_address)}},
                  {server_.tun.get(), client_.tun.get(), {in_packets(client_address)}}};
  std::mt19937 generator(weather_.seed);
  std::bernoulli_distribution is_lost(weather_.loss);
  std::map<std::string, int> times_lost;
  std::optional<Clock::time_point> first;
  const auto has_stopped = [&](Clock::time_point now) {
    const auto begin = first.value_or(now) + weather_.stops_after;
    return now >= begin && now < begin + weather_.stops_for;
  };

  while (!stop.stop_requested()) {
    pollfd ready[] = {{lanes[0].from, POLLIN, 0}, {lanes[1].from, POLLIN, 0}};
    poll(ready, 2, 1);
    const auto now = Clock::now();
    for (Lane& lane : lanes) {
      char buffer[2048];
      for (ssize_t size; (size = read(lane.from, buffer, sizeof buffer)) > 0;) {
        const std::string packet(buffer, std::size_t(size));
        if (size < 24 || packet[0] >> 4 != 4 || !lane.ends.contains(packet.substr(16, 4))) continue;
        if (!first) first = now;
        if (weather_.stop_loses && has_stopped(now)) continue;
        int& lost = times_lost[identity(packet)];
        if (lost < weather_.times && is_lost(generator))
          ++lost;
        else
          lane.packets.push_back({packet, now + weather_.delay});
      }
    }
    if (has_stopped(now)) continue;
    for (Lane& lane : lanes)
      while (!lane.packets.empty() && lane.packets.front().due <= now) {
        const std::string& bytes = lane.packets.front().bytes;
        if (write(lane.to, bytes.data(), bytes.size()) < 0) break;
        lane.packets.pop_front();
      }
  }
}
