#include "events.hpp"

#include <boost/beast/http/field.hpp>
#include <cstdio>

#include "timeline.hpp"

namespace http = boost::beast::http;

namespace views {

namespace {

constexpr unsigned most_viewers = 50;
constexpr auto interval = std::chrono::milliseconds(100);
constexpr auto longest_silence = std::chrono::seconds(10);

std::string milliseconds(std::optional<Micros> time) {
  if (!time) return "null";
  char text[40];
  std::snprintf(text, sizeof text, "%.3f", double(time->count()) / 1e3);
  return text;
}

void append_bar(std::string& json, const Bar& bar, std::size_t row) {
  const std::string outcome = timeline::outcome(bar);
  json += "{\"row\": " + std::to_string(row) + ", \"target\": " + json_string(bar.target) +
          ", \"accepted\": " + milliseconds(bar.accepted) +
          ", \"read\": " + milliseconds(bar.read) + ", \"first\": " + milliseconds(bar.first) +
          ", \"last\": " + milliseconds(bar.last) + ", \"status\": " + std::to_string(bar.status) +
          ", \"outcome\": " + json_string(outcome.empty() ? "OK" : outcome) + '}';
}

void append_run(std::string& json, const Run& run, std::uint64_t since, Clock::time_point now) {
  json += "{\"id\": " + std::to_string(run.id) + ", \"agent\": " + json_string(run.agent) +
          ", \"name\": " + json_string(timeline::name(run)) +
          ", \"requests\": " + std::to_string(run.requests) +
          ", \"in_flight\": " + std::to_string(run.in_flight) +
          ", \"most_in_flight\": " + std::to_string(run.most_in_flight) +
          ", \"took\": " + milliseconds(timeline::span(run, now));
  if (run.holding)
    json += ", \"threads\": " + std::to_string(run.holding->threads) +
            ", \"kib\": " + std::to_string(run.holding->kib);
  const char* comma = "";
  if (run.requests > timeline::most_rows) {
    json += ", \"skyline\": {\"step\": " + milliseconds(run.skyline.step()) + ", \"in_flight\": [";
    for (const auto& level : run.skyline.levels()) {
      json += comma;
      json += std::to_string(level.in_flight);
      comma = ",";
    }
    json += "]}}";
    return;
  }
  json += ", \"bars\": [";
  for (std::size_t row = 0; row < run.bars.size(); ++row) {
    if (run.bars[row].changed <= since) continue;
    json += comma;
    append_bar(json, run.bars[row], row);
    comma = ", ";
  }
  json += "]}";
}

std::uint64_t last_event_id(const Exchange& exchange) try {
  return Exchange::number(exchange.request["Last-Event-ID"], std::uint64_t{0}, std::uint64_t(-1));
} catch (const std::invalid_argument&) {
  return 0;
}

// Counts a viewer for as long as it lives.
struct Viewer {
  explicit Viewer(unsigned& all) : count(all) { ++count; }
  ~Viewer() { --count; }
  Viewer(const Viewer&) = delete;
  Viewer& operator=(const Viewer&) = delete;
  unsigned& count;
};

}  // namespace

std::string news(const Site& its, std::uint64_t since, Clock::time_point now) {
  const Recorder& recorder = its.recorder;
  if (since < recorder.first_version() || since > recorder.version()) since = 0;
  std::string json = "{\"id\": " + std::to_string(recorder.version()) +
                     ", \"server\": " + std::to_string(recorder.first_version()) +
                     ", \"requests\": " + std::to_string(its.stats.requests) +
                     ", \"in_flight\": " + std::to_string(its.stats.in_flight) +
                     ", \"most_in_flight\": " + std::to_string(its.stats.most_in_flight) +
                     ", \"viewers\": " + std::to_string(its.viewers) +
                     ", \"oldest\": " + std::to_string(recorder.oldest_id()) + ", \"runs\": [";
  const char* comma = "";
  for (const auto& run : recorder.runs()) {
    if (run->changed <= since) continue;
    json += comma;
    append_run(json, *run, since, now);
    comma = ", ";
  }
  return json + "]}";
}

awaitable<void> events(Site& its, Exchange& exchange) {
  if (exchange.request.method() == http::verb::delete_) {
    its.recorder.clear();
    its.stats.reset();
    co_return co_await exchange.send(200);
  }
  if (its.viewers == most_viewers) co_return co_await exchange.send(503, "too many viewers\n");
  const Viewer counted(its.viewers);
  exchange.end_connection();
  co_await exchange.send_head(200, {},
                              "Content-Type: text/event-stream\r\nCache-Control: no-store\r\n");
  if (!exchange.has_body()) co_return;
  co_await exchange.client.write("retry: 500\n\n");

  std::uint64_t told = last_event_id(exchange);
  bool first = true;  // even if there is no news, how many are in flight is
  auto written = Clock::now();
  for (;;) {
    const auto now = Clock::now(), silent_since = written;
    its.peers.look(its.recorder, its.connections, now);
    const std::uint64_t version = its.recorder.version();
    if (first || version != told) {
      const std::string event =
          "id: " + std::to_string(version) + "\ndata: " + news(its, told, now) + "\n\n";
      told = version;
      first = false;
      written = now;
      co_await exchange.client.write(event);
    } else if (now - silent_since > longest_silence) {
      written = now;
      co_await exchange.client.write(":\n\n");
    }
    co_await exchange.client.wait(interval);
  }
}

awaitable<void> events_json(Site& its, Exchange& exchange) {
  const auto since =
      exchange.option("since", std::uint64_t{0}, std::uint64_t(-1), std::uint64_t{0});
  its.peers.look(its.recorder, its.connections, Clock::now());
  co_await exchange.send(200, news(its, since, Clock::now()) + '\n',
                         "Content-Type: application/json\r\nCache-Control: no-store\r\n");
}

}  // namespace views
