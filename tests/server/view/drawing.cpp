#include "drawing.hpp"

#include <algorithm>
#include <cstdarg>
#include <cstdio>

namespace drawing {

void print(std::string& text, const char* format, ...) {
  char line[1000];
  va_list arguments;
  va_start(arguments, format);
  const int size = std::vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  text.append(line, std::min(std::size_t(std::max(size, 0)), sizeof line - 1));
}

std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, 1, ',');
  return digits;
}

std::string milliseconds(Micros time) {
  std::string text;
  if (time < std::chrono::milliseconds(10)) {
    print(text, time.count() < 1000 ? "%.2f" : "%.1f", double(time.count()) / 1e3);
  } else {
    text = grouped(std::uint64_t(time.count() + 500) / 1000);
  }
  return text + " ms";
}

std::string duration(Micros time) {
  std::string text;
  if (time < std::chrono::seconds(1)) return milliseconds(time);
  print(text, "%.2f s", double(time.count()) / 1e6);
  return text;
}

std::string shortened(std::string text, std::size_t most) {
  if (text.size() > most) text.replace(most - 3, std::string::npos, "...");
  return text;
}

std::string escaped(std::string_view text) {
  std::string all;
  for (const char c : text) {
    if (c == '&')
      all += "&amp;";
    else if (c == '<')
      all += "&lt;";
    else if (c == '>')
      all += "&gt;";
    else
      all += c;
  }
  return all;
}

Scale::Scale(Micros its_end, std::size_t most_ticks) : end(std::max(Micros(1000), its_end)) {
  for (int i = 0; end / step > std::int64_t(most_ticks); ++i)
    step = step * (i % 3 == 1 ? 5 : 4) / 2;
  in_seconds = end >= std::chrono::seconds(2);
}

std::string Scale::tick(Micros time) const {
  std::string text;
  const double unit = in_seconds ? 1e6 : 1e3;
  print(text, in_seconds && step < std::chrono::seconds(1) && time.count() ? "%.1f" : "%g",
        double(time.count()) / unit);
  return time.count() ? text : text + (in_seconds ? " s" : " ms");
}

Colour mix(Colour a, Colour b, double part) {
  const auto between = [part](int from, int to) { return int(from + (to - from) * part + 0.5); };
  return {between(a.red, b.red), between(a.green, b.green), between(a.blue, b.blue)};
}

const Theme light{
    ".paper{fill:#fff}text{fill:#1f2328;stroke:#fff}.soft{fill:#57606a}.line{stroke:#d8dee4}",
    white, 0, 0.7};
const Theme dark{
    ".paper{fill:#14171c}text{fill:#e6e8eb;stroke:#14171c}.soft{fill:#a9b1ba}.line{stroke:#343a42}",
    {0x14, 0x17, 0x1c},
    0.4,
    0.6};

double x(const Scale& scale, Micros time) { return left + scale.part(time) * (right - left); }

std::string head(int height, const std::string& title, const std::string& description,
                 const std::string& rules, const std::string& in_light,
                 const std::string& in_the_dark) {
  std::string svg;
  print(svg,
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' width='%d' height='%d' "
        "role='img'>\n",
        width, height, width, height);
  svg += "<title>" + escaped(title) + "</title>\n";
  svg += "<desc>" + description + "</desc>\n";
  svg +=
      "<style>text{font:13px "
      "system-ui,sans-serif;paint-order:stroke;stroke-width:4px}.mono{font:12px "
      "ui-monospace,monospace}"
      ".name{font-weight:600;font-size:16px}" +
      rules + light.rules + in_light + "@media(prefers-color-scheme:dark){" + dark.rules +
      in_the_dark + "}</style>\n";
  print(svg, "<rect class='paper' width='%d' height='%d'/>\n", width, height);
  return svg;
}

void draw_scale(std::string& svg, const Scale& scale, int bottom) {
  for (Micros at{}; at <= scale.end; at += scale.step) {
    print(svg, "<path class='line' d='M%.1f %dV%d'/>", x(scale, at), top - 8, bottom);
    print(svg, "<text class='soft' x='%.1f' y='%d' text-anchor='middle'>%s</text>\n", x(scale, at),
          top - 13, scale.tick(at).c_str());
  }
}

void write_scale(std::string& text, const Scale& scale, std::size_t margin, std::size_t columns) {
  std::string labels(margin, ' '), marks(margin, ' ');
  for (Micros at{}; at <= scale.end; at += scale.step) {
    const std::size_t column = margin + std::size_t(scale.part(at) * double(columns));
    const std::string label = scale.tick(at);
    if (column + label.size() > margin + columns) break;
    labels.resize(column, ' ');
    marks.resize(column, ' ');
    labels += label;
    marks += '|';
  }
  text += labels + '\n' + marks + '\n';
}

}  // namespace drawing
