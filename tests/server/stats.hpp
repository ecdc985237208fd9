// Counts requests. This proves without a clock that a client does several things at once.

#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

struct Stats {
  std::uint64_t requests = 0;   // so far
  std::uint64_t in_flight = 0;  // read in full, but not yet answered in full
  std::uint64_t most_in_flight = 0;

  // Starts afresh. Those in flight now stay in flight.
  void reset() {
    requests = 0;
    most_in_flight = in_flight;
  }

  std::string json() const {
    return "{\"requests\": " + std::to_string(requests) +
           ", \"in_flight\": " + std::to_string(in_flight) +
           ", \"most_in_flight\": " + std::to_string(most_in_flight) + "}\n";
  }
};

// Counts one request as in flight for as long as it lives.
class InFlight {
 public:
  explicit InFlight(Stats& stats) : stats_(stats) {
    ++stats_.requests;
    stats_.most_in_flight = std::max(stats_.most_in_flight, ++stats_.in_flight);
  }
  ~InFlight() { --stats_.in_flight; }
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;

 private:
  Stats& stats_;
};
