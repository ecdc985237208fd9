// The exercises that CMake declares, and the learner's progress.

#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

struct Exercise {
  std::string id;             // 02.2
  std::string name;           // race
  std::string chapter;        // 02-threads
  int minutes = 0;            // that it takes
  int time_limit = 0;         // of one run, in seconds
  std::string sanitizer;      // address, thread or empty
  std::string lacks;          // a sanitizer that it needs, and the compiler lacks
  std::string title() const;  // of its README

  std::filesystem::path folder() const;             // with the task, the hints and the solution
  std::filesystem::path work() const;               // the learner's copy
  std::filesystem::path shown() const;              // the same, as it is called from the root
  std::string target(bool plain) const;             // that makes the learner's program
  std::filesystem::path program(bool plain) const;  // that program
};

// In order of difficulty, chapter by chapter.
const std::vector<Exercise>& exercises();

// The one that is called `name`: 02.2, 2.2, race or 02.2-race. Null if there is none.
const Exercise* find_exercise(std::string_view name);

std::string read_file(const std::filesystem::path& file);

// A text file beside the learner's work, with a line per fact.
class Progress {
 public:
  Progress();
  void save() const;  // throws std::runtime_error

  std::string current;               // an id, or empty
  std::set<std::string> passed;      // ids
  std::map<std::string, int> hints;  // seen, by id
};
