// Compiles the learner's program with the options that CMake uses.

#pragma once

#include <optional>

#include "exam.hpp"

// Compiles the learner's copy. Nothing if that went well, else the verdict: the first error alone.
std::optional<Verdict> compile(const Exercise& exercise, bool plain);

// Builds what the programs of the exercise stand on, libraries and headers. Says so first, unless
// it is there; whether it succeeds is for compile() to say.
void prepare(const Exercise& exercise);
