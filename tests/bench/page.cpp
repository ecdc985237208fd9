#include "page.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>
#include <stdexcept>

#include "plot.hpp"
#include "text.hpp"

namespace fs = std::filesystem;

namespace {

using Words = std::vector<std::string>;
using Rows = std::vector<Words>;  // the first one is the header

std::string seconds(std::int64_t time) { return print("%.2f", double(time) / 1e6); }

// The median, and how far it went.
std::string seconds(const Spread& time) {
  return seconds(time.median) + " (" + seconds(time.least) + "–" + seconds(time.most) + ')';
}

std::string megabytes(std::int64_t kib) { return rounded(double(kib) / 1024); }

// Each program's microseconds, or KB, for one URL.
std::string cpu_each(const Cell& cell) {
  return grouped(std::llround(double(cell.cpu.median) / double(cell.n)));
}

std::string memory_each(const Results& results, const Cell& cell) {
  const double bytes = results.bytes_per_fetch(cell);
  return bytes > 0 ? rounded(bytes / 1024) : "";
}

std::string threads(const Cell& cell) {
  return cell.processes > 1 ? grouped(cell.processes) + " processes" : grouped(cell.threads);
}

bool is_among(const std::string& name, const Words& names) {
  return names.empty() || std::find(names.begin(), names.end(), name) != names.end();
}

// The programs that have figures, in the order of the contestants.
std::vector<const Cell*> cells(const Results& results, const std::string& path, std::int64_t n,
                               const Words& names) {
  std::vector<const Cell*> all;
  for (const auto& cell : results.fetching.cells)
    if (cell.path == path && cell.n == n && is_among(cell.program, names)) all.push_back(&cell);
  return all;
}

Rows delay_table(const Results& results, const std::vector<const Cell*>& cells) {
  Rows rows{{"", "time, s", "CPU, s", "µs each", "MB", "KB each", "threads", "descriptors",
             "in flight", "server, s"}};
  for (const auto* cell : cells) {
    if (!cell->lost.empty()) {
      rows.push_back({cell->program, "no result: " + cell->lost});
      continue;
    }
    rows.push_back({cell->program, seconds(cell->wall), seconds(cell->cpu), cpu_each(*cell),
                    megabytes(cell->peak.median), memory_each(results, *cell), threads(*cell),
                    grouped(cell->descriptors), grouped(cell->in_flight),
                    seconds(cell->server_cpu.median)});
  }
  return rows;
}

// Where the time of a fetch goes: in the program, in the kernel, and how often it goes there.
Rows work_table(const Results& results, const std::vector<const Cell*>& cells) {
  Rows rows{{"", "user, µs", "system, µs", "system calls", "page faults", "KB"}};
  for (const auto* cell : cells) {
    if (!cell->lost.empty()) continue;
    const auto each = [&](std::int64_t time) { return rounded(double(time) / double(cell->n)); };
    const Calls* const calls = results.calls(cell->program);
    rows.push_back({cell->program, each(cell->user.median),
                    each(cell->cpu.median - cell->user.median),
                    calls ? print("%.1f", calls->each()) : "",
                    print("%.1f", std::max(results.faults_per_fetch(*cell), 0.0)),
                    memory_each(results, *cell)});
  }
  return rows;
}

// Which system calls a fetch makes, the most frequent first.
Rows calls_table(const Results& results, const Words& names) {
  Rows rows{{"", "system calls per fetch"}};
  for (const auto& one : results.fetching.calls) {
    if (!is_among(one.program, names)) continue;
    std::vector<std::pair<double, std::string>> sorted;
    for (const auto& [name, count] : one.calls)
      if (count * 10 >= one.fetches)
        sorted.emplace_back(-double(count) / double(one.fetches), '`' + name + '`');
    std::sort(sorted.begin(), sorted.end());
    std::string text;
    for (const auto& [count, name] : sorted)
      text += (text.empty() ? "" : ", ") + name + print(" %.1f", -count);
    rows.push_back({one.program, text});
  }
  return rows;
}

// The least that tells them apart, for a slide.
Rows cost_table(const std::vector<const Cell*>& cells) {
  Rows rows{{"", "time", "CPU", "memory", "threads"}};
  for (const auto* cell : cells)
    if (cell->lost.empty())
      rows.push_back({cell->program, print("%.1f s", double(cell->wall.median) / 1e6),
                      seconds(cell->cpu.median) + " s", megabytes(cell->peak.median) + " MB",
                      threads(*cell)});
  return rows;
}

Rows throughput_table(const std::vector<const Cell*>& cells) {
  Rows rows{{"", "fetches per second", "CPU, µs each", "server, µs each"}};
  const auto rate = [](const Cell& cell, std::int64_t time) {
    return grouped(std::llround(double(cell.n) * 1e6 / double(time)));
  };
  for (const auto* cell : cells) {
    if (!cell->lost.empty()) {
      rows.push_back({cell->program, "no result: " + cell->lost});
      continue;
    }
    const auto& wall = cell->wall;
    rows.push_back({cell->program,
                    rate(*cell, wall.median) + " (" + rate(*cell, wall.most) + "–" +
                        rate(*cell, wall.least) + ')',
                    cpu_each(*cell),
                    grouped(std::llround(double(cell->server_cpu.median) / double(cell->n)))});
  }
  return rows;
}

Rows target_table(const Results& results) {
  Rows rows{{"", "measured", "target", ""}};
  for (const auto& target : targets(results)) {
    const bool known = !std::isnan(target.value);
    rows.push_back({target.what,
                    known ? print("%.2f%s", target.value, target.unit) : "not measured",
                    print("%s %g%s", target.at_least ? "≥" : "≤", target.limit, target.unit),
                    !known         ? ""
                    : target.met() ? "met"
                                   : "**not met**"});
  }
  return rows;
}

Rows serving_table(const Serving& serving) {
  if (serving.about.date.empty()) return {};
  const auto row = [](const char* name, const Spread& rate) -> Words {
    return {name,
            grouped(rate.median) + " (" + grouped(rate.least) + "–" + grouped(rate.most) + ')'};
  };
  return {{"", "requests per second"},
          row("test server", serving.test_server),
          row("nginx, one worker", serving.nginx)};
}

Rows building_table(const Building& building) {
  if (building.about.date.empty()) return {};
  Rows rows{{"", "seconds"}};
  for (const auto& [program, time] : building.edits)
    rows.push_back({'`' + program + "`, from the edit to the binary", seconds(time)});
  if (building.clean)
    rows.push_back({"everything, from nothing", grouped(building.clean / 1'000'000)});
  if (building.number_of_tests)
    rows.push_back({"the " + grouped(building.number_of_tests) + " tests of `./learn test`",
                    grouped(building.tests / 1'000'000)});
  return rows;
}

// --- Forms --------------------------------------------------------------------------------------

std::string markdown(const Rows& rows) {
  std::string text;
  for (const auto& row : rows) {
    text += '|';
    for (std::size_t i = 0; i < rows[0].size(); ++i)
      text += ' ' + (i < row.size() ? row[i] : "") + " |";
    text += '\n';
    if (&row != &rows[0]) continue;
    text += "|---|";
    for (std::size_t i = 1; i < row.size(); ++i) text += "--:|";
    text += '\n';
  }
  return text;
}

// What a terminal shows of UTF-8 text; here each character has one column.
std::size_t columns(const std::string& text) {
  return std::size_t(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

// As a terminal shows it.
std::string without_marks(const std::string& markdown) {
  return std::regex_replace(markdown, std::regex("\\*\\*|`"), "");
}

// The first column flush left, the others right; a row of two is a name and a remark.
std::string plain(Rows rows) {
  if (rows.empty()) return "  not measured\n";
  for (auto& row : rows)
    for (auto& cell : row) cell = without_marks(cell);
  std::vector<std::size_t> widths(rows[0].size());
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i)
      if (row.size() == widths.size()) widths[i] = std::max(widths[i], columns(row[i]));
  std::string text;
  for (const auto& row : rows) {
    std::string line =
        "  " + row[0] + std::string(widths[0] - std::min(widths[0], columns(row[0])), ' ');
    for (std::size_t i = 1; i < row.size(); ++i)
      line += "  " + std::string(widths[i] - std::min(widths[i], columns(row[i])), ' ') + row[i];
    text += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
  }
  return text;
}

std::string described(const About& about) {
  if (about.date.empty()) return "not measured";
  std::string versions;
  for (const auto& [name, version] : about.versions) versions += ", " + name + ' ' + version;
  return '`' + about.command + "`, " + about.date + ", on " + about.machine + versions;
}

std::string list(const std::vector<Absence>& absences) {
  std::string text;
  for (const auto& [program, why] : absences) text += "* " + program + ' ' + why + ".\n";
  return text;
}

std::vector<std::int64_t> sizes(const Fetching& fetching, const std::string& path) {
  std::vector<std::int64_t> all;
  for (const auto& cell : fetching.cells)
    if (cell.path == path && std::find(all.begin(), all.end(), cell.n) == all.end())
      all.push_back(cell.n);
  std::sort(all.begin(), all.end());
  return all;
}

// --- In READMEs ---------------------------------------------------------------------------------

// How many times as much one takes as the other.
std::string ratio(const Results& results, const Words& words) {
  const Cell *one = results.find(words.at(1), delayed, std::stoll(words.at(3))),
             *other = results.find(words.at(2), delayed, std::stoll(words.at(3)));
  if (!one || !other) return "(not measured)";
  return print("%.1f", double(one->cpu.median) / double(other->cpu.median));
}

std::string figure(const Results& results, const Words& words) {
  const std::string name = words.at(1), kind = words.at(3);
  const Cell* const cell = results.find(name, delayed, std::stoll(words.at(2)));
  if (!cell) return "(not measured)";
  if (kind == "time") return print("%.1f s", double(cell->wall.median) / 1e6);
  if (kind == "cpu") return print("%.1f s", double(cell->cpu.median) / 1e6);
  if (kind == "peak") return megabytes(cell->peak.median) + " MB";
  if (kind == "each") return memory_each(results, *cell) + " KB";
  if (kind == "cpu-each") return cpu_each(*cell) + " µs";
  throw std::runtime_error("no figure of this kind: " + kind);
}

// Words in quotes are one.
Words split(const std::string& text) {
  Words all;
  std::istringstream stream(text);
  for (std::string word; stream >> std::quoted(word);) all.push_back(word);
  return all;
}

std::string block(const std::string& what, const Results& results) {
  const Words words = split(what);
  const std::string kind = words.empty() ? "" : words[0];
  const auto paragraph = [](const std::string& text) { return '\n' + text; };
  if (kind == "figure" && words.size() == 4) return figure(results, words);
  if (kind == "ratio" && words.size() == 4) return ratio(results, words);
  if (kind == "about" && words.size() == 2) {
    const auto& it = words[1] == "serving"    ? results.serving.about
                     : words[1] == "building" ? results.building.about
                                              : results.fetching.about;
    return described(it);
  }
  if ((kind == "table" || kind == "costs") && words.size() >= 2) {
    const auto found =
        cells(results, delayed, std::stoll(words[1]), {words.begin() + 2, words.end()});
    return paragraph(markdown(kind == "table" ? delay_table(results, found) : cost_table(found)));
  }
  if (kind == "work" && words.size() >= 2)
    return paragraph(markdown(work_table(
        results, cells(results, delayed, std::stoll(words[1]), {words.begin() + 2, words.end()}))));
  if (kind == "calls")
    return paragraph(markdown(calls_table(results, {words.begin() + 1, words.end()})));
  if (kind == "seed") return std::to_string(results.fetching.seed);
  if (kind == "throughput" || kind == "tls") {
    const char* const path = kind == "tls" ? over_tls : at_once;
    Rows rows{{}};
    for (const auto n : sizes(results.fetching, path))
      rows = throughput_table(cells(results, path, n, {words.begin() + 1, words.end()}));
    return paragraph(markdown(rows));
  }
  if (kind == "targets") return paragraph(markdown(target_table(results)));
  if (kind == "absences") return paragraph(list(results.fetching.absences));
  if (kind == "serving") return paragraph(markdown(serving_table(results.serving)));
  if (kind == "building") return paragraph(markdown(building_table(results.building)));
  throw std::runtime_error("no such block: bench " + what);
}

std::string read(const fs::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<fs::path> pages(const fs::path& root) {
  std::vector<fs::path> all{root / "README.md", root / "tests/bench/README.md"};
  for (const auto& folder : fs::directory_iterator(root))
    if (fs::exists(folder.path() / "README.md") &&
        std::isdigit(folder.path().filename().string()[0]))
      all.push_back(folder.path() / "README.md");
  for (const auto& slides : fs::directory_iterator(root / "slides/talk"))
    if (slides.path().extension() == ".md") all.push_back(slides.path());
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace

std::string report(const Results& results) {
  std::string text;
  const auto& fetching = results.fetching;
  std::vector<std::string> paths;
  for (const auto& cell : fetching.cells)
    if (std::find(paths.begin(), paths.end(), cell.path) == paths.end()) paths.push_back(cell.path);
  for (const auto& path : paths) {
    for (const auto n : sizes(fetching, path)) {
      text += '\n' + grouped(n) + " at once, of " + path + ":\n\n";
      const auto found = cells(results, path, n, {});
      text += plain(path == at_once || path == over_tls ? throughput_table(found)
                                                        : delay_table(results, found));
      text += "\nEach of them:\n\n" + plain(work_table(results, found));
    }
  }
  if (!fetching.calls.empty()) text += '\n' + plain(calls_table(results, {}));
  if (!fetching.cells.empty())
    text += "\nThe order was shuffled with --seed " + std::to_string(fetching.seed) + ".\n";
  if (!fetching.absences.empty()) text += '\n' + without_marks(list(fetching.absences));
  if (!results.serving.about.date.empty()) text += '\n' + plain(serving_table(results.serving));
  if (!results.building.about.date.empty()) text += '\n' + plain(building_table(results.building));
  text += "\nWhat is to be reached:\n\n" + plain(target_table(results));
  for (const auto* about : {&fetching.about, &results.serving.about, &results.building.about})
    if (!about->date.empty()) text += '\n' + described(*about) + '\n';
  return text;
}

std::string refreshed(const std::string& text, const Results& results) {
  static const std::regex begin("<!-- bench (.*?) -->");
  static const std::string end = "<!-- bench end -->";
  std::string all;
  auto at = text.begin();
  for (std::smatch match; std::regex_search(at, text.end(), match, begin);) {
    const auto stop = text.find(end, std::size_t(match[0].second - text.begin()));
    if (match[1] == "end" || stop == text.npos)
      throw std::runtime_error(match[0].str() + " has no partner");
    const std::string written = block(match[1], results);
    const auto line = text.rfind('\n', std::size_t(match[0].first - text.begin())) + 1;
    const auto first = text.find_first_not_of(' ', line);
    if (written[0] != '\n' && text.begin() + std::ptrdiff_t(first) == match[0].first)
      throw std::runtime_error(match[0].str() + " begins a line, which would all be HTML");
    all.append(at, match[0].second);
    all += written + end;
    at = text.begin() + std::ptrdiff_t(stop + end.size());
  }
  return all.append(at, text.end());
}

std::vector<fs::path> refresh(const fs::path& root, const Results& results, bool only_look) {
  std::vector<fs::path> changed;
  const auto write = [&](const fs::path& file, const std::string& text) {
    if (read(file) == text) return;
    changed.push_back(file);
    if (!only_look && !(std::ofstream(file) << text << std::flush))
      throw std::runtime_error("cannot write " + file.string());
  };
  for (const auto& page : pages(root)) try {
      write(page, refreshed(read(page), results));
    } catch (const std::exception& error) {
      throw std::runtime_error(page.string() + ": " + error.what());
    }
  for (const auto& [name, figure] :
       {std::pair{"time", Figure::time}, {"cpu", Figure::cpu}, {"memory", Figure::memory}})
    write(root / "tests/bench" / (std::string(name) + ".svg"), plot(results, figure));
  return changed;
}
