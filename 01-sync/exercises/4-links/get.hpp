// Given to you: how to get a page.

#pragma once

#include <atomic>
#include <chrono>
#include <string>

#include "page.hpp"

using Clock = std::chrono::steady_clock;

// Waits for the page at `url`. Throws std::runtime_error if it is not there in full by `deadline`,
// if the server does not answer, or soon after `stop` has become true.
Page get(const std::string& url, Clock::time_point deadline, const std::atomic<bool>& stop);
