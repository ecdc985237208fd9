// The programs that are measured: the chapters', a minimal client, and what people would use
// instead.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

struct Contestant {
  std::string name;
  std::vector<std::string> command;
  std::int64_t most = 0;                  // URLs at once, with a delay
  std::string why;                        // it is not given more
  int descriptors = 1;                    // that it needs for each URL
  const char* colour = "#444";            // in the pictures
  const char* dashes = nullptr;           // of its line there; none for a chapter's `fetch`
  std::vector<std::string> version = {};  // a peer's: prints its version, if the peer is there
  const char* package = "";               // of Debian, that brings the peer
  std::vector<std::string> build = {};    // makes the peer's program, if it is to be compiled
  bool has_tls = false;                   // it is measured over TLS, too
};

const std::vector<Contestant>& contestants();

// Throws std::out_of_range for a name that nobody has.
const Contestant& contestant(const std::string& name);
