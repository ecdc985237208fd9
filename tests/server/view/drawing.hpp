// What all pictures of time share: one scale, the same colours, the same words for a time.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace drawing {

using Micros = std::chrono::microseconds;

// Adds to `text` what printf would print, up to 1,000 characters of it.
__attribute__((format(printf, 2, 3))) void print(std::string& text, const char* format, ...);

// 19000 is 19,000.
std::string grouped(std::uint64_t number);

// 12 ms, or 0.12 ms; and the same, or 1.20 s.
std::string milliseconds(Micros time);
std::string duration(Micros time);

// The start of a text of more than `most` letters, with dots behind.
std::string shortened(std::string text, std::size_t most);

// For the text of an SVG.
std::string escaped(std::string_view text);

// From 0 to `end`, which is a millisecond at least, with ticks at round moments.
struct Scale {
  Micros end, step{100};
  bool in_seconds;

  Scale(Micros end, std::size_t most_ticks);

  // Where a moment is, from 0 to 1.
  double part(Micros time) const { return double(time.count()) / double(end.count()); }
  // With the unit at 0 only.
  std::string tick(Micros time) const;
};

// --- As SVG -------------------------------------------------------------------------------------

struct Colour {
  int red, green, blue;
};

constexpr Colour white{255, 255, 255};

constexpr int number(Colour colour) { return colour.red << 16 | colour.green << 8 | colour.blue; }
Colour mix(Colour a, Colour b, double part);

// Grey for any program, then one for each chapter.
constexpr Colour accents[] = {{0x44, 0x44, 0x44}, {0x5f, 0x63, 0x68}, {0xb3, 0x47, 0x00},
                              {0x00, 0x67, 0xa3}, {0x00, 0x73, 0x5a}, {0x8a, 0x3a, 0x80}};

// Waiting is drawn in a tint of an accent. On dark pages all accents are brighter.
struct Theme {
  const char* rules;
  Colour paper;
  double brighter, paler;

  Colour strong(Colour accent) const { return mix(accent, white, brighter); }
  Colour tint(Colour accent) const { return mix(strong(accent), paper, paler); }
};

extern const Theme light, dark;

// Of the picture and its time scale.
constexpr int width = 900, left = 190, right = 820, top = 30;
// The width of anything that would be too narrow to see.
constexpr int least_width = 3;
constexpr std::size_t most_letters = 22;  // of a row's label

double x(const Scale& scale, Micros time);

// The start of a picture, as high as that, and its style with `rules` for each theme.
std::string head(int height, const std::string& title, const std::string& description,
                 const std::string& rules, const std::string& in_light,
                 const std::string& in_the_dark);

// The ticks, and their lines down to `bottom`.
void draw_scale(std::string& svg, const Scale& scale, int bottom);

// --- As text ------------------------------------------------------------------------------------

void write_scale(std::string& text, const Scale& scale, std::size_t margin, std::size_t columns);

}  // namespace drawing
