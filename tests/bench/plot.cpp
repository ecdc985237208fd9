#include "plot.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "contestants.hpp"
#include "text.hpp"

namespace {

// Of the picture, and of the field within it.
constexpr double width = 900, height = 560, left = 76, right = 690, top = 58, bottom = 500;
constexpr double label_height = 17;

struct Point {
  double x, y, least, most;  // in what is measured
};

struct Line {
  const Contestant* who;
  std::vector<Point> points;
};

struct Kind {
  const char *title, *axis;
  double (*value)(const Results&, const Cell&, std::int64_t);
  std::int64_t at_least;  // the smallest size at which it tells something
};

double time_of(const Results&, const Cell&, std::int64_t wall) { return double(wall) / 1e6; }

double cpu_each(const Results&, const Cell& cell, std::int64_t cpu) {
  return double(cpu) / double(cell.n);
}

double memory_each(const Results& results, const Cell& cell, std::int64_t) {
  return results.bytes_per_fetch(cell) / 1024;
}

const Kind& kind_of(Figure figure) {
  static const Kind all[] = {
      {"Time until all answers are there", "seconds", time_of, 10},
      {"CPU per fetch", "microseconds", cpu_each, 10},
      {"Memory per fetch", "KB", memory_each, 1'000},
  };
  return all[int(figure)];
}

std::vector<Line> lines(const Results& results, Figure figure) {
  const Kind& kind = kind_of(figure);
  std::vector<Line> all;
  for (const auto& one : contestants()) {
    Line line{&one, {}};
    for (const auto& cell : results.fetching.cells) {
      if (cell.program != one.name || cell.path != delayed || !cell.lost.empty()) continue;
      const Spread& spread = figure == Figure::time ? cell.wall : cell.cpu;
      const Point point{double(cell.n), kind.value(results, cell, spread.median),
                        kind.value(results, cell, spread.least),
                        kind.value(results, cell, spread.most)};
      if (cell.n >= kind.at_least && point.least > 0) line.points.push_back(point);
    }
    if (!line.points.empty()) all.push_back(line);
  }
  return all;
}

// From one value to another, a decade as long as the next.
class Axis {
 public:
  Axis(double from, double to, double start, double end)
      : from_(std::log(from)), to_(std::log(to)), start_(start), end_(end) {}

  double operator()(double value) const {
    return start_ + (std::log(value) - from_) / (to_ - from_) * (end_ - start_);
  }

 private:
  double from_, to_, start_, end_;
};

// The next round number, 1, 2 or 5 times a power of ten, not below or not above.
double round_up(double value) {
  const double power = std::pow(10, std::floor(std::log10(value)));
  for (const double step : {1., 2., 5.})
    if (value <= step * power * 1.0001) return step * power;
  return 10 * power;
}

double round_down(double value) {
  const double power = std::pow(10, std::floor(std::log10(value)));
  for (const double step : {5., 2.})
    if (value * 1.0001 >= step * power) return step * power;
  return power;
}

std::string tick(double value) {
  return value < 1 ? print("%g", value) : grouped(std::llround(value));
}

int colour_of(const char* name) {
  const int short_one = std::stoi(name + 1, nullptr, 16);
  if (std::string(name).size() == 7) return short_one;
  return short_one >> 8 << 20 | short_one >> 8 << 16 | (short_one >> 4 & 15) << 12 |
         (short_one >> 4 & 15) << 8 | (short_one & 15) << 4 | (short_one & 15);
}

// The same colour for a black page.
int brighter(int colour) {
  int all = 0;
  for (const int shift : {16, 8, 0}) {
    const int part = colour >> shift & 255;
    all |= int(part + (255 - part) * 0.45) << shift;
  }
  return all;
}

std::string style() {
  std::string css =
      "text{font:13px system-ui,sans-serif;fill:#1f2328}.title{font-size:17px;font-weight:600}"
      ".chapter{font-weight:600}.soft{fill:#57606a}.grid{stroke:#d8dee4}.paper{fill:#fff}"
      "path{fill:none}.leader{stroke-width:.7}";
  std::string dark =
      "text{fill:#e6e8eb}.soft{fill:#a9b1ba}.grid{stroke:#343a42}.paper{fill:#14171c}";
  std::vector<int> done;
  for (const auto& one : contestants()) {
    const int colour = colour_of(one.colour);
    if (std::count(done.begin(), done.end(), colour)) continue;
    done.push_back(colour);
    const auto rules = [&](int shown) {
      return print(".c%06x{stroke:#%06x}.d%06x{fill:#%06x}", colour, shown, colour, shown);
    };
    css += rules(colour);
    dark += rules(brighter(colour));
  }
  return "<style>" + css + "@media(prefers-color-scheme:dark){" + dark + "}</style>\n";
}

// Places the labels as near to the ends of their lines as possible, without overlap. Those that are
// too near make a group, around the middle of what they wish for.
std::vector<double> spread_out(const std::vector<double>& wished) {
  struct Group {
    std::vector<std::size_t> members;
    double middle;
    double half() const { return double(members.size()) * label_height / 2; }
  };
  std::vector<std::size_t> order(wished.size());
  std::iota(order.begin(), order.end(), std::size_t(0));
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return wished[a] < wished[b]; });
  std::vector<Group> groups;
  for (const auto i : order) {
    groups.push_back({{i}, wished[i]});
    while (groups.size() > 1) {
      const Group last = groups.back();
      Group& above = *(groups.end() - 2);
      if (last.middle - above.middle >= last.half() + above.half()) break;
      above.middle =
          (above.middle * above.half() + last.middle * last.half()) / (above.half() + last.half());
      above.members.insert(above.members.end(), last.members.begin(), last.members.end());
      groups.pop_back();
    }
  }
  std::vector<double> all(wished.size());
  for (const auto& group : groups) {
    double at = std::min(group.middle + group.half(), bottom + 30) - 2 * group.half();
    for (const auto i : group.members) all[i] = (at += label_height) - label_height / 2;
  }
  return all;
}

}  // namespace

std::string plot(const Results& results, Figure figure) {
  const Kind& kind = kind_of(figure);
  const auto all = lines(results, figure);
  double least = 1, most = 10, few = double(kind.at_least), many = 10 * few;
  if (!all.empty()) least = 1e12, most = 0;
  for (const auto& line : all) {
    for (const auto& point : line.points) {
      least = std::min(least, point.least);
      most = std::max(most, point.most);
      many = std::max(many, point.x);
    }
  }
  least = round_down(least);
  most = std::max(round_up(most), 2 * least);
  const Axis x(few, many, left, right), y(least, most, bottom, top);

  std::string svg = print(
      "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %g %g' width='%g' height='%g' "
      "role='img'>\n<title>%s, by the number of URLs at once</title>\n",
      width, height, width, height, kind.title);
  svg +=
      "<desc>Both axes are logarithmic. A line for each program, with its name at the end, from "
      "the least to the most of its rounds.</desc>\n" +
      style();
  svg += print("<rect class='paper' width='%g' height='%g'/>\n", width, height);
  svg += print("<text class='title' x='16' y='26'>%s</text>", kind.title);
  svg += print("<text class='soft' x='16' y='45'>%s</text>\n", kind.axis);
  for (double power = 1e-6; power < 1e9; power *= 10) {
    for (const double step : {1., 2., 5.}) {
      const double value = power * step;
      if (value >= least * 0.999 && value <= most * 1.001)
        svg += print(
            "<path class='grid' d='M%g %.1fH%g'/><text class='soft' x='%g' y='%.1f' "
            "text-anchor='end'>%s</text>\n",
            left, y(value), right, left - 8, y(value) + 4, tick(value).c_str());
      const bool is_labelled = step == 1 || (many < 30 * few);
      if (value >= few * 0.999 && value <= many * 1.001 && is_labelled)
        svg += print(
            "<path class='grid' d='M%.1f %gV%g'/><text class='soft' x='%.1f' y='%g' "
            "text-anchor='middle'>%s</text>\n",
            x(value), top, bottom, x(value), bottom + 20, tick(value).c_str());
    }
  }
  svg += print(
      "<text class='soft' x='%g' y='%g' text-anchor='middle'>URLs at once, of a second "
      "each</text>\n",
      (left + right) / 2, bottom + 42);

  std::vector<double> ends;
  for (const auto& line : all) ends.push_back(y(line.points.back().y));
  const auto labels = spread_out(ends);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& line = all[i];
    const int colour = colour_of(line.who->colour);
    const bool is_chapter = !line.who->dashes;
    std::string path, whiskers, dots;
    for (const auto& point : line.points) {
      path += print("%s%.1f %.1f", path.empty() ? "M" : "L", x(point.x), y(point.y));
      if (y(point.least) - y(point.most) > 2)
        whiskers += print("M%.1f %.1fV%.1f", x(point.x), y(point.least), y(point.most));
      dots += print("<circle class='d%06x' cx='%.1f' cy='%.1f' r='%g'/>", colour, x(point.x),
                    y(point.y), is_chapter ? 3.5 : 2.5);
    }
    svg += print("<g><title>%s</title><path class='c%06x' stroke-width='%g'%s%s%s d='%s'/>",
                 line.who->name.c_str(), colour, is_chapter ? 2.5 : 1.5,
                 is_chapter ? "" : " stroke-dasharray='", is_chapter ? "" : line.who->dashes,
                 is_chapter ? "" : "'", path.c_str());
    if (!whiskers.empty()) svg += print("<path class='c%06x' d='%s'/>", colour, whiskers.c_str());
    svg += dots;
    svg += print("<path class='c%06x leader' d='M%.1f %.1fL%g %.1f'/>", colour,
                 x(line.points.back().x) + 5, ends[i], right + 28, labels[i]);
    svg += print("<text class='d%06x%s' x='%g' y='%.1f'>%s</text></g>\n", colour,
                 is_chapter ? " chapter" : "", right + 33, labels[i] + 4, line.who->name.c_str());
  }
  if (all.empty()) svg += print("<text x='%g' y='%g'>not measured</text>\n", left + 20, top + 40);
  return svg + "</svg>\n";
}
