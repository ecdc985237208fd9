// The exam of each exercise.

#pragma once

#include <string>

class Exam;

// Throws a Verdict, or returns a sentence about the run that passed.
using Examiner = std::string (*)(Exam&);

// The link checkers of all chapters.
std::string links(Exam& exam);

// Throws std::logic_error if there is none for the exercise `id`.
Examiner examiner(const std::string& id);
