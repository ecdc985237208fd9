// Compares what a README shows with what is there. The first line of a block says its kind:
//
//   ```cpp fetch.cpp           is all of that file, beside the README
//   ```cpp fetch.cpp#name      is the region `name` of it
//   ```python fetch.py         likewise, and so is ```gdb of a script for gdb
//   ```diff ../a/a.cpp b.cpp   is what `diff -U1` says of the two files
//   ```console                 is run: the commands are what follows `$ `, their output what
//                              follows them, in any order and whatever its numbers are
//
// Every other kind is free, but these are for the project's own code only.

#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace docs {

struct Block {
  std::string kind;  // cpp, diff, console ...
  std::vector<std::string> arguments;
  std::string text;
  int line;  // of the README
};

struct Document {
  std::vector<Block> blocks;
  std::string prose;  // what is around them
};

// What is wrong, each with file and line; empty if nothing is.
using Problems = std::vector<std::string>;

// Runs a command from the repository's root and returns what it printed; nothing if it is not for
// a test to run.
using Shell = std::function<std::optional<std::string>(const std::string& command)>;

// Throws std::runtime_error if a block is not closed, or indented, which no check would look into.
Document parse(const std::string& markdown);

// The text between `// #region name` and its `// #endregion name`, as region.awk prints it. Throws
// std::runtime_error unless there is exactly one.
std::string region(const std::filesystem::path& file, const std::string& name);

// Whether `output` is the `expected` one, which can have lines `...` for any lines. Numbers do not
// count, nor do the order of lines and the number of blanks in a row.
bool same_shape(const std::string& expected, const std::string& output);

Problems check_quotes(const std::filesystem::path& readme);  // ```cpp, python, gdb and diff
Problems check_links(const std::filesystem::path& readme);   // to files
// To files and folders that are named as `code` with a slash in it, maybe with arguments behind: in
// `root`, or in a folder of it such as a chapter. What is built does not count.
Problems check_paths(const std::filesystem::path& page, const std::filesystem::path& root);
Problems check_console(const std::filesystem::path& readme, const Shell& shell);

}  // namespace docs
