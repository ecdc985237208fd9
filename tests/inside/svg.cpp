#include <algorithm>
#include <set>

#include "../server/view/drawing.hpp"
#include "view.hpp"

namespace inside {

using namespace drawing;

namespace {

constexpr int header = 30, gap = 18, sentence = 18;  // above a subject, below it, and within it
// The least width of a turn for one URL, and the most to which one for many is widened.
constexpr double least_turn = 4, most_widened = 40;

// The colours of the URLs are the accents of the chapters, in an order that keeps those apart that
// are alike.
constexpr std::size_t places[] = {2, 4, 5, 3, 1, 0};
constexpr std::size_t colours = std::size(places);

Colour colour(std::size_t url) { return accents[places[url % colours]]; }

std::string style(const Theme& theme, std::size_t urls) {
  std::string css;
  for (std::size_t i = 0; i < std::min(urls, colours); ++i)
    print(css, ".a%zu{fill:#%06x}.w%zu{fill:#%06x}.s%zu{stroke:#%06x}", i,
          number(theme.strong(colour(i))), i, number(theme.tint(colour(i))), i,
          number(theme.strong(colour(i))));
  const Colour grey{0x57, 0x60, 0x6a};
  print(css, ".a{fill:#%06x}.w{fill:#%06x}.s{stroke:#%06x}", number(theme.strong(grey)),
        number(mix(theme.strong(grey), theme.paper, 0.82)), number(theme.strong(grey)));
  return css;
}

std::string name(char kind, Owner owner) {
  return owner ? kind + std::to_string(*owner % colours) : std::string(1, kind);
}

struct Rows {
  std::size_t count;
  int height;
  explicit Rows(std::size_t all) : count(std::min(all, most_rows)), height(all > 30 ? 6 : 24) {}
  int total() const { return int(count) * height; }
  int bar() const { return height > 10 ? height - 6 : height - 1; }
  bool are_named() const { return height > 10; }
};

// Tells what the rows are, if there are too many to name each.
void draw_number(std::string& svg, const Rows& rows, std::size_t all, const char* what, int y) {
  if (rows.are_named()) return;
  const std::string first = rows.count < all ? grouped(rows.count) + " of " : "";
  print(svg, "<text class='soft' x='16' y='%d'>%s%s %s</text>\n", y + 12, first.c_str(),
        grouped(all).c_str(), what);
}

// The URLs that have a row below the lanes.
std::size_t waiting(const Subject& subject) {
  const Keeps kept = keeps(subject);
  if (kept == Keeps::nothing || kept == Keeps::thread) return 0;
  return subject.inside.lives.size();
}

// What is said below the lanes.
std::vector<std::string> sentences(const Subject& subject) {
  std::vector<std::string> all{seen(subject)};
  if (const std::string more = known(subject); !more.empty()) all.push_back(more);
  return all;
}

int height(const Subject& subject) {
  return header + Rows(subject.inside.lanes.size()).total() +
         sentence * int(sentences(subject).size()) + 6 + Rows(waiting(subject)).total() + gap;
}

// What is kept for one URL, in a sign: a stack lies in one piece, with room behind; frames hang
// together, and callbacks call each other.
void draw_sign(std::string& svg, Keeps kept, Owner owner, double from, int y) {
  const std::string strong = name('a', owner), weak = name('w', owner), line = name('s', owner);
  const char *const a = strong.c_str(), *const w = weak.c_str(), *const s = line.c_str();
  switch (kept) {
    case Keeps::nothing:
      break;
    case Keeps::thread:
    case Keeps::green_stack:
      print(svg, "<rect class='%s %s' x='%.1f' y='%d' width='78' height='12'/>", w, s, from, y);
      for (int i = 0; i < 4; ++i)
        print(svg, "<rect class='%s' x='%.1f' y='%d' width='9' height='8'/>", a, from + 2 + 11 * i,
              y + 2);
      break;
    case Keeps::callbacks:
      for (int i = 0; i < 3; ++i) {
        print(svg, "<circle class='%s' cx='%.1f' cy='%d' r='5'/>", a, from + 5 + 32 * i, y + 6);
        if (i < 2)
          print(svg, "<path class='%s' d='M%.1f %dh14m-4 -4l4 4l-4 4'/>", s, from + 14 + 32 * i,
                y + 6);
      }
      break;
    case Keeps::frames:
      for (int i = 0; i < 3; ++i) {
        print(svg, "<rect class='%s %s' x='%.1f' y='%d' width='18' height='12' rx='3'/>", w, s,
              from + 30 * i, y);
        if (i < 2) print(svg, "<path class='%s' d='M%.1f %dh12'/>", s, from + 18 + 30 * i, y + 6);
      }
      break;
  }
  svg += '\n';
}

constexpr double sign = 100;  // where they begin

// Draws the lane. A turn that is too short to see is drawn wider, and moves what follows. After the
// lane stand the call that found no room in it, and `whose` lane it is.
void draw_lane(std::string& svg, const Lane& lane, const std::string& whose, const Scale& scale,
               int y, int high) {
  double at = 0;
  bool named = false;
  std::string call;
  for (const auto& turn : turns(lane)) {
    const double from = std::max(x(scale, turn.from), at);
    const double to = x(scale, turn.to);
    if (!turn.asleep.empty()) {
      if (to <= from) continue;
      print(svg,
            "<g><title>asleep in %s, %s</title><rect class='%s' x='%.1f' y='%d' width='%.1f' "
            "height='%d'/>",
            turn.asleep.c_str(), milliseconds(turn.to - turn.from).c_str(),
            name('w', turn.waits_for).c_str(), from, y, to - from, high);
      call = turn.asleep;
      if (high > 10 && to - from > 7.3 * double(call.size()) + 8) {
        print(svg, "<text class='mono call' x='%.1f' y='%d'>%s</text>", from + 5, y + high - 5,
              call.c_str());
        named = true;
      }
      svg += "</g>\n";
      at = to;
      continue;
    }
    const auto owners = turn.owners();
    const double least = std::min(least_turn * double(owners.size()), most_widened);
    if (from > to + 3 * least_turn) continue;  // too many, and too close
    if (to - from >= 2 * least) {
      for (const auto& span : turn.spans) {
        const double start = std::max(x(scale, span.from), from), end = x(scale, span.to);
        print(svg, "<rect class='%s' x='%.1f' y='%d' width='%.1f' height='%d'/>",
              name('a', span.owner).c_str(), start, y, std::max(end - start, 0.0), high);
      }
      at = to;
    } else {
      const double each = std::max(least, to - from) / double(owners.size());
      at = from;
      for (const auto& owner : owners) {
        print(svg, "<rect class='%s' x='%.1f' y='%d' width='%.1f' height='%d'/>",
              name('a', owner).c_str(), at, y, each, high);
        at += each;
      }
    }
    svg += '\n';
  }
  std::string behind = named ? "" : call;
  if (!whose.empty()) behind += (behind.empty() ? "" : ", ") + shortened(whose, 22);
  if (high > 10 && !behind.empty() && at + 6 + 7.3 * double(behind.size()) < width)
    print(svg, "<text class='mono soft' x='%.1f' y='%d'>%s</text>\n", at + 6, y + high - 5,
          escaped(behind).c_str());
}

// A bar for as long as the URL was under way, and when a thread was awake for it.
void draw_life(std::string& svg, const Inside& inside, std::size_t url, const Scale& scale,
               double y, int high) {
  const auto& life = inside.lives[url];
  if (!life) return;
  const auto box = [&](char kind, Micros begin, Micros end) {
    const double from = x(scale, begin);
    print(svg, "<rect class='%s' x='%.1f' y='%.1f' width='%.1f' height='%d'/>",
          name(kind, url).c_str(), from, y, std::max(x(scale, end) - from, double(least_width)),
          high);
  };
  box('w', life->from, life->to);
  for (const auto& lane : inside.lanes)
    for (const auto& span : lane.spans)
      if (span.asleep.empty() && span.owner == url) box('a', span.from, span.to);
  svg += '\n';
}

void draw(std::string& svg, const Subject& subject, const std::vector<std::string>& names,
          const Scale& scale, int y) {
  const Inside& inside = subject.inside;
  print(svg, "<text class='name' x='16' y='%d'>%s</text>", y + 18,
        escaped(shortened(subject.chapter, 20)).c_str());
  print(svg, "<text x='%d' y='%d'>%s</text>\n", left + 6, y + 18, summary(subject).c_str());
  y += header;
  const Rows lanes(inside.lanes.size());
  draw_number(svg, lanes, inside.lanes.size(), "threads", y);
  for (std::size_t i = 0; i < lanes.count; ++i, y += lanes.height) {
    const auto owners = inside.lanes[i].owners();
    const bool has_one = owners.size() == 1 && names.size() > 1;
    draw_lane(svg, inside.lanes[i], has_one ? names[owners[0]] : "", scale, y, lanes.bar());
    if (!lanes.are_named()) continue;
    print(svg, "<text class='mono' x='16' y='%d'>%s</text>", y + lanes.bar() - 5,
          lane_name(i).c_str());
    if (keeps(subject) == Keeps::thread && owners.size() == 1)
      draw_sign(svg, Keeps::thread, owners[0], sign, y + 3);
  }
  for (const auto& text : sentences(subject)) {
    print(svg, "<text class='soft' x='16' y='%d'>%s</text>\n", y + 14, text.c_str());
    y += sentence;
  }
  y += 6;
  const Rows rows(waiting(subject));
  draw_number(svg, rows, names.size(), "URLs", y);
  for (std::size_t i = 0; i < rows.count; ++i, y += rows.height) {
    if (rows.are_named()) {
      print(svg, "<text class='mono' x='16' y='%d'>%s</text>", y + 12,
            escaped(shortened(names[i], 11)).c_str());
      draw_sign(svg, keeps(subject), i, sign, y + 2);
    }
    draw_life(svg, inside, i, scale, y + (rows.are_named() ? 4 : 0), rows.are_named() ? 8 : 5);
  }
}

void draw_legend(std::string& svg, const std::vector<std::string>& names, int y) {
  print(svg, "<text class='soft' x='16' y='%d'>awake for</text>", y);
  double at = 100;
  const std::size_t count = std::min(names.size(), colours);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string label = shortened(names[i], 22);
    if (at + 30 + 7.5 * double(label.size()) > 580) break;
    print(svg, "<rect class='%s' x='%.1f' y='%d' width='14' height='14'/>", name('a', i).c_str(),
          at, y - 12);
    print(svg, "<text class='mono soft' x='%.1f' y='%d'>%s</text>", at + 20, y,
          escaped(label).c_str());
    at += 44 + 7.3 * double(label.size());
  }
  for (const auto& [what, kind] :
       {std::pair{"asleep, for that one", "w0"}, {"asleep, for any", "w"}}) {
    print(svg, "<rect class='%s' x='%.1f' y='%d' width='14' height='14'/>", kind, at + 4, y - 12);
    print(svg, "<text class='soft' x='%.1f' y='%d'>%s</text>", at + 24, y, what);
    at += 160;
  }
  svg += '\n';
}

}  // namespace

std::string svg(const std::vector<Subject>& subjects, const std::vector<std::string>& urls,
                Micros least) {
  const Scale scale(longest(subjects, least), 9);
  int bottom = top;
  std::string title;
  for (const auto& subject : subjects) {
    bottom += height(subject);
    title += (title.empty() ? "" : "; ") + subject.chapter + ": " + summary(subject);
  }
  const int total = bottom + 26;
  std::string svg = head(total, title,
                         "Threads over time: in which call each is asleep, and for which URL it "
                         "is awake. Below them, what waits meanwhile.",
                         "path{fill:none}.call{stroke:none}", style(light, urls.size()),
                         style(dark, urls.size()));
  draw_scale(svg, scale, bottom - gap + 4);
  const auto names = labels(urls);
  int y = top;
  for (const auto& subject : subjects) {
    draw(svg, subject, names, scale, y);
    y += height(subject);
  }
  draw_legend(svg, names, total - 14);
  return svg + "</svg>\n";
}

}  // namespace inside
