// Raw TCP on the loopback, for what an HTTP library would not send, or would hide. Every call
// throws after 30 s.

#pragma once

#include <array>
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
  explicit Listener(std::uint16_t port = 0);  // 0: any
  std::uint16_t port() const { return port_; }
  std::string url(const std::string& path) const;
  Socket accept();

 protected:
  enum class Kind { listening, full, bound };
  Listener(Kind kind, const char* address, std::uint16_t port);

 private:
  Descriptor socket_;
  std::uint16_t port_;
};

// A port of 127.0.0.1 that refuses, for as long as this lives.
struct RefusedPort : Listener {
  RefusedPort() : Listener(Kind::bound, "127.0.0.1", 0) {}
};

// A port that answers nobody who wants to connect, because the queue of those who do is full.
class SilentPort : public Listener {
 public:
  explicit SilentPort(const char* address = "127.0.0.1", std::uint16_t port = 0);
  void wake();  // lets in who still wants to connect

 private:
  std::array<Descriptor, 4> clients_;
};

// Whether this machine has a loopback of IP version 6.
bool has_ipv6();
