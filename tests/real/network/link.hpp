// A network of two hosts, and a link between them that is as bad as a test wants it to be.

#pragma once

#include <chrono>
#include <stdexcept>
#include <thread>

#include "process.hpp"

// The system does not let this user make a network.
struct Missing : std::runtime_error {
  using runtime_error::runtime_error;
};

struct Weather {
  std::chrono::milliseconds delay{0};  // each way
  double loss = 0;                     // the share of lost packets
  int times = 2;                       // the most often that the same packet is lost
  // The link stops so long after the first packet, for so long. Then it delivers what it held, or
  // has lost it.
  std::chrono::milliseconds stops_after{0}, stops_for{0};
  bool stop_loses = false;
  unsigned seed = 0;  // of the generator that loses packets
};

// Each host is a network namespace with a TUN device. A thread passes packets of IPv4 between them.
// There are no other hosts: whoever tries to reach one hears nothing.
class Link {
 public:
  static constexpr char client_address[] = "10.0.0.1", server_address[] = "10.0.0.2";
  static constexpr char second_address[] = "10.0.0.5";  // of the server's host, too

  // Throws Missing. Only the main thread may do this, while it is the only one.
  explicit Link(const Weather& weather);

  // The programs that the main thread starts from now on run on that host.
  void enter_client() const;
  void enter_server() const;

 private:
  struct Host {
    Host(const char* address, const char* peer, const char* second = nullptr);
    Descriptor network, tun;
  };
  void forward(std::stop_token stop) const;

  Weather weather_;
  Host client_, server_;
  std::jthread thread_;
};
