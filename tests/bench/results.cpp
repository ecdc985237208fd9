#include "results.hpp"

#include <algorithm>
#include <boost/json/src.hpp>
#include <cmath>
#include <fstream>
#include <limits>
#include <numeric>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace json = boost::json;

Spread spread(std::vector<std::int64_t> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const auto half = values.size() / 2;
  const auto median =
      values.size() % 2 ? values[half] : std::midpoint(values[half - 1], values[half]);
  return {median, values.front(), values.back()};
}

const Cell* Results::find(const std::string& program, const std::string& path,
                          std::int64_t n) const {
  for (const auto& cell : fetching.cells)
    if (cell.program == program && cell.path == path && cell.n == n && cell.lost.empty())
      return &cell;
  return nullptr;
}

double Results::bytes_per_fetch(const Cell& cell) const {
  const Cell* const few = find(cell.program, cell.path, 10);
  if (!few || cell.n <= few->n) return 0;
  return double(cell.peak.median - few->peak.median) * 1024 / double(cell.n - few->n);
}

double Results::faults_per_fetch(const Cell& cell) const {
  const Cell* const few = find(cell.program, cell.path, 10);
  if (!few || cell.n <= few->n) return 0;
  return double(cell.faults.median - few->faults.median) / double(cell.n - few->n);
}

const Calls* Results::calls(const std::string& program) const {
  for (const auto& one : fetching.calls)
    if (one.program == program) return &one;
  return nullptr;
}

double Calls::each() const {
  std::int64_t sum = 0;
  for (const auto& [name, count] : calls) sum += count;
  return fetches ? double(sum) / double(fetches) : 0;
}

// --- As JSON ------------------------------------------------------------------------------------

namespace {

bool is_flat(const json::value& value) {
  if (const auto* array = value.if_array()) return array->empty();
  const auto* object = value.if_object();
  if (!object) return true;
  return object->size() <= 3 || object->contains("median") || object->contains("n") ||
         object->contains("fetches");
}

// An object or array of the upper levels takes a line for each of its members.
void write(std::ostream& out, const json::value& value, const std::string& indent) {
  if (is_flat(value) && indent.size() > 2) {
    out << value;
    return;
  }
  const auto inner = indent + "  ";
  auto separator = "\n";
  if (const auto* array = value.if_array()) {
    out << '[';
    for (const auto& element : *array) {
      out << std::exchange(separator, ",\n") << inner;
      write(out, element, inner);
    }
    out << '\n' << indent << ']';
  } else if (const auto* object = value.if_object()) {
    out << '{';
    for (const auto& [name, member] : *object) {
      out << std::exchange(separator, ",\n") << inner << json::serialize(name) << ": ";
      write(out, member, inner);
    }
    out << '\n' << indent << '}';
  } else {
    out << value;
  }
}

}  // namespace

Results load(const std::string& file) try {
  std::ifstream in(file);
  if (!in) return {};
  std::ostringstream text;
  text << in.rdbuf();
  return json::value_to<Results>(json::parse(text.str()));
} catch (const std::exception& error) {
  throw std::runtime_error(file + ": " + error.what());
}

void save(const Results& results, const std::string& file) {
  std::ofstream out(file);
  write(out, json::value_from(results), "");
  if (!(out << '\n' << std::flush)) throw std::runtime_error("cannot write " + file);
}

// --- Targets ------------------------------------------------------------------------------------

namespace {

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

class Ratios {
 public:
  explicit Ratios(const Results& results) : results_(results) {}

  double cpu(const char* one, const char* other, int n) const {
    const Cell *a = results_.find(one, delayed, n), *b = results_.find(other, delayed, n);
    return a && b ? double(a->cpu.median) / double(b->cpu.median) : unknown;
  }

  double memory(const char* one, const char* other, int n) const {
    return bytes(one, n) / bytes(other, n);
  }

  double user_each(const char* program, int n) const {
    const Cell* const cell = results_.find(program, delayed, n);
    return cell ? double(cell->user.median) / n : unknown;
  }

  double calls(const char* program) const {
    const Calls* const calls = results_.calls(program);
    return calls ? calls->each() : unknown;
  }

  double bytes(const char* program, int n) const {
    const Cell* const cell = results_.find(program, delayed, n);
    const double bytes = cell ? results_.bytes_per_fetch(*cell) : 0;
    return bytes > 0 ? bytes : unknown;
  }

  // CPU per fetch of many against few.
  double growth(const char* program, int many, int few) const {
    const Cell *a = results_.find(program, delayed, many),
               *b = results_.find(program, delayed, few);
    if (!a || !b) return unknown;
    return double(a->cpu.median) / many / (double(b->cpu.median) / few);
  }

 private:
  const Results& results_;
};

double seconds(std::int64_t microseconds) {
  return microseconds ? double(microseconds) / 1e6 : unknown;
}

}  // namespace

std::vector<Target> targets(const Results& results) {
  const Ratios ratio(results);
  const char five[] = "05-coroutines", three[] = "03-callbacks";
  const char four[] = "04-green-threads", two[] = "02-threads";
  std::vector<Target> all{
      {"CPU of 05 ÷ that of raw epoll, 10,000", ratio.cpu(five, "epoll", 10'000), 1.4, "", false},
      {"user time of 05 per fetch, 10,000", ratio.user_each(five, 10'000), 20, " µs", false},
      {"user time of 03 per fetch, 10,000", ratio.user_each(three, 10'000), 20, " µs", false},
      {"system calls of 05 per fetch", ratio.calls(five), 10, "", false},
      {"system calls of 03 per fetch", ratio.calls(three), 10, "", false},
      {"memory of 05 per fetch, 10,000", ratio.bytes(five, 10'000) / 1024, 3.5, " KB", false},
      {"memory of 03 per fetch, 10,000", ratio.bytes(three, 10'000) / 1024, 3.5, " KB", false},
      {"CPU of 05 ÷ Rust's, 10,000", ratio.cpu(five, "Rust", 10'000), 0.9, "", false},
      {"memory of 05 per fetch ÷ Rust's, 10,000", ratio.memory(five, "Rust", 10'000), 0.2, "",
       false},
      {"CPU of 05 ÷ Go's, 10,000", ratio.cpu(five, "Go", 10'000), 0.5, "", false},
      {"memory of 05 per fetch ÷ Go's, 10,000", ratio.memory(five, "Go", 10'000), 0.15, "", false},
      {"CPU of 05 ÷ aiohttp's, 10,000", ratio.cpu(five, "aiohttp", 10'000), 0.22, "", false},
      {"CPU of 03 ÷ Twisted's, 10,000", ratio.cpu(three, "Twisted", 10'000), 0.12, "", false},
      {"CPU of 04 ÷ gevent's, 4,000", ratio.cpu(four, "gevent", 4'000), 0.35, "", false},
      {"CPU of 03 ÷ that of 05, 10,000", ratio.cpu(three, five, 10'000), 1.1, "", false},
      {"CPU of 04 ÷ that of 02, 4,000", ratio.cpu(four, two, 4'000), 0.75, "", false},
      {"memory of 04 per fetch ÷ that of 02, 4,000", ratio.memory(four, two, 4'000), 0.9, "",
       false},
      {"CPU of 05 per fetch, 19,000 ÷ 100", ratio.growth(five, 19'000, 100), 1.3, "", false},
      {"requests/s of the test server ÷ nginx's",
       results.serving.nginx.median
           ? double(results.serving.test_server.median) / double(results.serving.nginx.median)
           : unknown,
       0.8, "", true},
  };
  double slowest = results.building.edits.empty() ? unknown : 0;
  for (const auto& [program, time] : results.building.edits)
    slowest = std::max(slowest, seconds(time.median));
  all.push_back(
      {"from the edit of a `fetch.cpp` to its binary, the slowest", slowest, 3, " s", false});
  all.push_back(
      {"clean build of everything", seconds(results.building.clean) / 60, 4, " min", false});
  return all;
}
