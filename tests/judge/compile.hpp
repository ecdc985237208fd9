// Compiles the learner's program with the options that CMake uses.

#pragma once

#include <optional>

#include "exam.hpp"

// Compiles the learner's copy. Returns nothing if that worked, otherwise the verdict, with the
// first error only.
std::optional<Verdict> compile(const Exercise& exercise, bool plain);

// Builds the libraries and headers that the exercise needs, and says so first, unless they are
// there. If this fails, compile() reports it.
void prepare(const Exercise& exercise);
