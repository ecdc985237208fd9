// The READMEs show what is there. The first tests check that the checks themselves find errors.

#include "docs.hpp"

#include <regex>

#include "catch.hpp"
#include "fetchers.hpp"
#include "folder.hpp"
#include "test_server.hpp"

namespace fs = std::filesystem;

namespace {

const fs::path root = ROOT_DIR;

std::vector<fs::path> readmes() {
  std::vector<fs::path> all{root / "README.md", root / "tests/SECURITY.md",
                            root / "tests/DIFFERENCES.md"};
  static const std::regex chapter("\\d\\d-.*");
  for (const auto& folder : fs::directory_iterator(root)) {
    if (!std::regex_match(folder.path().filename().string(), chapter)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(folder))
      if (const auto name = entry.path().filename();
          name == "README.md" || name == "patterns.md" || name == "links-compared.md")
        all.push_back(entry.path());
  }
  return all;
}

std::string replace_all(const std::string& text, const std::string& from, const std::string& to) {
  std::string all;
  std::size_t at = 0;
  for (std::size_t next; (next = text.find(from, at)) != std::string::npos; at = next + from.size())
    all += text.substr(at, next - at) + to;
  return all + text.substr(at);
}

// The pages for people who work on the project.
std::vector<fs::path> guides() {
  std::vector<fs::path> all;
  for (const auto& entry : fs::directory_iterator(root / ".github"))
    if (entry.path().extension() == ".md") all.push_back(entry.path());
  return all;
}

// ./learn knows one build folder, and these verbs do not end or would run this test again.
bool is_for_a_test(const std::string& command) {
  if (command.rfind("./learn", 0) != 0) return true;
  static const std::regex endless("./learn (test|serve|watch)\\b.*");
  return fs::path(BUILD_DIR) == root / "build" && !std::regex_match(command, endless);
}

// Runs a README's command with this build's programs and this test's server.
docs::Shell shell(const Server& server) {
  const std::string port = std::to_string(server.port());
  return [port](const std::string& shown) -> std::optional<std::string> {
    if (!is_for_a_test(shown)) return {};
    static const std::regex build("(^|[ =(])build/");
    std::string command = std::regex_replace(shown, build, "$1" BUILD_DIR "/");
    command = replace_all(command, "localhost:8080", "localhost:" + port);
    command = replace_all(command, "localhost 8080", "127.0.0.1 " + port);  // known everywhere
    const Result result = run({"sh", "-c", "cd " ROOT_DIR " && exec 2>&1 && " + command});
    if (result.timed_out || result.left_some) return "it did not end:\n" + result.out;
    return replace_all(result.out, BUILD_DIR "/", "build/");
  };
}

docs::Problems problems_with_quote(const std::string& readme) {
  const Folder folder;
  folder.write("a.cpp", "// #region one\nint a;\n// #endregion one\nint b;\n");
  folder.write("b.cpp", "// #region one\nint a;\n// #endregion one\nint c;\n");
  folder.write("whole.cpp", "int a;\n\nint b;\n");
  folder.write("bad.cpp",
               "// #region open\n// #region twice\n// #endregion twice\n"
               "// #region twice\n// #endregion twice\n// #endregion only\n");
  return docs::check_quotes(folder.write("README.md", readme));
}

docs::Problems problems_with_console(const std::string& console) {
  const Folder folder;
  return docs::check_console(folder.write("README.md", "```console\n" + console + "```\n"),
                             [](const std::string& command) {
                               return run({"sh", "-c", "exec 2>&1; " + command}).out;
                             });
}

docs::Problems problems_with_link(const std::string& readme) {
  const Folder folder;
  folder.write("a.cpp", "");
  return docs::check_links(folder.write("README.md", readme));
}

docs::Problems problems_with_path(const std::string& page) {
  const Folder folder;
  for (const char* file : {"a/b.cpp", "d/b/c.cpp", ".ci/run"}) folder.write(file, "");
  return docs::check_paths(folder.write("page.md", page), folder.path());
}

}  // namespace

TEST_CASE("docs: a region is what stands between its marks") {
  const Folder folder;
  const fs::path source =
      folder.write("a.cpp",
                   "before\n  // #region outer\n  int a;\n\n    // #region inner\n    int b;\n"
                   "    // #endregion inner\n  // #endregion outer\nafter\n");
  CHECK(docs::region(source, "outer") == "int a;\n\n  int b;\n");
  CHECK(docs::region(source, "inner") == "int b;\n");
  CHECK_THROWS(docs::region(source, "inne"));
  CHECK(docs::region(folder.write("a.py", "# #region one\na = 1\n# #endregion one\n"), "one") ==
        "a = 1\n");
}

TEST_CASE("docs: a quote that differs from its source is seen") {
  CHECK(problems_with_quote("```cpp a.cpp#one\nint a;\n```\n").empty());
  CHECK(problems_with_quote("```cpp whole.cpp\nint a;\n\nint b;\n```\n").empty());
  CHECK(problems_with_quote("```diff a.cpp b.cpp\n@@ -3,2 +3,2 @@\n // #endregion one\n-int b;\n"
                            "+int c;\n```\n")
            .empty());
  CHECK(problems_with_quote("```diff a.cpp a.cpp\n```\n").empty());
  CHECK(problems_with_quote("```c++\nint anything;\n```\n").empty());
  const char* bad[] = {
      "```cpp a.cpp#one\nint b;\n```\n",          // another text
      "```cpp a.cpp#one\nint a;\nint b;\n```\n",  // more text
      "```cpp a.cpp#one\n```\n",                  // less text
      "```cpp\nint a;\n```\n",                    // from nowhere
      "```cpp whole.cpp\nint a;\n```\n",          // not all of it
      "```cpp a.cpp\nint a;\nint b;\n```\n",      // nor with its marks
      "```cpp c.cpp\nint a;\n```\n",              // no such file
      "```cpp a.cpp#two\nint a;\n```\n",          // no such region
      "```cpp c.cpp#one\nint a;\n```\n",          // no such file
      "```cpp bad.cpp#open\n```\n",               // a region without end
      "```cpp bad.cpp#twice\n```\n",              // a region that starts twice
      "```cpp bad.cpp#only\n```\n",               // a region without start
      "```cpp a.cpp#one\nint a;\n",               // a block without end
      " ```cpp a.cpp#one\nint b;\n```\n",         // a block that is hidden
      "```python a.cpp#one\nint b;\n```\n",       // another text, in Python
      "```python\nimport sys\n```\n",             // from nowhere
      "```diff a.cpp b.cpp\n-int b;\n```\n",      // another diff
      "```diff a.cpp b.cpp\n```\n",               // no diff
      "```diff a.cpp c.cpp\n```\n",               // no such file to diff with
      "```diff a.cpp\n```\n",                     // one file
      "```diff\n-int b;\n```\n",                  // no file
  };
  for (const char* readme : bad) {
    INFO(readme);
    CHECK(problems_with_quote(readme).size() == 1);
  }
}

TEST_CASE("docs: an output that is not what the console prints is seen") {
  CHECK(problems_with_console("$ true\n").empty());
  CHECK(problems_with_console("$ echo 1.5 s; echo two >&2\ntwo\n12 s\n").empty());
  CHECK(problems_with_console("$ echo one\none\n$ echo two\ntwo\n").empty());
  CHECK(problems_with_console("$ printf '%5d OK  \\n' 7 10\n 1 OK\n12 OK\n").empty());
  CHECK(problems_with_console("$ seq 9 && echo end\n...\nend\n").empty());
  const char* bad[] = {
      "$ echo one\ntwo\n",                     // another line
      "$ echo one\n",                          // more lines
      "$ true\none\n",                         // fewer lines
      "$ echo one; echo one\none\n",           // a line twice
      "$ echo one\none\none\n",                // a line once
      "$ echo one\n...\ntwo\n",                // the line is not among any lines
      "$ echo one\none\n$ echo two\nthree\n",  // the second command's
      "echo one\n",                            // no command
  };
  for (const char* console : bad) {
    INFO(console);
    CHECK(problems_with_console(console).size() == 1);
  }
}

TEST_CASE("docs: a link to nowhere is seen") {
  CHECK(problems_with_link("[a](a.cpp), [b](https://x.y/z), [c](#part), [d](a.cpp#L3 \"it\")")
            .empty());
  CHECK(problems_with_link("`[a](b.cpp)`\n```text\n[a](b.cpp)\n```\n").empty());
  CHECK(problems_with_link("see [a](b.cpp)").size() == 1);
  CHECK(problems_with_link("see ![a](b.svg) and [c](d#e)").size() == 2);
}

TEST_CASE("docs: a path to nowhere is seen") {
  CHECK(problems_with_path("`a/b.cpp`, `a/`, `b/c.cpp`, `.ci/run`, `.ci/run one/two`").empty());
  CHECK(problems_with_path("`build/c.cpp`, `work/c.cpp`, `c.cpp`, `http://x/c.cpp`, `c d/e`")
            .empty());
  CHECK(problems_with_path("c.cpp\n```text\n`a/c.cpp`\n```\n").empty());
  for (const char* page : {"`a/c.cpp`", "see `b/b`.", "`.ci/walk`", "`./learn run`", "`c/`"}) {
    INFO(page);
    CHECK(problems_with_path(page).size() == 1);
  }
}

TEST_CASE("docs: the READMEs show the code as it is") {
  for (const auto& readme : readmes()) CHECK(docs::check_quotes(readme) == docs::Problems());
}

TEST_CASE("docs: the READMEs' links lead to files") {
  for (const auto& readme : readmes()) CHECK(docs::check_links(readme) == docs::Problems());
}

TEST_CASE("docs: what the guides for contributors name is there") {
  CHECK(guides().size() >= 2);
  for (const auto& guide : guides()) {
    CHECK(docs::check_links(guide) == docs::Problems());
    CHECK(docs::check_paths(guide, root) == docs::Problems());
  }
}

TEST_CASE("docs: the READMEs' commands print what they show") {
  if (sanitized) return not_run("the sanitizers' notices would be part of the output");
  const Server server;
  for (const auto& readme : readmes())
    CHECK(docs::check_console(readme, shell(server)) == docs::Problems());
}
