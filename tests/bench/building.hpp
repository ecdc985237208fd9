// Measures how long a learner waits for the compiler and for the tests.

#pragma once

#include "results.hpp"

// Compiles without a cache; `all` is from nothing, too, and then runs the tests. Throws
// std::runtime_error.
Building measure_building(int rounds, bool all);
