// Records what the server saw of each request, in runs, for its pictures. The record does not grow
// without limit, and costs less than a microsecond per request.

#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

using Clock = std::chrono::steady_clock;
using Micros = std::chrono::microseconds;

// One request. Its times count from the start of its run.
struct Bar {
  std::string target;           // in printable ASCII, shortened
  Micros accepted{};            // its connection; the same as `read` if that was in use already
  Micros read{};                // the request, in full
  std::optional<Micros> first;  // byte of the answer out
  std::optional<Micros> last;   // byte of the answer out, or the end without an answer
  unsigned status = 0;          // of the answer; 0 if there is none
  bool cut_off = false;         // the client left, or did not take its answer
  std::uint64_t changed = 0;    // Recorder::version() of the last change
};

// How many requests were in flight over time: the most in each step. The steps are of one length,
// which doubles whenever there would be too many of them.
class Skyline {
 public:
  struct Level {
    std::uint32_t in_flight = 0, sending = 0;
  };
  static constexpr std::size_t most_levels = 512;

  // From `at` on it is `level`. `at` must not go back.
  void set(Micros at, Level level);

  Micros step() const { return Micros(std::int64_t{1} << doublings_); }
  const std::vector<Level>& levels() const { return levels_; }
  Level now() const { return now_; }

 private:
  std::vector<Level> levels_;
  Level now_;
  int doublings_ = 0;
};

// What a program has at one moment: threads, and memory in KiB.
struct Holding {
  unsigned threads = 0, kib = 0;
  bool operator==(const Holding&) const = default;
};

// The requests of one client program, as far as can be told from outside: of one User-Agent, with
// no pause between them.
struct Run {
  std::uint64_t id = 0;
  std::string agent;  // in printable ASCII, shortened
  Clock::time_point start;
  Micros end{};  // of its last change, since `start`
  std::uint64_t requests = 0, in_flight = 0, most_in_flight = 0;
  std::vector<Bar> bars;           // the first `most_bars` of the requests, in their order
  Skyline skyline;                 // of all requests
  std::optional<Holding> holding;  // of the program, when it was last looked at
  std::uint64_t changed = 0;

  static constexpr std::size_t most_bars = 20'000;
};

class Recorder {
 public:
  static constexpr std::size_t most_runs = 100;
  static constexpr std::size_t most_bars = 200'000;  // in all runs together

  // A request after so long a pause starts a new run.
  explicit Recorder(Clock::duration pause = std::chrono::milliseconds(500)) : pause_(pause) {}

  // The run that a request of `agent` belongs to: the agent's last one if that has requests in
  // flight, or had until a moment ago and no other run has begun since; otherwise a new one.
  std::shared_ptr<Run> run_of(std::string_view agent, Clock::time_point now);

  // The run's program holds that now. Without a value, the last one stays.
  void tell(Run& run, std::optional<Holding> holding);

  // The next request of each program starts a new run.
  void end_runs();
  // Forgets all runs, and ends those that go on.
  void clear();

  // The last runs, the oldest first.
  const std::deque<std::shared_ptr<Run>>& runs() const { return runs_; }
  // The lowest id of a run; if there is no run, the id of the next one.
  std::uint64_t oldest_id() const { return runs_.empty() ? next_id_ : runs_.front()->id; }

  // Grows with each change; after a restart of the server it goes on from more than before.
  std::uint64_t version() const { return version_; }
  std::uint64_t first_version() const { return first_version_; }

 private:
  friend class Recording;
  void changed(Run& run, Bar* bar, Clock::time_point now);

  const Clock::duration pause_;
  std::deque<std::shared_ptr<Run>> runs_;
  std::size_t bars_ = 0;
  std::uint64_t next_id_ = 1, first_open_ = 1;
  const std::uint64_t first_version_ = std::uint64_t(
      std::chrono::duration_cast<Micros>(std::chrono::system_clock::now().time_since_epoch())
          .count());
  std::uint64_t version_ = first_version_;
};

// Records a connection's requests, one at a time. It is made when the connection is accepted.
class Recording {
 public:
  explicit Recording(Clock::time_point accepted = Clock::now()) : accepted_(accepted) {}
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;
  ~Recording() { end(true); }

  // A request has been read. Until it ends, `recorder` must live.
  void begin(Recorder& recorder, std::string_view agent, std::string_view target,
             Clock::time_point now = Clock::now());
  // The answer has this status.
  void status(unsigned code);
  // The run of the request that has not ended; null if there is none.
  const Run* run() const { return run_.get(); }
  // Bytes of the answer go out.
  void write(Clock::time_point now = Clock::now());
  // The last byte is out, or the request is cut off. Does nothing if there is no request.
  void end(bool cut_off, Clock::time_point now = Clock::now());

 private:
  Bar* bar() { return row_ < run_->bars.size() ? &run_->bars[row_] : nullptr; }

  std::optional<Clock::time_point> accepted_;  // until the first request has been read
  Recorder* recorder_ = nullptr;
  std::shared_ptr<Run> run_;  // null between requests
  std::size_t row_ = 0;
  bool sending_ = false;
};
