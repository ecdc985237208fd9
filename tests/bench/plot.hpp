// Turns the results into pictures, with both axes logarithmic.

#pragma once

#include <string>

#include "results.hpp"

enum class Figure { time, cpu, memory };

std::string plot(const Results& results, Figure figure);
