// nginx, Apache, HAProxy or lighttpd as a fixture: each with a configuration that stands beside
// this file, on free ports of 127.0.0.1, in a folder of its own.

#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "folder.hpp"
#include "process.hpp"

struct Software {
  std::string name;                  // and that of its configuration
  std::string program;               // from /usr on
  std::vector<std::string> options;  // with @folder@ and @prefix@
  int reload;                        // the signal that has it read its configuration again
};

// Its program: the one that ./learn has fetched, or the system's. None if there is neither.
std::optional<std::filesystem::path> find(const Software& software);

// The certificates of all servers, below one authority.
class Certificates {
 public:
  Certificates();

  // Writes what a server needs into its folder: ca.pem, and for each name a file with a key and a
  // certificate.
  void write_to(const Folder& folder) const;
  // The authority's, for SSL_CERT_FILE.
  std::string authority_file() const { return folder_.path() / "ca.pem"; }

 private:
  Folder folder_;
};

class RealServer {
 public:
  using Values = std::map<std::string, std::string>;

  // Starts it; it serves from now on. `values` stand in its configuration for the words between
  // two @.
  RealServer(const Software& software, const Certificates& certificates, Values values);
  // Ends it, and checks that it ended well and left no process behind.
  ~RealServer();

  std::uint16_t port(const std::string& name) const { return ports_.at(name); }
  // Has it read its configuration again, with another value.
  void reload(const std::string& name, const std::string& value);

 private:
  void choose_ports();
  void write_configuration() const;
  bool start();  // false if it has ended at once: another program may have taken a port

  const Software software_;
  Values values_;
  std::map<std::string, std::uint16_t> ports_;
  Folder folder_;
  std::unique_ptr<Process> process_;
};
