// The test server as a fixture: each test has its own, on a free port.

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "process.hpp"

// The test server's program.
std::string server_program();

struct Stats {
  unsigned requests, in_flight, most_in_flight;
};

class Server {
 public:
  // Starts it; it serves from now on.
  explicit Server(const std::vector<std::string>& options = {});
  // Ends it by closing its stdin, and checks that it had no error.
  ~Server();

  std::uint16_t port() const { return port_; }
  std::string url(const std::string& path = "") const { return base_url_ + path; }
  // Started with --tls-port: the https port, or with --bad-tls that of one of its faults.
  std::string tls_url(const std::string& fault = "") const { return tls_urls_.at(fault); }
  // The certificate to trust for that, for SSL_CERT_FILE.
  std::string ca_file() const { return ca_file_.path; }
  pid_t pid() const { return process_.pid(); }

  // What its /stats says. This request itself is not counted.
  Stats stats() const;
  // Ends it as a crash would.
  void kill();
  // Waits until so many requests are in flight, for at most 20 s. Returns whether they are.
  bool come_in_flight(unsigned count) const;

 private:
  struct TemporaryFile {
    TemporaryFile();
    ~TemporaryFile();
    std::string path;
  } ca_file_;
  Process process_;
  bool killed_ = false;
  std::map<std::string, std::string> tls_urls_;
  std::string base_url_;
  std::uint16_t port_;
};
