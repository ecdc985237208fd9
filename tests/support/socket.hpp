// Raw TCP on the loopback, for what an HTTP library would not send, or would hide. Every call
// throws after 30 s.

#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "process.hpp"

class Socket {
 public:
  explicit Socket(Descriptor connected);
  // Connects to `port` of `address`, a numeric one.
  explicit Socket(std::uint16_t port, const char* address = "127.0.0.1");

  Socket& send(std::string_view bytes);

  // What comes until the peer closes; a reset counts as that too, and `was_reset` tells.
  std::string receive();
  // What comes until it contains `end`, or the peer closes.
  std::string receive_until(std::string_view end);
  bool was_reset() const { return was_reset_; }

  void shut_down();  // says that nothing more will be sent
  void reset();      // closes by a TCP reset

 private:
  bool receive_some(std::string& bytes, std::chrono::steady_clock::time_point deadline);

  Descriptor socket_;
  bool was_reset_ = false;
};

// A port of 127.0.0.1 that answers as the test tells it to.
class Listener {
 public:
  Listener();
  std::uint16_t port() const { return port_; }
  std::string url(const std::string& path) const;
  Socket accept();

 protected:
  enum class Kind { listening, bound };
  explicit Listener(Kind kind);

 private:
  Descriptor socket_;
  std::uint16_t port_;
};

// A port of 127.0.0.1 that refuses, for as long as this lives.
struct RefusedPort : Listener {
  RefusedPort() : Listener(Kind::bound) {}
};

// Whether this machine has a loopback of IP version 6.
bool has_ipv6();
