// Measures whether the test server is fast enough to measure others: against nginx with one worker.

#pragma once

#include "results.hpp"

// Throws std::runtime_error, also when nginx or wrk is not there.
Serving measure_serving(int rounds);
