// Files that several chapters share are the same to the byte. The chapters' programs differ only in
// their model, and stay as short as the talk's.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>

#include "catch.hpp"
#include "docs.hpp"
#include "fetchers.hpp"
#include "process.hpp"

namespace fs = std::filesystem;

namespace {

const std::string one = "01-sync", two = "02-threads", three = "03-callbacks",
                  four = "04-green-threads", five = "05-coroutines";

std::string read(const std::string& file) {
  INFO(file);
  std::ifstream stream(ROOT_DIR "/" + file, std::ios::binary);
  REQUIRE(stream.is_open());
  return {std::istreambuf_iterator<char>(stream), {}};
}

// The names of the files in a folder of the project.
Lines files(const std::string& folder) {
  Lines all;
  for (const auto& entry : fs::directory_iterator(ROOT_DIR "/" + folder))
    all.push_back(entry.path().filename());
  std::sort(all.begin(), all.end());
  return all;
}

// `is_ok` and `fetch` of a chapter's program.
std::string before_main(const std::string& chapter) {
  const std::string text = read(chapter + "/fetch.cpp");
  const auto start = text.find("\nVerdict is_ok("), end = text.find("\nint main(");
  REQUIRE(start < end);
  REQUIRE(end != text.npos);
  return text.substr(start, end - start);
}

// Blank lines, comments and #includes do not count.
std::size_t count_code(const Lines& all) {
  static const std::regex other("\\s*(//.*|#include.*)?");
  return std::count_if(all.begin(), all.end(),
                       [](const std::string& line) { return !std::regex_match(line, other); });
}
std::size_t lines_of_code(const std::string& file) { return count_code(lines(read(file))); }

// The lines that only one of the files has.
Lines differing_lines(const std::string& from, const std::string& to) {
  Lines all = lines(run({"diff", ROOT_DIR "/" + from, ROOT_DIR "/" + to}).out);
  std::erase_if(all, [](const std::string& line) { return line[0] != '<' && line[0] != '>'; });
  return all;
}

}  // namespace

TEST_CASE("copies: a file that several chapters have is the same to the byte") {
  struct Row {
    std::string file;
    Lines chapters;
  };
  const std::vector<Row> table{
      {"cli.cpp", {one, two, three, four, five}},
      {"cli.hpp", {one, three, four, five}},  // and 02's: below
      {"http_get.cpp", {one, two, four}},
      {"http_get.hpp", {one, two, four}},
      {"asio-beast.cmake", {three, five, "tests/server"}},
      {"libraries.cpp", {three, five, "tests/server"}},
      {"watchdog.hpp", {three, four, five}},
  };
  for (const auto& row : table)
    for (const auto& chapter : row.chapters) {
      INFO(chapter << "/" << row.file);
      CHECK((read(chapter + "/" + row.file) == read(row.chapters[0] + "/" + row.file)));
    }
}

TEST_CASE("copies: 03 and 05 have the same http/") {
  const std::string folder = "/http";
  REQUIRE(files(three + folder) == files(five + folder));
  for (const auto& file : files(three + folder)) {
    INFO(file);
    CHECK((read(three + folder + "/" + file) == read(five + folder + "/" + file)));
  }
}

TEST_CASE("copies: 02's exit_status is atomic, and that is all that its cli differs in") {
  CHECK(differing_lines(one + "/cli.hpp", two + "/cli.hpp") ==
        Lines{"< inline int exit_status = 0;", "> inline std::atomic<int> exit_status = 0;"});
}

TEST_CASE("copies: is_ok and fetch of 02 and 04 are 01's to the byte") {
  CHECK(before_main(two) == before_main(one));
  CHECK(before_main(four) == before_main(one));
}

TEST_CASE("copies: five link checkers differ in the model alone") {
  const Lines folders{one + "/exercises/4-links/", two + "/exercises/7-links/",
                      three + "/exercises/7-links/", four + "/exercises/7-links/",
                      five + "/exercises/6-links/"};
  const std::string compared = read(five + "/exercises/links-compared.md");
  const auto part = [](const std::string& folder, const char* name) {
    return docs::region(ROOT_DIR "/" + folder + "solution.cpp", name);
  };
  for (std::size_t i = 0; i < folders.size(); ++i) {
    INFO(folders[i]);
    for (const char* file : {"page.cpp", "page.hpp"})
      CHECK((read(folders[i] + file) == read(folders[0] + file)));
    for (const char* file : {"get.cpp", "get.hpp"})
      if (i == 1 || i == 3) CHECK((read(folders[i] + file) == read(folders[0] + file)));
    CHECK(part(folders[i], "site") == part(folders[0], "site"));
    if (i > 0) CHECK(part(folders[i], "queue") == part(folders[1], "queue"));
    const std::string row = "solution.cpp) | " +
                            std::to_string(count_code(lines(part(folders[i], "model")))) + " | " +
                            std::to_string(lines_of_code(folders[i] + "get.cpp")) + " |";
    INFO(row);
    CHECK(compared.find(folders[i] + row) != std::string::npos);
  }
}

TEST_CASE("copies: a chapter's program is as short as the talk's") {
  const std::vector<std::pair<std::string, std::size_t>> most{
      {one, 13}, {two, 19}, {three, 24}, {four, 20}, {five, 20},
  };
  for (const auto& [chapter, count] : most) {
    INFO(chapter);
    CHECK(lines_of_code(chapter + "/fetch.cpp") <= count);
  }
}

TEST_CASE("copies: from 01 to 02 and to 04 little changes") {
  const std::string from = one + "/fetch.cpp";
  CHECK(differing_lines(from, two + "/fetch.cpp").size() <= 15);
  CHECK(differing_lines(from, four + "/fetch.cpp").size() <= 14);
}
