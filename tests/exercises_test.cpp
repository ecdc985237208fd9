// The exercises from outside: what every one must have, and what ./learn says to a learner on the
// whole way from the first to the last. (Whether each answer gets its verdict is tested by ctest's
// `exercises`, one test each.)

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <thread>

#include "catch.hpp"
#include "fetchers.hpp"
#include "process.hpp"

namespace fs = std::filesystem;

namespace {

const fs::path root = ROOT_DIR;
const fs::path trial = BUILD_DIR "/trial";  // the learner's folder, in these tests

std::string read(const fs::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write(const fs::path& file, const std::string& text) { std::ofstream(file) << text; }

struct Exercise {
  std::string id, name, chapter, minutes;
  fs::path folder, work;
};

std::vector<Exercise> exercises() {
  std::vector<Exercise> all;
  std::ifstream in(BUILD_DIR "/tests/judge/exercises.txt");
  std::string time_limit, sanitizer;
  for (Exercise one;
       in >> one.id >> one.name >> one.chapter >> one.minutes >> time_limit >> sanitizer;) {
    one.folder = root / one.chapter / "exercises" / (one.id.substr(3) + "-" + one.name);
    one.work = trial / (one.id + "-" + one.name + ".cpp");
    all.push_back(one);
  }
  return all;
}

// What ./learn passes on to the judge; the learner's folder is that of the trial.
Result judge(Lines arguments) {
  arguments.insert(arguments.begin(),
                   {"env", "SYNC_DESERT_TRIAL=1", BUILD_DIR "/tests/judge/judge"});
  return run(arguments);
}

// Its words, with the numbers masked that differ from run to run.
std::string said(const Result& result) {
  static const std::regex number("[0-9]+\\.[0-9]+ s\\b|[0-9]+ requests|[0-9]+ times?|[0-9]+ %"),
      place("\\S*trial/");
  return std::regex_replace(std::regex_replace(result.out + result.err, number, "#"), place,
                            "work/");
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("exercises: each has all that it needs, and nothing is unlisted") {
  const auto all = exercises();
  CHECK(all.size() >= 18);
  std::set<fs::path> listed;
  for (const auto& [id, name, chapter, minutes, folder, work] : all) {
    INFO(id);
    listed.insert(folder);
    const std::string task = read(folder / "README.md"), hints = read(folder / "hints.md");
    CHECK(
        std::regex_search(task, std::regex("^# \\S.*\n\n\\*" + id + ", " + minutes + " minutes")));
    CHECK(lines(task).size() <= 24);  // one screen
    CHECK(std::stoi(minutes) >= 10);
    CHECK(std::stoi(minutes) <= 30);
    for (const char* heading : {"\n## 1\n\n", "\n## 2\n\n", "\n## 3\n\n"})
      CHECK(has(hints, heading));
    CHECK(!has(hints, "\n## 4"));
    CHECK(has(read(folder / "start.cpp"), "TODO"));
    CHECK(!has(read(folder / "solution.cpp"), "TODO"));
    std::size_t wrong = 0;
    for (const auto& entry : fs::directory_iterator(folder)) {
      const std::string file = entry.path().filename();
      if (file.rfind("wrong-", 0) != 0) {
        CHECK(std::set<std::string>{"README.md", "hints.md", "start.cpp", "solution.cpp"}.count(
                  file) == 1);
        continue;
      }
      ++wrong;
      CHECK(std::regex_search(read(entry), std::regex("^// (FAIL|RACE|CRASH|HANG): \\S")));
    }
    CHECK(wrong >= 2);
    CHECK(has(read(root / chapter / "README.md"), "exercises/" + folder.filename().string()));
  }
  for (const auto& chapter : fs::directory_iterator(root)) {
    if (!std::regex_match(chapter.path().filename().string(), std::regex("\\d\\d-.*"))) continue;
    CHECK(fs::exists(chapter.path() / "exercises/going-further.md"));
    for (const auto& entry : fs::directory_iterator(chapter.path() / "exercises")) {
      INFO(entry.path());
      CHECK((listed.count(entry.path()) == 1 || entry.path().filename() == "going-further.md"));
    }
  }
}

TEST_CASE("exercises: what a learner is told, from the first word on") {
  fs::remove_all(trial);
  CHECK(has(said(judge({"list"})), "Begin with: ./learn start\n"));
  CHECK(said(judge({"check"})) == "learn: nothing is begun yet; type: ./learn start\n");
  CHECK(has(said(judge({"start"})), "\nEdit work/01.1-status.cpp, then type ./learn check, or "));
  CHECK(read(trial / "01.1-status.cpp") == read(root / "01-sync/exercises/1-status/start.cpp"));

  CHECK(said(judge({"check"})) ==
        "FAIL: `/status/404 OK` should be `/status/404 Bad`\n"
        "Edit work/01.1-status.cpp and type ./learn check again; ./learn hint helps.\n");
  CHECK(judge({"next"}).status == 1);
  CHECK(has(said(judge({"solution"})), "01.1 status is not passed yet. ./learn hint helps"));
  CHECK(has(said(judge({"solution", "--anyway"})), "\n+++ solution\n"));
  for (const char* step : {"1", "2", "3", "3"}) {
    const std::string hint = said(judge({"hint"}));
    CHECK(has(hint, std::string("Hint ") + step + " of 3 for 01.1 status:\n\n"));
    CHECK(has(hint, "./learn"));
  }

  write(trial / "01.1-status.cpp", "int main() {\n  return twelve;\n}\n");
  CHECK(said(judge({"check"})) ==
        "BUILD: work/01.1-status.cpp:2: ‘twelve’ was not declared in this scope\n"
        "    2 |   return twelve;\n"
        "      |          ^~~~~~\n"
        "Edit work/01.1-status.cpp and type ./learn check again; ./learn hint helps.\n");
  write(trial / "01.1-status.cpp", "int answer();\nint main() { return answer(); }\n");
  CHECK(has(said(judge({"check"})), "`answer()` is declared and nowhere defined\n"));
  write(trial / "01.1-status.cpp",
        "#include <cstdio>\nint main() { for (;;) std::puts(\"x\"); }\n");
  CHECK(has(said(judge({"check"})), "FAIL: it printed more than 1 MB, beginning with `x`\n"));
  write(trial / "01.1-status.cpp", "int main() { for (;;) continue; }\n");
  CHECK(has(said(judge({"check"})), "HANG: not done after 5 s; 1 thread computes without end\n"));

  CHECK(said(judge({"reset"})) ==
        "What you had is kept as work/01.1-status.cpp.old-1.\n"
        "work/01.1-status.cpp is as at the start. Edit it, then type: ./learn check\n");
  CHECK(has(read(trial / "01.1-status.cpp.old-1"), "for (;;) continue;"));

  CHECK(said(judge({"start", "02.9"})) ==
        "learn: there is no exercise '02.9'; did you mean '02.1'? ./learn list shows all\n");
  CHECK(has(said(judge({"hint", "rase"})), "did you mean 'race'?"));
  CHECK(judge({"check", "--fast"}).status == 2);
  CHECK(judge({"check", "01.1", "01.2"}).status == 2);
  CHECK(judge({"list", "all"}).status == 2);
  CHECK(has(said(judge({"check", "03.3"})), "is not there; type: ./learn start 03.3\n"));
}

TEST_CASE("exercises: watch judges what is saved, and obeys its keys") {
  fs::remove_all(trial);
  judge({"start", "02.5"});
  Process watch({"env", "SYNC_DESERT_TRIAL=1", BUILD_DIR "/tests/judge/judge", "watch"},
                {.time_limit = std::chrono::seconds(100)});
  const auto comes = [&watch](const std::string& part) {
    for (std::string line = watch.read_line(); !line.empty(); line = watch.read_line())
      if (has(line, part)) return true;
    return false;
  };
  CHECK(comes("HANG: not done after 1 s; 2 threads wait for each other: one holds `"));
  CHECK(comes("(watching "));
  const fs::path answers = root / "02-threads/exercises/5-deadlock";
  write(trial / "02.5-deadlock.cpp", read(answers / "wrong-one-at-a-time.cpp"));
  CHECK(comes("FAIL: a connection was on its way while nobody held the locks"));
  write(trial / "02.5-deadlock.cpp", read(answers / "solution.cpp"));
  CHECK(comes("PASS: 100 loans"));
  const Result result = watch.finish();  // its stdin ends, which is as good as q
  CHECK(result.status == 0);
  CHECK(result.orphans == 0);
}

TEST_CASE("exercises: a judge that is ended leaves nothing behind") {
  fs::remove_all(trial);
  judge({"start", "01.2"});
  Process check({"env", "SYNC_DESERT_TRIAL=1", BUILD_DIR "/tests/judge/judge", "watch"});
  check.read_line();
  std::this_thread::sleep_for(std::chrono::seconds(2));  // anywhere in it, /hang included
  check.signal(SIGTERM);
  const Result result = check.finish();
  CHECK((result.status == 128 + SIGTERM || result.status == 1));
  CHECK(!result.left_some);
}

TEST_CASE("exercises: the whole way, with our solutions") {
  fs::remove_all(trial);
  std::string told = said(judge({"start"}));
  const auto all = exercises();
  for (std::size_t i = 0; i < all.size(); ++i) {
    INFO(all[i].id);
    CHECK(has(told, "*" + all[i].id + ", "));
    REQUIRE(fs::exists(all[i].work));
    fs::copy_file(all[i].folder / "solution.cpp", all[i].work,
                  fs::copy_options::overwrite_existing);
    const std::string verdict = said(judge({"check"}));
    INFO(verdict);
    CHECK(verdict.rfind("PASS: ", 0) == 0);
    const bool last = i + 1 == all.size();
    CHECK(has(verdict, last ? "That was the last one: all " : ", then type: ./learn next\n"));
    CHECK(said(judge({"solution"})) ==
          "Yours is the same, to the byte.\nGo on with: ./learn next\n");
    told = said(judge({"next"}));
  }
  CHECK(has(told, "All exercises are passed."));
  CHECK(has(said(judge({"list"})), std::to_string(all.size()) + " of "));
}
