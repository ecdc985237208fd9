// A name server, as small as a test needs it: it knows addresses of IPv4, over UDP.

#pragma once

#include <chrono>
#include <filesystem>
#include <list>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "folder.hpp"
#include "process.hpp"

class NameServer {
 public:
  struct Name {
    std::vector<std::string> addresses;
    std::chrono::seconds delay{0};  // of each answer
  };

  // From now on it answers at port 53 of an address of this thread's network, and the programs that
  // this program starts ask it, and nobody else. Throws Missing.
  NameServer(const char* address, std::map<std::string, Name> names);

 private:
  // A file that these programs see in the place of another one.
  struct Shown {
    Shown(const std::filesystem::path& file, const std::string& its_place);
    ~Shown();
    const std::string place;
  };
  void show_files(const std::string& address);
  void serve(std::stop_token stop) const;

  const std::map<std::string, Name> names_;
  const Folder folder_;
  std::list<Shown> shown_;
  const Descriptor socket_;
  std::jthread thread_;
};
