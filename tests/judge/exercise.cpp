#include "exercise.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

namespace fs = std::filesystem;

namespace {

const fs::path root = ROOT_DIR;

// The learner's folder. A test of the whole course has one of its own, in the build folder, and
// targets of its own with it.
bool is_trial() { return std::getenv("SYNC_DESERT_TRIAL") != nullptr; }
fs::path work_folder() { return is_trial() ? fs::path(BUILD_DIR "/trial") : root / "work"; }

}  // namespace

std::string read_file(const fs::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string Exercise::title() const {
  const std::string readme = read_file(folder() / "README.md");
  return readme.substr(std::min<std::size_t>(2, readme.size()), readme.find('\n') - 2);
}

fs::path Exercise::folder() const {
  return root / chapter / "exercises" / (id.substr(id.find('.') + 1) + "-" + name);
}

fs::path Exercise::work() const { return work_folder() / (id + "-" + name + ".cpp"); }

fs::path Exercise::shown() const { return work().lexically_relative(root); }

std::string Exercise::target(bool plain) const {
  return (is_trial() ? "trial-" : "work-") + id + (plain ? "-plain" : "");
}

fs::path Exercise::program(bool plain) const { return BUILD_DIR "/tests/judge/" + target(plain); }

const std::vector<Exercise>& exercises() {
  static const auto all = [] {
    std::vector<Exercise> list;
    std::ifstream in(EXERCISES);
    std::string sanitizer;
    for (Exercise one; in >> one.id >> one.name >> one.chapter >> one.minutes >> one.time_limit >>
                       one.sanitizer;) {
      one.lacks = one.sanitizer.rfind("no-", 0) == 0 ? one.sanitizer.substr(3) : "";
      if (one.sanitizer == "none" || !one.lacks.empty()) one.sanitizer.clear();
      list.push_back(one);
    }
    return list;
  }();
  return all;
}

const Exercise* find_exercise(std::string_view name) {
  const auto& all = exercises();
  const auto it = std::find_if(all.begin(), all.end(), [name](const Exercise& exercise) {
    return name == exercise.id || '0' + std::string(name) == exercise.id || name == exercise.name ||
           name == exercise.id + "-" + exercise.name;
  });
  return it == all.end() ? nullptr : &*it;
}

Progress::Progress() {
  std::ifstream in(work_folder() / "progress");
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string fact, id;
    int count = 0;
    words >> fact >> id >> count;
    if (!find_exercise(id)) continue;  // of another version of the course
    if (fact == "current") current = id;
    if (fact == "passed") passed.insert(id);
    if (fact == "hints") hints[id] = count;
  }
}

void Progress::save() const {
  fs::create_directories(work_folder());
  const fs::path file = work_folder() / "progress", fresh = work_folder() / "progress.new";
  std::ofstream out(fresh);
  if (!current.empty()) out << "current " << current << '\n';
  for (const auto& id : passed) out << "passed " << id << '\n';
  for (const auto& [id, count] : hints) out << "hints " << id << ' ' << count << '\n';
  out.close();
  if (!out) throw std::runtime_error("cannot write " + fresh.string());
  fs::rename(fresh, file);
}
