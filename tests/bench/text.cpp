#include "text.hpp"

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstdio>

std::string print(const char* format, ...) {
  char line[1000];
  va_list arguments;
  va_start(arguments, format);
  const int size = std::vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  return {line, std::min(std::size_t(std::max(size, 0)), sizeof line - 1)};
}

std::string grouped(std::int64_t number) {
  std::string digits = std::to_string(number);
  const std::size_t sign = number < 0;
  for (std::size_t at = digits.size(); at > 3 + sign;) digits.insert(at -= 3, 1, ',');
  return digits;
}

std::string rounded(double number) {
  if (std::abs(number) < 0.995) return print("%.2f", number);
  if (std::abs(number) < 9.95) return print("%.1f", number);
  return grouped(std::llround(number));
}
