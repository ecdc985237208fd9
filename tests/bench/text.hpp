// Numbers as people read them.

#pragma once

#include <cstdint>
#include <string>

// What printf would print, up to 1,000 characters of it.
__attribute__((format(printf, 1, 2))) std::string print(const char* format, ...);

// 19000 is 19,000.
std::string grouped(std::int64_t number);

// With two digits that count, and at least one behind the point below 10: 0.42, 3.1, 17, 1,234.
std::string rounded(double number);
