#include "timeline.hpp"

#include <algorithm>
#include <cstdio>
#include <set>

#include "drawing.hpp"

namespace timeline {

namespace {

using namespace drawing;
using std::to_string;

bool is_skyline(const Run& run) { return run.requests > most_rows; }

std::string label(const Bar& bar) {
  const std::string end = outcome(bar);
  return bar.target + (end.empty() ? "" : ' ' + end);
}

// Of the runs that are drawn as skylines.
std::uint64_t most_in_flight(const Runs& runs) {
  std::uint64_t most = 1;
  for (const auto& run : runs)
    if (is_skyline(*run)) most = std::max(most, run->most_in_flight);
  return most;
}

Micros since_start(const Run& run, Clock::time_point now) {
  return std::chrono::duration_cast<Micros>(now - run.start);
}

// A request's times, in their order whatever the clock did. What has not ended lasts until now.
struct Times {
  Micros accepted, read, first, last;
  Times(const Bar& bar, Micros now)
      : accepted(std::max(bar.accepted, Micros(0))),
        read(std::max(bar.read, accepted)),
        first(),
        last(std::max(bar.last.value_or(now), read)) {
    first = std::clamp(bar.first.value_or(last), read, last);
  }
};

// A common scale of time: from 0 to the end of the longest run.
Scale scale_of(const Runs& runs, Clock::time_point now, Micros least, std::size_t most_ticks) {
  for (const auto& run : runs) least = std::max(least, span(*run, now));
  return {least, most_ticks};
}

// --- As SVG -------------------------------------------------------------------------------------

// The accent of a chapter; of any other program a grey.
Colour accent(const Run& run) {
  static constexpr std::string_view chapter = "sync-desert/0";
  if (run.agent.rfind(chapter, 0) != 0 || run.agent.size() == chapter.size()) return accents[0];
  const char digit = run.agent[chapter.size()];
  return accents[digit >= '1' && digit <= '5' ? digit - '0' : 0];
}

std::string style(const Theme& theme, const Runs& runs) {
  std::string css;
  std::set<int> done;
  for (const auto& run : runs) {
    const int name = number(accent(*run));
    if (!done.insert(name).second) continue;
    const int strong = number(theme.strong(accent(*run))), tint = number(theme.tint(accent(*run)));
    print(css,
          ".c%06x .wait{fill:#%06x;stroke:#%06x}.c%06x .accent{fill:#%06x}"
          ".c%06x .connect{stroke:#%06x}",
          name, tint, strong, name, strong, name, strong);
  }
  return css;
}

constexpr int header = 30, gap = 18;  // above a run, and below it
constexpr int skyline_height = 120;

int row_height(const Run& run) { return run.bars.size() > 30 ? 6 : 20; }

int height(const Run& run) {
  return is_skyline(run) ? skyline_height : int(run.bars.size()) * row_height(run);
}

void draw_bar(std::string& svg, const Bar& bar, const Scale& scale, Micros now, int y, int row) {
  const int high = row > 10 ? row - 6 : row - 1;
  const Times times(bar, now);
  const std::string took = milliseconds(times.last - times.read);
  const double from = x(scale, times.read);
  const double to = std::max(x(scale, times.last), from + least_width);
  const double sending = std::min(x(scale, times.first), to - least_width);
  print(svg, "<g><title>%s, %s</title>", escaped(label(bar)).c_str(), took.c_str());
  if (times.accepted < times.read)
    print(svg, "<path class='connect' d='M%.1f %.1fH%.1f'/>", x(scale, times.accepted),
          y + high / 2.0, from);
  print(svg, "<rect class='wait' x='%.1f' y='%d' width='%.1f' height='%d'/>", from, y, to - from,
        high);
  if (bar.first)
    print(svg, "<rect class='accent' x='%.1f' y='%d' width='%.1f' height='%d'/>", sending, y,
          to - sending, high);
  if (row > 10) {
    print(svg, "<text class='mono' x='16' y='%d'>%s</text>", y + 11,
          escaped(shortened(label(bar), most_letters)).c_str());
    print(svg, "<text class='mono soft' x='%.1f' y='%d'>%s</text>", to + 6, y + 11, took.c_str());
  }
  svg += "</g>\n";
}

// The levels over time as a path that starts and ends on the ground.
std::string outline(const Run& run, const Scale& scale, Micros now, double ground, double unit,
                    std::uint32_t Skyline::Level::*level) {
  std::string path;
  print(path, "M%d %.1f", left, ground);
  std::uint32_t before = 0;
  Micros at{};
  for (const auto& it : run.skyline.levels()) {
    if (it.*level != before)
      print(path, "H%.1fV%.1f", x(scale, std::min(at, now)), ground - unit * (it.*level));
    before = it.*level;
    at += run.skyline.step();
  }
  print(path, "H%.1fV%.1fZ", x(scale, now), ground);
  return path;
}

void draw_skyline(std::string& svg, const Run& run, const Scale& scale, Micros now,
                  std::uint64_t most, int y) {
  const int ground = y + skyline_height;
  const double unit = double(skyline_height - 12) / double(most);
  print(svg, "<path class='wait' d='%s'/>\n",
        outline(run, scale, now, ground, unit, &Skyline::Level::in_flight).c_str());
  print(svg, "<path class='accent' d='%s'/>\n",
        outline(run, scale, now, ground, unit, &Skyline::Level::sending).c_str());
  print(svg, "<path class='line' d='M%d %dH%d'/>\n", left, ground, right);
  print(svg, "<text x='%d' y='%.0f' text-anchor='end'>%s</text>", left - 8,
        ground - unit * double(run.most_in_flight) + 5, grouped(run.most_in_flight).c_str());
  print(svg, "<text class='soft' x='16' y='%d'>in flight</text>", y + 17);
  print(svg, "<text class='soft' x='%d' y='%d' text-anchor='end'>0</text>\n", left - 8, ground);
}

// Explains the bars, in the colours of the first run.
void draw_legend(std::string& svg, const Run& run, int y) {
  print(svg, "<g class='c%06x'>", number(accent(run)));
  print(svg, "<rect class='wait' x='%d' y='%d' width='24' height='11'/>", left, y - 10);
  print(svg, "<text class='soft' x='%d' y='%d'>waits for its answer</text>", left + 32, y);
  print(svg, "<rect class='accent' x='%d' y='%d' width='24' height='11'/>", left + 190, y - 10);
  print(svg, "<text class='soft' x='%d' y='%d'>gets its answer</text>", left + 222, y);
  svg += "</g>\n";
}

// --- As text ------------------------------------------------------------------------------------

struct Paint {
  const char *waiting, *sending, *connecting;
  const char* blocks[9];  // an empty cell, and so on to a full one
};

constexpr Paint unicode{"░", "█", "·", {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"}};
constexpr Paint plain{"=", "#", ".", {" ", " ", ".", ".", ".", "#", "#", "#", "#"}};

void write_row(std::string& text, const Bar& bar, const Scale& scale, Micros now,
               std::size_t margin, std::size_t columns, const Paint& paint) {
  const auto column = [&](Micros time) {
    return std::min(columns - 1, std::size_t(scale.part(time) * double(columns)));
  };
  const Times times(bar, now);
  const std::string name = shortened(label(bar), margin - 3);
  text += "  " + name + std::string(margin - 2 - name.size(), ' ');
  // What is shorter than a column still gets one.
  const std::size_t from = column(times.read), last = column(times.last);
  const std::size_t first = bar.first ? column(times.first) : last + 1;
  for (std::size_t at = 0; at <= last; ++at)
    text += at >= first                    ? paint.sending
            : at >= from                   ? paint.waiting
            : at >= column(times.accepted) ? paint.connecting
                                           : " ";
  text += '\n';
}

void write_skyline(std::string& text, const Run& run, const Scale& scale, Micros now,
                   std::uint64_t most, std::size_t margin, std::size_t columns,
                   const Paint& paint) {
  constexpr int lines = 6;
  const auto& levels = run.skyline.levels();
  std::vector<std::uint32_t> heights(columns);
  Micros at{};
  for (const auto& level : levels) {
    if (at > now) break;
    const auto end = std::min(at + run.skyline.step(), now);
    for (auto i = std::size_t(scale.part(at) * double(columns));
         i < columns && double(i) <= scale.part(end) * double(columns); ++i)
      heights[i] = std::max(heights[i], level.in_flight);
    at += run.skyline.step();
  }
  for (int line = lines; line-- > 0;) {
    const std::string name = line == lines - 1 ? grouped(most) : line == 0 ? "0" : "";
    text += std::string(margin - 1 - name.size(), ' ') + name + ' ';
    std::string row;
    for (const auto height : heights) {
      const double eighths = double(height) / double(most) * lines * 8 - line * 8;
      const int block = std::clamp(int(eighths + 0.5), line == 0 && height ? 1 : 0, 8);
      row += paint.blocks[block];
    }
    text += row.substr(0, row.find_last_not_of(' ') + 1) + '\n';
  }
}

}  // namespace

std::string name(const Run& run) {
  static constexpr std::string_view ours = "sync-desert/";
  if (run.agent.rfind(ours, 0) == 0) return run.agent.substr(ours.size());
  return run.agent.empty() ? "(no User-Agent)" : run.agent;
}

std::string outcome(const Bar& bar) {
  if (!bar.last) return "in flight";
  if (bar.cut_off) return "cut off";
  if (bar.status == 0) return bar.first ? "bytes" : "no answer";
  return bar.status == 200 ? "" : to_string(bar.status);
}

Micros span(const Run& run, Clock::time_point now) {
  return std::max({Micros(0), run.end, run.in_flight ? since_start(run, now) : run.end});
}

std::string summary(const Run& run, Clock::time_point now) {
  std::string text = grouped(run.requests) + (run.requests == 1 ? " request" : " requests") +
                     ", at most " + grouped(run.most_in_flight) + " in flight, " +
                     duration(span(run, now));
  if (run.in_flight) text += ", " + grouped(run.in_flight) + " in flight now";
  return text;
}

std::string svg(const Runs& runs, Clock::time_point now, Micros least) {
  const Scale scale = scale_of(runs, now, least, 9);
  int bottom = top;
  std::string title;
  for (const auto& run : runs) {
    bottom += header + height(*run) + gap;
    title += (title.empty() ? "" : "; ") + name(*run) + ": " + summary(*run, now);
  }
  if (runs.empty()) title = "No requests yet";
  const int total = bottom + (runs.empty() ? 30 : 26);

  std::string svg =
      head(total, title,
           "Requests over time, as the server saw them: a bar for each request, or "
           "above 100 of them how many were in flight.",
           "path{fill:none}.connect{stroke-dasharray:2 2}", style(light, runs), style(dark, runs));
  if (runs.empty()) {
    print(svg, "<text class='soft' x='16' y='36'>%s</text>\n</svg>\n", title.c_str());
    return svg;
  }
  draw_scale(svg, scale, bottom - gap + 4);
  int y = top;
  for (const auto& run : runs) {
    print(svg, "<g class='c%06x'>\n", number(accent(*run)));
    print(svg, "<text class='name accent' x='16' y='%d'>%s</text>", y + 18,
          escaped(shortened(name(*run), 20)).c_str());
    print(svg, "<text x='%d' y='%d'>%s</text>\n", left + 6, y + 18, summary(*run, now).c_str());
    y += header;
    if (is_skyline(*run)) {
      draw_skyline(svg, *run, scale, span(*run, now), most_in_flight(runs), y);
    } else {
      int row_y = y;
      if (row_height(*run) <= 10)
        print(svg, "<text class='soft' x='16' y='%d'>one line each</text>\n", y + 12);
      for (const auto& bar : run->bars) {
        draw_bar(svg, bar, scale, span(*run, now), row_y, row_height(*run));
        row_y += row_height(*run);
      }
    }
    svg += "</g>\n";
    y += height(*run) + gap;
  }
  draw_legend(svg, *runs.front(), total - 14);
  return svg + "</svg>\n";
}

std::string text(const Runs& runs, Clock::time_point now, Micros least, std::size_t wide,
                 bool ascii) {
  if (runs.empty()) return "No requests yet.\n";
  std::size_t longest = 8;
  for (const auto& run : runs)
    if (!is_skyline(*run))
      for (const auto& bar : run->bars) longest = std::max(longest, label(bar).size());
  const std::size_t margin = std::min(longest, wide / 4) + 3, columns = wide - margin;
  const Scale scale = scale_of(runs, now, least, columns / 9);
  std::string text;
  write_scale(text, scale, margin, columns);
  for (const auto& run : runs) {
    const std::string about = ": " + summary(*run, now);
    text += shortened(name(*run), std::max(wide, about.size() + 20) - about.size()) + about + '\n';
    if (is_skyline(*run)) {
      write_skyline(text, *run, scale, span(*run, now), most_in_flight(runs), margin, columns,
                    ascii ? plain : unicode);
    } else {
      for (const auto& bar : run->bars)
        write_row(text, bar, scale, span(*run, now), margin, columns, ascii ? plain : unicode);
    }
    text += '\n';
  }
  const Paint& paint = ascii ? plain : unicode;
  return text + paint.waiting + " waits for its answer   " + paint.sending + " gets it\n";
}

std::string trace(const Runs& runs, Clock::time_point now) {
  std::string json = "{\"displayTimeUnit\": \"ms\", \"traceEvents\": [\n";
  const char* comma = "";
  for (const auto& run : runs) {
    const auto start = std::chrono::duration_cast<Micros>(run->start - runs.front()->start);
    const auto id = static_cast<unsigned long long>(run->id);
    print(json,
          "%s{\"ph\": \"M\", \"name\": \"process_name\", \"pid\": %llu, \"args\": {\"name\": %s}}",
          comma, id, json_string(name(*run)).c_str());
    comma = ",\n";
    std::set<std::pair<Micros, std::size_t>> lanes;  // when each is free again, and its number
    for (const auto& bar : run->bars) {
      const Times times(bar, span(*run, now));
      std::size_t lane = lanes.size() + 1;
      if (!lanes.empty() && lanes.begin()->first <= times.accepted)
        lane = lanes.extract(lanes.begin()).value().second;
      lanes.emplace(times.last, lane);
      const auto event = [&](const std::string& what, Micros from, Micros to) {
        print(json,
              ",\n{\"ph\": \"X\", \"name\": %s, \"pid\": %llu, \"tid\": %zu, \"ts\": %lld, "
              "\"dur\": %lld",
              what.c_str(), id, lane, static_cast<long long>((start + from).count()),
              static_cast<long long>((to - from).count()));
      };
      event(json_string(bar.target), times.accepted, times.last);
      print(json, ", \"args\": {\"status\": %u, \"outcome\": %s}}", bar.status,
            json_string(bar.last && outcome(bar).empty() ? "OK" : outcome(bar)).c_str());
      event("\"waiting\"", times.read, times.first);
      json += '}';
      if (bar.first) event("\"sending\"", times.first, times.last), json += '}';
    }
  }
  return json + "\n]}\n";
}

}  // namespace timeline

std::string json_string(std::string_view text) {
  std::string json = "\"";
  for (const unsigned char c : text) {
    char escaped[8] = {static_cast<char>(c)};
    if (c < ' ' || c == '"' || c == '\\' || c > 126) std::snprintf(escaped, 8, "\\u%04x", c);
    json += escaped;
  }
  return json + '"';
}
