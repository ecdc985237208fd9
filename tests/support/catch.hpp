// Catch2, version 2 or 3.

#pragma once

#include <string>

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif

// Says why a test is not run here. ctest then reports it as skipped (tests/CMakeLists.txt).
inline void not_run(const std::string& why) { WARN("not run: " << why); }
