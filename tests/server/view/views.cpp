#include "views.hpp"

#include <algorithm>
#include <set>

#include "timeline.hpp"

namespace views {

extern const std::string_view page_html;  // which CMake makes of page.html

namespace {

constexpr char html_fields[] = "Content-Type: text/html; charset=utf-8\r\n";
constexpr char svg_fields[] = "Content-Type: image/svg+xml\r\nCache-Control: no-store\r\n";
constexpr char text_fields[] =
    "Content-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n";
constexpr char json_fields[] = "Content-Type: application/json\r\nCache-Control: no-store\r\n";

std::string option(const Exchange& exchange, const std::string& name) {
  const auto found = exchange.query.find(name);
  return found == exchange.query.end() ? "" : found->second;
}

std::shared_ptr<const Run> run_with(const Recorder& recorder, std::string_view id) {
  const auto number = Exchange::number(id, std::uint64_t{1}, std::uint64_t(-1));
  for (const auto& run : recorder.runs())
    if (run->id == number) return run;
  throw std::invalid_argument("no run " + std::string(id) + " is recorded");
}

// Throws std::invalid_argument if the query names a run that does not exist, or names one twice. (A
// large run, named a hundred times, would be too much for a picture.)
timeline::Runs chosen(const Recorder& recorder, const Exchange& exchange) {
  const std::string one = option(exchange, "run"), some = option(exchange, "runs");
  if (!one.empty()) return {run_with(recorder, one)};
  timeline::Runs runs;
  if (some.empty()) {
    std::set<std::string> agents;
    for (auto run = recorder.runs().rbegin(); run != recorder.runs().rend(); ++run)
      if (agents.insert((*run)->agent).second) runs.insert(runs.begin(), *run);
  } else if (some == "all") {
    runs.assign(recorder.runs().begin(), recorder.runs().end());
  } else {
    for (std::size_t at = 0, end; at <= some.size(); at = end + 1) {
      end = std::min(some.find(',', at), some.size());
      auto run = run_with(recorder, std::string_view(some).substr(at, end - at));
      if (std::find(runs.begin(), runs.end(), run) != runs.end())
        throw std::invalid_argument("a run twice");
      runs.push_back(std::move(run));
    }
  }
  return runs;
}

// The least that the time scale must show.
Micros scale(const Exchange& exchange) {
  return std::chrono::duration_cast<Micros>(Seconds(exchange.option("span", 0., 86400., 0.)));
}

}  // namespace

awaitable<void> page(Site&, Exchange& exchange) {
  co_await exchange.send(200, page_html, html_fields);
}

awaitable<void> timeline_svg(Site& its, Exchange& exchange) {
  co_await exchange.send(
      200, timeline::svg(chosen(its.recorder, exchange), Clock::now(), scale(exchange)),
      svg_fields);
}

awaitable<void> timeline_txt(Site& its, Exchange& exchange) {
  const auto width = exchange.option("width", 40u, 400u, 80u);
  const bool ascii = exchange.option("ascii", 0, 1, 0);
  co_await exchange.send(
      200,
      timeline::text(chosen(its.recorder, exchange), Clock::now(), scale(exchange), width, ascii),
      text_fields);
}

awaitable<void> trace_json(Site& its, Exchange& exchange) {
  co_await exchange.send(200, timeline::trace(chosen(its.recorder, exchange), Clock::now()),
                         json_fields);
}

}  // namespace views
