// ./learn from outside. It uses only the build folder build/, so a test in another one can check
// only its messages.

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>

#include "catch.hpp"
#include "fetchers.hpp"
#include "folder.hpp"
#include "socket.hpp"
#include "test_server.hpp"

namespace fs = std::filesystem;

namespace {

Lines learn(const Lines& arguments) {
  Lines all{ROOT_DIR "/learn"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return all;
}

bool is_its_build() {
  const bool is = fs::path(BUILD_DIR) == fs::path(ROOT_DIR) / "build";
  if (!is) not_run("the tests are not those of build/");
  return is;
}

std::size_t chapters() {
  std::size_t count = 0;
  for (const auto& fetcher : fetchers()) count += fs::path(fetcher.program).filename() == "fetch";
  return count;
}

// The lines of a run that are a fetcher's: `  http://... OK`.
Lines verdicts(const std::string& out) {
  static const std::regex verdict("^ *(https?://.* (OK|Bad))$");
  Lines all;
  std::smatch match;
  for (const auto& line : lines(out))
    if (std::regex_match(line, match, verdict)) all.push_back(match[1]);
  return all;
}

}  // namespace

TEST_CASE("learn: help") {
  const Result result = run(learn({"help"}));
  CHECK(result.status == 0);
  CHECK(result.err == "");
  for (const char* verb :
       {"run", "inside", "test", "build", "serve", "slides", "pictures", "bench", "install",
        "doctor", "help", "list", "start", "check", "watch", "hint", "solution", "next", "reset"})
    CHECK(result.out.find("\n  " + std::string(verb) + " ") != std::string::npos);
  for (const auto& line : lines(result.out)) CHECK(line.size() <= 80);
}

TEST_CASE("learn: without a verb, where the learner is, in a clone in which nothing is built") {
  const Folder clone;
  const auto says = [&clone](const std::string& part) {
    const Result result = run({clone.path() / "learn"});
    INFO(result.out << result.err);
    CHECK(result.status == 0);
    CHECK(result.err == "");
    CHECK(result.out.find(part) != std::string::npos);
  };
  fs::copy_file(ROOT_DIR "/learn", clone.path() / "learn");
  clone.write("01-sync/exercises/1-status/start.cpp", "");
  clone.write("02-threads/exercises/2-race/start.cpp", "");
  says("and 2 exercises.\nSee what it is about: ./learn run. ");
  says("Then: ./learn start\n");
  clone.write("work/01.1-status.cpp", "");
  clone.write("work/progress", "current 01.1\n");
  says("You are at 01.1, 0 of 2 done. Edit work/01.1-status.cpp, then type:\n./learn check");
  clone.write("work/progress", "current 01.1\npassed 01.1\n");
  says("You passed 01.1, 1 of 2 done. Type: ./learn next\n");
  clone.write("work/progress", "current 02.2\npassed 01.1\npassed 02.2\n");
  says("You passed all 2.");
}

TEST_CASE("learn: a verb that it does not know") {
  for (const auto& [verb, near] : {std::pair{"runn", "run"},
                                   {"tets", "test"},
                                   {"bild", "build"},
                                   {"chek", "check"},
                                   {"hnit", "hint"}}) {
    const Result result = run(learn({verb}));
    INFO(result.err);
    CHECK(result.status == 2);
    CHECK(result.out == "");
    CHECK(result.err.find(verb) != std::string::npos);
    CHECK(std::regex_search(result.err, std::regex(std::string("did you mean.*") + near)));
  }
  CHECK(run(learn({"xyzzy"})).status == 2);
}

TEST_CASE("learn: an exercise that it does not know is refused before anything is built") {
  for (const auto& [name, near] : {std::pair{"rase", "race"}, {"02.1-thread", "02.1-threads"}})
    CHECK(run(learn({"hint", name})).err == std::string("learn: there is no exercise '") + name +
                                                "'; did you mean '" + near + "'?\n");
  CHECK(run(learn({"check", "xyzzy"})).err == "learn: there is no exercise 'xyzzy'\n");
}

TEST_CASE("learn: --yes counts in any place") {
  for (const Lines& words : {Lines{"--yes", "help"}, {"help", "--yes"}}) {
    const Result result = run(learn(words));
    CHECK(result.status == 0);
    CHECK(result.out.find("usage: ./learn") == 0);
  }
}

TEST_CASE("learn: an option that it does not know is refused, with the nearest one") {
  for (const Lines& words : {Lines{"--yess"}, {"run", "--ye"}, {"run", "http://x/", "--yees"}}) {
    const Result result = run(learn(words));
    INFO(result.err);
    CHECK(result.status == 2);
    CHECK(result.out == "");
    CHECK(result.err.find("learn: there is no option '" + words.back() + "'") == 0);
    CHECK(result.err.find("did you mean '--yes'?") != std::string::npos);
  }
  CHECK(run(learn({"run", "-x"})).err == "learn: there is no option '-x'\n");
  CHECK(run(learn({"build", "01-sync"})).err == "learn: build takes no '01-sync'\n");
}

namespace {

// A machine whose libcurl is 7.80, with this one's other tools: a clone of ./learn, and folders of
// headers and programs.
class OldMachine {
 public:
  OldMachine() {
    fs::copy_file(ROOT_DIR "/learn", folder_.path() / "learn");
    folder_.write("include/curl/curlver.h",
                  "#define LIBCURL_VERSION \"7.80.0\"\n#define LIBCURL_VERSION_NUM 0x075000\n");
    static const std::regex manager("(apt|dnf|pacman|brew|sudo).*");
    fs::create_directory(programs());
    for (const char* from : {"/usr/local/bin", "/usr/bin", "/bin"})
      for (const auto& entry : fs::directory_iterator(from)) {
        const std::string name = entry.path().filename();
        std::error_code is_there;
        if (!std::regex_match(name, manager))
          fs::create_symlink(entry.path(), programs() / name, is_there);
      }
  }

  // Adds a program, which notes how it was called and ends with `status`.
  void add(const std::string& name, int status) const {
    const fs::path program =
        folder_.write("bin/" + name, "#!/bin/sh\necho " + name + " \"$*\" >>" +
                                         (folder_.path() / "calls").string() + "\nexit " +
                                         std::to_string(status) + "\n");
    fs::permissions(program, fs::perms::owner_all);
  }

  Result learn(const Lines& arguments) const {
    Lines all{"env", "PATH=" + programs().string(),
              "CPATH=" + (folder_.path() / "include").string(), folder_.path() / "learn"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return run(all);
  }

  std::string calls() const {
    std::ifstream file(folder_.path() / "calls");
    return {std::istreambuf_iterator<char>(file), {}};
  }

  bool has_built() const { return fs::exists(folder_.path() / "build"); }

 private:
  fs::path programs() const { return folder_.path() / "bin"; }

  Folder folder_;
};

}  // namespace

TEST_CASE("learn: doctor tells of a library that is too old, and what to install") {
  const OldMachine machine;
  for (const auto& [manager, package] : {std::pair{"pacman", "curl"},
                                         {"dnf", "libcurl-devel"},
                                         {"apt-get", "libcurl4-openssl-dev"}}) {
    machine.add(manager, 1);  // the first that is found counts, hence in this order
    const Result result = machine.learn({"doctor"});
    INFO(result.out << result.err);
    CHECK(result.status == 1);
    CHECK(result.err == "");
    const std::string line = "--  libcurl: missing or too old; install ";
    CHECK(result.out.find(line + package + " \n") != std::string::npos);
    CHECK(result.out.find("ok  libcurl") == std::string::npos);
    CHECK(result.out.find("ok  openssl") != std::string::npos);
  }
  CHECK(machine.calls() == "");
}

TEST_CASE("learn: what cannot be installed is told, and nothing is built") {
  const auto told = [](const OldMachine& machine, const std::string& words) {
    for (const char* verb : {"run", "build", "install"}) {
      const Result result = machine.learn({verb, "--yes"});
      INFO(words << "\n" << result.out << result.err);
      CHECK(result.status == 3);
      CHECK(result.out == "");
      CHECK(result.err.find("Missing: libcurl ") != std::string::npos);
      CHECK(result.err.find(words) != std::string::npos);
      CHECK(!machine.has_built());
    }
  };
  const OldMachine none, dnf, refusing, old;
  told(none, "install them with your package manager, then try again\n");
  dnf.add("dnf", 0);
  told(dnf, "install them with: sudo dnf install libcurl-devel ");
  CHECK(dnf.calls() == "");

  for (const OldMachine* machine : {&refusing, &old}) machine->add("apt-cache", 1);
  refusing.add("apt-get", 100);
  old.add("apt-get", 0);  // what it installs is as old
  if (geteuid() == 0) {
    told(refusing, "with it you can see why: apt-get install libcurl4-openssl-dev ");
    CHECK(refusing.calls().find(" libcurl4-openssl-dev\n") != std::string::npos);
    told(old, "still missing, or too old: libcurl ");
  } else {
    told(refusing, "as root, run: apt-get install libcurl4-openssl-dev ");
  }
}

TEST_CASE("learn: slides takes no word but --pdf") {
  for (const Lines& words : {Lines{"slides", "--pdff"}, {"slides", "--pdf", "x"}, {"slides", ""}}) {
    const Result result = run(learn(words));
    CHECK(result.status == 2);
    CHECK(result.out == "");
    CHECK(result.err == "learn: usage: ./learn slides [--pdf]\n");
  }
}

TEST_CASE("learn: run shows that all chapters say the same, and what differs") {
  if (!is_its_build()) return;
  const Result result = run({"env", "LC_ALL=C", ROOT_DIR "/learn", "run"});
  INFO(result.out << result.err);
  CHECK(result.status == 0);
  CHECK(result.orphans == 0);
  for (const auto& line : lines(result.out)) CHECK(line.size() <= 80);
  const Lines said = verdicts(result.out);
  CHECK(said.size() == 4 * chapters());
  for (const char* site : {"twitter", "google", "yahoo", "facebook"}) {
    const std::regex ok("http://\\S+/" + std::string(site) + " OK");
    CHECK(std::size_t(std::count_if(said.begin(), said.end(), [&](const std::string& line) {
            return std::regex_match(line, ok);
          })) == chapters());
  }
  Lines most;  // requests in flight at once, by chapter
  static const std::regex in_flight("(\\d+) requests? in flight at once");
  for (std::sregex_iterator at(result.out.begin(), result.out.end(), in_flight), end; at != end;
       ++at)
    most.push_back((*at)[1]);
  REQUIRE(most.size() == chapters());
  CHECK(most.front() == "1");
  for (std::size_t i = 1; i < most.size(); ++i) CHECK(most[i] == "4");

  // The picture has a row for each request of each chapter. A redirect makes two.
  static const std::regex row("  /\\S+ .*#");
  const Lines shown = lines(result.out);
  CHECK(std::size_t(std::count_if(shown.begin(), shown.end(), [](const std::string& line) {
          return std::regex_match(line, row);
        })) == 5 * chapters());
  static const std::regex picture("As a picture: (\\S+)\n");
  std::smatch file;
  REQUIRE(std::regex_search(result.out, file, picture));
  CHECK(fs::file_size(fs::path(ROOT_DIR) / file[1].str()) > 1000);
}

TEST_CASE("learn: run on URLs of one's own, of which one is Bad") {
  if (!is_its_build()) return;
  const Server server;
  const RefusedPort refused;
  const Lines urls{server.url("/status/200"), refused.url("/")};
  const Result result = run(learn({"run", urls[0], urls[1]}));
  INFO(result.out << result.err);
  Lines expected;
  for (std::size_t i = 0; i < chapters(); ++i) {
    expected.push_back(urls[0] + " OK");
    expected.push_back(urls[1] + " Bad");
  }
  CHECK(difference(verdicts(result.out), expected) == Lines());
  CHECK(result.orphans == 0);
  CHECK(result.status == 0);  // they agree
  CHECK(server.stats().requests == chapters());
}

TEST_CASE("learn: inside takes a chapter by its number or its name, and no other") {
  const Result result = run(learn({"inside", "9"}));
  CHECK(result.status == 2);
  CHECK(result.out == "");
  CHECK(result.err.find("there is no chapter '9'") != std::string::npos);
  CHECK(result.err.find("03-callbacks") != std::string::npos);
}

TEST_CASE("learn: inside shows who sleeps and who works") {
  if (!is_its_build()) return;
  if (run({"sh", "-c", "command -v strace"}).status != 0)  // ./learn would install it
    return not_run("there is no strace");
  for (const char* chapter : {"3", "03", "03-callbacks"}) {
    const Server server;
    const Result result =
        run({"env", "LC_ALL=C", ROOT_DIR "/learn", "inside", chapter, server.url("/google")});
    INFO(result.out << result.err);
    CHECK(result.orphans == 0);
    if (result.status == 3) {
      REQUIRE(result.err.find("is in 03-callbacks/inside.svg\n") != std::string::npos);
      return not_run(result.err);
    }
    CHECK(result.status == 0);
    CHECK(server.stats().requests == 1);
    CHECK(result.out.find("\n03-callbacks: 1 thread, asleep ") != std::string::npos);
    CHECK(std::regex_search(result.out, std::regex("\n  main +1+\\.")));
    CHECK(result.out.find("As a picture: build/inside-03-callbacks.svg\n") != std::string::npos);
    for (const auto& line : lines(result.out)) CHECK(line.size() <= 80);
  }
  CHECK(fs::file_size(ROOT_DIR "/build/inside-03-callbacks.svg") > 1000);
}

TEST_CASE("learn: a look inside that is ended in the middle leaves nothing behind") {
  if (!is_its_build()) return;
  const Server server;
  for (const int number : {SIGINT, SIGTERM}) {
    Process process(learn({"inside", "05", server.url("/hang")}));
    if (!server.come_in_flight(1)) {
      const Result result = process.finish();
      REQUIRE(result.status == 3);
      return not_run(result.err);
    }
    process.signal(number);
    const Result result = process.finish();
    CHECK(result.status == 128 + number);
    CHECK(!result.left_some);
    CHECK(server.come_in_flight(0));
  }
}

TEST_CASE("learn: a run that is ended in the middle leaves nothing behind") {
  if (!is_its_build()) return;
  const Server server;
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    Process process(learn({"run", server.url("/hang")}));
    CHECK(server.come_in_flight(1));
    process.signal(number);
    const Result result = process.finish();
    CHECK(result.status == 128 + number);
    CHECK(!result.left_some);
    CHECK(server.come_in_flight(0));
  }
}

TEST_CASE("learn: Ctrl-C in the middle of the talk's sites leaves nothing behind") {
  if (!is_its_build()) return;
  Process process(learn({"run"}));
  for (int i = 0; i < 20 && process.read_line().find(" OK") == std::string::npos;) ++i;
  kill(-process.pid(), SIGINT);  // as a terminal does: to all of the group
  const Result result = process.finish();
  CHECK(result.status == 128 + SIGINT);
  CHECK(!result.left_some);
}
