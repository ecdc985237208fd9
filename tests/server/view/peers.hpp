// The programs on this machine that send requests: the number of their threads, and their memory.
// The kernel shows these in /proc, for programs of the same user.

#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>

#include "connection.hpp"
#include "recorder.hpp"

// The process that has the other end of a connection between `its` endpoint and `ours`, if both are
// on this machine and belong to this process's user.
std::optional<pid_t> process_behind(const boost::asio::ip::tcp::endpoint& its,
                                    const boost::asio::ip::tcp::endpoint& ours);

// What the process has now; none if it is gone.
std::optional<Holding> holding_of(pid_t process);

class Peers {
 public:
  // Tells `recorder` what the programs hold that have requests in flight. Call it as often as you
  // like while somebody watches: it looks once a second, and at new runs at once. It looks for a
  // program only a few times, because that may be a search through all processes.
  void look(Recorder& recorder, const Connections& connections, Clock::time_point now);

 private:
  struct Known {
    std::optional<pid_t> process;
    int searches = 0;
  };
  std::map<std::uint64_t, Known> runs_;  // by id, those in flight
  std::optional<Clock::time_point> looked_;
  std::uint64_t newest_ = 0;
};
