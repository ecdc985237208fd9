#include "docs.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "fetchers.hpp"
#include "process.hpp"

namespace fs = std::filesystem;

namespace docs {

namespace {

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file || fs::is_directory(path)) throw std::runtime_error("no file " + path.string());
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string diff(const fs::path& from, const fs::path& to) {
  const Result result = run({"diff", "-U1", from.string(), to.string()});
  if (result.status > 1) throw std::runtime_error(result.err);
  const auto first_hunk = result.out.find("@@");
  return first_hunk == std::string::npos ? "" : result.out.substr(first_hunk);
}

// What a block of `quoted` kinds must be.
std::string source_of(const Block& block, const fs::path& folder) {
  const auto& arguments = block.arguments;
  if (block.kind == "diff") {
    if (arguments.size() != 2) throw std::runtime_error("a diff needs two files");
    return diff(folder / arguments[0], folder / arguments[1]);
  }
  if (arguments.size() != 1) throw std::runtime_error("code without file or file#region");
  const auto hash = std::min(arguments[0].find('#'), arguments[0].size());
  const fs::path source = folder / arguments[0].substr(0, hash);
  return hash == arguments[0].size() ? read(source) : region(source, arguments[0].substr(hash + 1));
}

// One command of a console block.
struct Command {
  std::string command, output;
};

std::vector<Command> commands(const std::string& text) {
  std::vector<Command> all;
  for (const auto& line : lines(text)) {
    if (line.rfind("$ ", 0) == 0) {
      all.push_back({line.substr(2), ""});
    } else if (all.empty()) {
      throw std::runtime_error("output without a command");
    } else {
      all.back().output += line + '\n';
    }
  }
  return all;
}

// Where libcurl 8.14 and 8.23 have other words than 7.88, which the READMEs show.
const std::pair<std::string, std::string> newer_words[]{
    {"Protocol \"ftp\" is disabled", "Protocol \"ftp\" not supported or disabled in libcurl"},
    {"Protocol \"ftp\" disabled", "Protocol \"ftp\" not supported or disabled in libcurl"},
    {"end of response with # bytes missing", "transfer closed with # bytes remaining to read"},
};

// What counts of the lines of an output.
std::vector<std::string> shape(const std::string& text) {
  static const std::regex number("[0-9]+(\\.[0-9]+)?"), blanks("[ \\t\\r]+"), ends("^ | $");
  std::vector<std::string> all;
  for (auto line : lines(text)) {
    line = std::regex_replace(line, number, "#");
    for (const auto& [newer, older] : newer_words)
      if (const auto at = line.find(newer); at != line.npos) line.replace(at, newer.size(), older);
    line = std::regex_replace(line, blanks, " ");
    all.push_back(std::regex_replace(line, ends, ""));
  }
  return all;
}

// Collects what `check` returns, or throws, for each block.
template <typename Check>
Problems for_each_block(const fs::path& readme, Check check) try {
  Problems problems;
  for (const auto& block : parse(read(readme)).blocks) {
    std::string problem;
    try {
      problem = check(block);
    } catch (const std::runtime_error& error) {
      problem = error.what();
    }
    if (!problem.empty())
      problems.push_back(readme.string() + ":" + std::to_string(block.line) + ": " + problem);
  }
  return problems;
} catch (const std::runtime_error& error) {
  return {readme.string() + ": " + error.what()};
}

}  // namespace

Document parse(const std::string& markdown) {
  Document all;
  std::string fence;  // of the block that is open now
  int number = 0;
  for (const auto& line : lines(markdown)) {
    ++number;
    static const std::regex opening("^(`{3,})([^`]*)$");
    std::smatch match;
    if (!fence.empty()) {
      if (line == fence) {
        fence.clear();
      } else {
        all.blocks.back().text += line + '\n';
      }
    } else if (std::regex_match(line, match, opening)) {
      fence = match[1];
      std::istringstream words(match[2]);
      Block block{"", {}, "", number};
      words >> block.kind;
      block.arguments.assign(std::istream_iterator<std::string>(words), {});
      all.blocks.push_back(block);
    } else if (line.find("```") != std::string::npos || line.rfind("~~~", 0) == 0) {
      throw std::runtime_error("line " + std::to_string(number) + ": a block in disguise");
    } else {
      all.prose += line + '\n';
    }
  }
  if (!fence.empty())
    throw std::runtime_error("line " + std::to_string(all.blocks.back().line) +
                             ": a block without end");
  return all;
}

std::string region(const fs::path& file, const std::string& name) {
  const Result result =
      run({"awk", "-v", "name=" + name, "-f", ROOT_DIR "/tests/support/region.awk", file.string()});
  if (result.status != 0) throw std::runtime_error(result.err);
  return result.out;
}

bool same_shape(const std::string& expected, const std::string& output) {
  const auto wanted = shape(expected), found = shape(output);
  std::multiset<std::string> left(found.begin(), found.end());
  bool all = true;
  for (const auto& line : wanted) {
    if (line == "...") {
      all = false;
    } else if (const auto at = left.find(line); at == left.end()) {
      return false;
    } else {
      left.erase(at);
    }
  }
  return !all || left.empty();
}

Problems check_quotes(const fs::path& readme) {
  return for_each_block(readme, [&](const Block& block) -> std::string {
    static const std::set<std::string> quoted{"cpp", "python", "gdb", "diff"};
    if (!quoted.contains(block.kind)) return "";
    const std::string source = source_of(block, readme.parent_path());
    return block.text == source ? "" : "is not what is there:\n" + source;
  });
}

Problems check_console(const fs::path& readme, const Shell& shell) {
  return for_each_block(readme, [&](const Block& block) -> std::string {
    if (block.kind != "console") return "";
    for (const auto& [command, expected] : commands(block.text)) {
      const auto output = shell(command);
      if (output && !same_shape(expected, *output))
        return "$ " + command + "\nprinted:\n" + *output;
    }
    return "";
  });
}

Problems check_links(const fs::path& readme) try {
  static const std::regex code("`[^`\n]*`"), link("\\]\\(([^)#: ]+)(#[^) ]*)?( [^)]*)?\\)");
  const std::string prose = std::regex_replace(parse(read(readme)).prose, code, "");
  Problems problems;
  for (std::sregex_iterator at(prose.begin(), prose.end(), link), end; at != end; ++at)
    if (!fs::exists(readme.parent_path() / (*at)[1].str()))
      problems.push_back(readme.string() + ": a link to " + (*at)[1].str() +
                         ", which is not there");
  return problems;
} catch (const std::runtime_error& error) {
  return {readme.string() + ": " + error.what()};
}

Problems check_paths(const fs::path& page, const fs::path& root) try {
  static const std::regex code("`([^`\n]+)`"), path("((?:[\\w.-]+/)+[\\w.-]*)(?: .*)?"),
      made("(build|work)/.*");
  const std::string prose = parse(read(page)).prose;
  Problems problems;
  for (std::sregex_iterator at(prose.begin(), prose.end(), code), end; at != end; ++at) {
    const std::string text = (*at)[1];
    std::smatch match;
    if (!std::regex_match(text, match, path)) continue;
    const std::string name = match[1];
    if (std::regex_match(name, made)) continue;
    bool is_there = fs::exists(root / name);
    for (const auto& entry : fs::directory_iterator(root))
      is_there = is_there || (entry.is_directory() && fs::exists(entry.path() / name));
    if (!is_there) problems.push_back(page.string() + ": `" + text + "`, which is not there");
  }
  return problems;
} catch (const std::runtime_error& error) {
  return {page.string() + ": " + error.what()};
}

}  // namespace docs
