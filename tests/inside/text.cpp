#include <algorithm>

#include "../server/view/drawing.hpp"
#include "view.hpp"

namespace inside {

using namespace drawing;

namespace {

struct Paint {
  const char *asleep, *nobody;
  const char* kept[5][2];  // what waits meanwhile, its cells in turn
};

constexpr Paint unicode{"░", "█", {{" ", " "}, {"▬", "▬"}, {"●", "→"}, {"▬", "▬"}, {"□", "─"}}};
constexpr Paint plain{".", "#", {{" ", " "}, {"=", "="}, {"o", ">"}, {"=", "="}, {"[", "]"}}};

// The sign of a URL in a lane.
char digit(std::size_t url) {
  constexpr char digits[] = "123456789abcdefghijklmnopqrstuvwxyz";
  return url < sizeof digits - 1 ? digits[url] : '*';
}

// A line of cells. Each is a character, and may have a colour.
class Line {
 public:
  Line(std::size_t columns, bool coloured) : cells_(columns), coloured_(coloured) {}

  void put(std::size_t at, const std::string& what, Owner owner = {}) {
    if (at < cells_.size()) cells_[at] = {what, owner};
  }
  std::string str() const {
    std::string text;
    std::size_t end = cells_.size();
    while (end > 0 && cells_[end - 1].what.empty()) --end;
    for (std::size_t i = 0; i < end; ++i) {
      const auto& cell = cells_[i];
      if (cell.what.empty()) {
        text += ' ';
      } else if (coloured_ && cell.owner) {
        static constexpr int colours[] = {208, 36, 133, 33, 244, 250};
        print(text, "\033[48;5;%d;38;5;16m%s\033[0m", colours[*cell.owner % std::size(colours)],
              cell.what.c_str());
      } else {
        text += cell.what;
      }
    }
    return text;
  }

 private:
  struct Cell {
    std::string what;
    Owner owner;
  };
  std::vector<Cell> cells_;
  bool coloured_;
};

struct Field {
  const Scale& scale;
  std::size_t margin, columns;
  Style style;
  const Paint& paint() const { return style.ascii ? plain : unicode; }
  std::size_t column(Micros time) const {
    return std::min(columns, std::size_t(scale.part(time) * double(columns) + 0.5));
  }
  std::string label(const std::string& name) const {
    const std::string text = "  " + shortened(name, margin - 3);
    return text + std::string(margin - text.size(), ' ');
  }
};

std::string lane(const Lane& it, const Field& field) {
  Line line(field.columns, field.style.coloured);
  std::size_t at = 0;
  bool named = false;
  std::string call;
  for (const auto& turn : turns(it)) {
    std::size_t from = std::max(field.column(turn.from), at), to = field.column(turn.to);
    if (!turn.asleep.empty()) {
      for (std::size_t i = from; i < to; ++i) line.put(i, field.paint().asleep);
      call = turn.asleep;
      if (to >= from + call.size() + 2) {
        for (std::size_t i = 0; i < call.size(); ++i)
          line.put(from + 1 + i, std::string(1, call[i]));
        named = true;
      }
      at = std::max(at, to);
      continue;
    }
    const auto owners = turn.owners();
    if (from > to + 2) continue;  // too many, and too close
    const std::size_t least = std::min<std::size_t>(owners.size(), 8);
    const std::size_t cells = std::max(least, to > from ? to - from : 0);
    from = std::min(from, field.columns - std::min(cells, field.columns));
    for (std::size_t i = 0; i < cells; ++i) {
      const Owner owner = owners[i * owners.size() / cells];
      line.put(from + i, owner ? std::string(1, digit(*owner)) : field.paint().nobody, owner);
    }
    at = from + cells;
  }
  const bool fits = at + 1 + call.size() <= field.columns;
  return line.str() + (named || !fits || call.empty() ? "" : ' ' + call);
}

std::string life(const std::optional<Life>& it, Keeps kept, Owner owner, const Field& field) {
  Line line(field.columns, field.style.coloured);
  if (!it) return "";
  const std::size_t from = field.column(it->from);
  const std::size_t to = std::max(field.column(it->to), from + 1);
  for (std::size_t i = from; i < to; ++i)
    line.put(i, field.paint().kept[int(kept)][(i - from) % 2]);
  line.put(from, std::string(1, digit(*owner)), owner);
  return line.str();
}

// As many of the URLs as there is room for.
std::string legend(const std::vector<std::string>& names, const Field& field) {
  const std::string words = " asleep; awake for";
  std::string text = field.paint().asleep + words;
  std::size_t wide = words.size() + 1;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string name = ' ' + shortened(names[i], names.size() > 4 ? 9 : 22);
    wide += name.size() + 2;
    if (wide > field.style.width - (i + 1 < names.size() ? 4 : 0)) return text + " ...";
    Line sign(1, field.style.coloured);
    sign.put(0, std::string(1, digit(i)), i);
    text += ' ' + sign.str() + name;
  }
  return text;
}

}  // namespace

std::string text(const std::vector<Subject>& subjects, const std::vector<std::string>& urls,
                 Micros least, Style style) {
  const auto names = labels(urls);
  std::size_t margin = 12;
  for (const auto& name : names)
    margin = std::max(margin, std::min(name.size(), style.width / 4) + 3);
  const std::size_t columns = style.width - margin;
  const Scale scale(longest(subjects, least), columns / 9);
  const Field field{scale, margin, columns, style};
  std::string text;
  write_scale(text, scale, margin, columns);
  for (const auto& subject : subjects) {
    text += shortened(subject.chapter, 20) + ": " + summary(subject) + '\n';
    const auto& lanes = subject.inside.lanes;
    const std::size_t most = std::min<std::size_t>(lanes.size(), 30);
    for (std::size_t i = 0; i < most; ++i)
      text += field.label(lane_name(i)) + lane(lanes[i], field) + '\n';
    if (most < lanes.size())
      text += "  ... and " + grouped(lanes.size() - most) + " threads more\n";
    text += "  " + seen(subject) + '\n';
    if (!known(subject).empty()) text += "  " + known(subject) + '\n';
    const Keeps kept = keeps(subject);
    if (kept != Keeps::nothing && kept != Keeps::thread) {
      const std::size_t rows = std::min<std::size_t>(names.size(), 30);
      for (std::size_t i = 0; i < rows; ++i)
        text += field.label(names[i]) + life(subject.inside.lives[i], kept, i, field) + '\n';
      if (rows < names.size()) text += "  ... and " + grouped(names.size() - rows) + " URLs more\n";
    }
    text += '\n';
  }
  return text + legend(names, field) + '\n';
}

}  // namespace inside
