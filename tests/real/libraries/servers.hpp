// Real servers, on a folder of their own, for as long as a test needs them.

#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "folder.hpp"
#include "process.hpp"

// What a server takes is not on this machine.
struct Missing : std::runtime_error {
  using runtime_error::runtime_error;
};

// Is found in build/servers, where `./learn test all` unpacks it, or on this machine. It ends with
// this object, and if this program is killed. Where this is root, the server is nobody: PostgreSQL
// refuses root. It holds 300 clients.
class Server {
 public:
  // For the library pq, hiredis, mariadb or ssh2. Throws Missing, or std::runtime_error with what
  // the server said.
  explicit Server(const std::string& library);
  ~Server();

  const std::string& version() const { return version_; }
  const std::string& address() const { return address_; }  // for the library's program
  std::string log() const;

 private:
  void postgres();
  void redis();
  void mariadb();
  void sshd();
  bool starts(const std::vector<std::string>& command, const std::string& ready, int end_signal);

  struct Close {
    void operator()(std::FILE* file) const { pclose(file); }
  };
  Folder folder_;
  std::unique_ptr<std::FILE, Close> heir_;  // removes the folder, even if this program is killed
  std::string version_, address_;
  std::unique_ptr<Process> process_;
  int end_signal_ = 0;
};
