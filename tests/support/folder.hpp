// A folder in /tmp, for as long as it is needed.

#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <system_error>

// Is removed, with all that is in it, at the end of its life. Throws std::runtime_error.
class Folder {
 public:
  Folder() {
    std::string name = "/tmp/sync-desert-XXXXXX";
    if (!mkdtemp(name.data())) throw std::runtime_error("no temporary folder to be had");
    path_ = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::filesystem::path& path() const { return path_; }

  // Makes a file of `text`, and the folders above it. Returns its path.
  std::filesystem::path write(const std::string& name, const std::string& text) const {
    const std::filesystem::path file = path_ / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream out(file);
    if (!(out << text).flush()) throw std::runtime_error("cannot write " + file.string());
    return file;
  }

 private:
  std::filesystem::path path_;
};
