// The verbs of ./learn that concern exercises.

#pragma once

#include <string>
#include <vector>

// Does what the learner asked for; returns the exit status: 0, 1 if there is something left to do,
// 2 if it did not understand.
int teach(const std::string& verb, std::vector<std::string> arguments);
