// The exercises from outside: what each of them must have, and what ./learn tells a learner from
// the first to the last. (The tests named `exercises` in ctest check that each answer gets its
// verdict.)

#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

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
#include "socket.hpp"
#include "test_server.hpp"

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

// The judge in a terminal of its own, with somebody at the keys.
class Terminal {
 public:
  explicit Terminal(const char* verb) {
    int master = -1;
    pid_ = forkpty(&master, nullptr, nullptr, nullptr);
    if (pid_ == 0) {
      setenv("SYNC_DESERT_TRIAL", "1", 1);
      execl(BUILD_DIR "/tests/judge/judge", "judge", verb, nullptr);
      _exit(127);
    }
    master_ = Descriptor(master);
  }
  ~Terminal() {
    if (pid_ > 0) kill(pid_, SIGKILL), waitpid(pid_, nullptr, 0);
  }
  Terminal(const Terminal&) = delete;

  // Whether it shows that, within a minute, behind what was looked for before.
  bool shows(const std::string& part) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (!has(text_, part)) {
      pollfd screen{master_.get(), POLLIN, 0};
      char piece[4096];
      if (std::chrono::steady_clock::now() > end) return false;
      if (poll(&screen, 1, 1000) == 0) continue;
      const ssize_t size = ::read(master_.get(), piece, sizeof piece);
      if (size <= 0) return false;  // it has ended
      text_.append(piece, std::size_t(size));
    }
    text_.erase(0, text_.find(part) + part.size());
    return true;
  }

  void type(char key) { CHECK(::write(master_.get(), &key, 1) == 1); }

  // Whether keys come as they are pressed, and unseen.
  bool is_raw() const {
    termios now{};
    return tcgetattr(master_.get(), &now) == 0 && !(now.c_lflag & (ICANON | ECHO));
  }

  // Its exit status; it ends within a minute, or is ended.
  int status() {
    int status = 0;
    for (int i = 0; waitpid(pid_, &status, WNOHANG) == 0; ++i) {
      if (i == 600) kill(pid_, SIGKILL);
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t pid_;
  Descriptor master_;
  std::string text_;
};

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
    const bool is_capstone = name == "links";  // the last one, which takes all of it together
    CHECK(std::stoi(minutes) <= (is_capstone ? 90 : 30));
    for (const char* heading : {"\n## 1\n\n", "\n## 2\n\n", "\n## 3\n\n"})
      CHECK(has(hints, heading));
    CHECK(!has(hints, "\n## 4"));
    CHECK(has(read(folder / "start.cpp"), "TODO"));
    CHECK(!has(read(folder / "solution.cpp"), "TODO"));
    std::size_t wrong = 0;
    for (const auto& entry : fs::directory_iterator(folder)) {
      const std::string file = entry.path().filename();
      if (file.rfind("wrong-", 0) != 0) {
        std::set<std::string> known{"README.md", "hints.md", "start.cpp", "solution.cpp"};
        if (is_capstone) known.insert({"page.hpp", "page.cpp", "get.hpp", "get.cpp"});  // given
        CHECK(known.count(file) == 1);
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
      CHECK((listed.count(entry.path()) == 1 || entry.path().filename() == "going-further.md" ||
             entry.path().filename() == "links-compared.md"));
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
  write(trial / "01.1-status.cpp",
        "#include <stdexcept>\n"
        "void check(int count) {\n"
        "  if (count > 1) throw std::runtime_error(\"no\");\n"
        "}\n"
        "int main(int argc, char**) { check(argc); }\n");
  CHECK(has(said(judge({"check"})),
            "CRASH: nobody caught the std::runtime_error `no`, thrown at line 3\n"));
  write(trial / "01.1-status.cpp",
        "int first(const char* text) {\n"
        "  return text[0];\n"
        "}\n"
        "int main() { return first(nullptr); }\n");
  CHECK(has(said(judge({"check"})), "CRASH: it used memory that is not its own at line 2\n"));
  write(trial / "01.1-status.cpp", "int main() { for (;;) continue; }\n");
  const std::regex hang(
      "HANG: not done after \\d+ s; 1 thread computes without end; see line 1; no line came for "
      "\\S+\n");
  CHECK(std::regex_search(said(judge({"check"})), hang));

  CHECK(
      said(judge({"reset"})) ==
      "What you had is kept as work/01.1-status.cpp.old-1.\n"
      "work/01.1-status.cpp is the file you began with again. Edit it, then type: ./learn check\n");
  CHECK(has(read(trial / "01.1-status.cpp.old-1"), "for (;;) continue;"));

  CHECK(said(judge({"start", "02.9"})) ==
        "learn: there is no exercise '02.9'; ./learn list shows all\n");
  CHECK(judge({"check", "--fast"}).status == 2);
  CHECK(judge({"check", "01.1", "01.2"}).status == 2);
  CHECK(judge({"list", "all"}).status == 2);
  CHECK(has(said(judge({"check", "03.3"})), "is not there; type: ./learn start 03.3\n"));
}

TEST_CASE("exercises: an error in a header is told at the learner's line") {
  fs::remove_all(trial);
  const auto told = [](const std::string& id, const std::string& file, const std::string& text) {
    judge({"start", id});
    write(trial / file, text);
    const std::string all = said(judge({"check"}));
    UNSCOPED_INFO(all);
    return all;
  };
  const auto chain = [&](const std::string& text) {
    return told("03.2", "03.2-chain.cpp", "#include \"deferred.hpp\"\n#include <thread>\n" + text);
  };
  const std::string at = "BUILD: work/03.2-chain.cpp:";

  std::string said = chain(
      "int main() {\n"
      "  const Deferred<int> number;\n"
      "  number.add_callback([](int a, int b) { return a + b; });\n"
      "}\n");
  CHECK(has(said, at + "5: "));
  CHECK(has(said, " (said in deferred.hpp:"));
  CHECK(has(said, "\n    5 |   number.add_callback([](int a, int b) { return a + b; });\n"));

  said = chain(
      "void work(int count);\n"
      "int main() {\n"
      "  std::thread thread(work, \"three\");\n"
      "}\n");
  CHECK(has(said, at + "5: "));
  CHECK(has(said, "std::thread thread(work"));

  said = chain(
      "Deferred<std::string> name() {\n"
      "  const Deferred<int> number;\n"
      "  return number;\n"
      "}\n"
      "int main() { name(); }\n");
  CHECK(has(said, at + "5: "));
  CHECK(has(said, "  return number;\n"));

  said = chain(
      "int main() {\n"
      "  const int number = 3\n"
      "  return number;\n"
      "}\n");
  CHECK(std::regex_search(said, std::regex(at + "[45]: ")));

  CHECK(has(chain("int main() { std::map<int, int> numbers; }\n"), at + "3: "));
  CHECK(has(chain("#include \"deferreds.hpp\"\n"), at + "3: "));
  CHECK(has(chain("int mian() {}\n"), "BUILD: there is no function `main`\n"));
  CHECK(has(chain("int answer();\nint main() {\n  return answer();\n}\n"),
            at + "5: `answer()` is declared and nowhere defined\n"));

  said = told("05.5", "05.5-task.cpp",
              "#include <coroutine>\n"
              "struct Task {\n"
              "  struct promise_type {\n"
              "    Task get_return_object() { return {}; }\n"
              "    std::suspend_never initial_suspend() { return {}; }\n"
              "    std::suspend_never final_suspend() noexcept { return {}; }\n"
              "    void return_value(int) {}\n"
              "    void unhandled_exception() {}\n"
              "  };\n"
              "};\n"
              "Task three() { co_return 3; }\n"
              "Task four() {\n"
              "  co_return three() + 1;\n"
              "}\n"
              "int main() { four(); }\n");
  CHECK(has(said, "BUILD: work/05.5-task.cpp:13: "));
  CHECK(has(said, "three() + 1"));
}

TEST_CASE("exercises: lines in another order are shown beside those that were expected") {
  fs::remove_all(trial);
  judge({"start", "03.2"});
  write(trial / "03.2-chain.cpp",
        "#include <cstdio>\n"
        "#include <cstdlib>\n"
        "int main(int, char* argv[]) {\n"
        "  const int n = std::atoi(argv[1]);\n"
        "  std::printf(\"nothing yet\\n%d\\n%d\\n%d\\n%d\\n%d\\n\", 4 * n, 2 * (n + 100), n, 2 * "
        "n, n);\n"
        "}\n");
  CHECK(
      has(said(judge({"check"})),
          "FAIL: the lines are right, and their order is not: `214` came as line 3, and should be "
          "line 4\n"
          "        expected      seen\n"
          "     1  nothing yet   nothing yet\n"
          "     2  28            28\n"
          "  >  3  7             214\n"
          "  >  4  214           7\n"
          "     5  14            14\n"
          "     6  7             7\n"));
}

TEST_CASE("exercises: watch judges what is saved, and obeys its keys") {
  fs::remove_all(trial);
  judge({"start", "02.5"});
  Process watch({"env", "SYNC_DESERT_TRIAL=1", BUILD_DIR "/tests/judge/judge", "watch"},
                {.time_limit = std::chrono::seconds(300)});
  std::string said;
  const auto comes = [&](const std::string& part) {
    for (std::string line = watch.read_line(); !line.empty(); line = watch.read_line()) {
      said += line;
      if (std::regex_search(line, std::regex(part))) return true;
    }
    UNSCOPED_INFO(said);
    return false;
  };
  CHECK(comes("HANG: not done after \\d+ s; 2 threads wait for each other: one holds `"));
  CHECK(comes("\\(watching "));
  const fs::path answers = root / "02-threads/exercises/5-deadlock";
  write(trial / "02.5-deadlock.cpp", read(answers / "wrong-one-at-a-time.cpp"));
  CHECK(comes("FAIL: a connection was on its way while nobody held the locks"));
  write(trial / "02.5-deadlock.cpp", read(answers / "solution.cpp"));
  CHECK(comes("PASS: 100 loans"));
  const Result result = watch.finish();  // its stdin ends, which is as good as q
  CHECK(result.status == 0);
  CHECK(result.orphans == 0);
}

TEST_CASE("exercises: watch in a terminal: h hints, n goes on once it passed, q quits") {
  fs::remove_all(trial);
  judge({"start", "01.1"});
  Terminal watch("watch");
  CHECK(watch.shows("FAIL"));
  CHECK(watch.shows("[h] hint  [q] quit"));
  CHECK(watch.is_raw());
  watch.type('h');
  CHECK(watch.shows("Hint 1 of 3 for 01.1 status:"));
  watch.type('h');
  CHECK(watch.shows("Hint 2 of 3 for 01.1 status:"));
  watch.type('x');  // nothing
  watch.type('n');
  CHECK(watch.shows("01.1 status is not passed yet."));
  write(trial / "01.1-status.cpp", read(root / "01-sync/exercises/1-status/solution.cpp"));
  CHECK(watch.shows("01.1 status: judging ..."));
  CHECK(watch.shows("PASS"));
  CHECK(watch.shows("[n] next  [q] quit"));
  write(trial / "01.2-deadline.cpp", "int main() { return twelve; }\n");  // is judged at once
  watch.type('n');
  CHECK(watch.shows("*01.2, "));
  CHECK(watch.shows("01.2 deadline: judging ..."));
  CHECK(watch.shows("BUILD"));
  CHECK(watch.shows("[h] hint  [q] quit"));
  watch.type('h');
  CHECK(watch.shows("Hint 1 of 3 for 01.2 deadline:"));
  watch.type('q');
  CHECK(watch.status() == 1);  // 01.2 is not passed
  CHECK(!watch.is_raw());
  const std::string progress = read(trial / "progress");
  CHECK(has(progress, "current 01.2\n"));
  CHECK(has(progress, "passed 01.1\n"));
  CHECK(has(progress, "hints 01.1 2\n"));
}

TEST_CASE("exercises: where a sanitizer cannot run, the judge says so and judges without it") {
  fs::remove_all(trial);
  const auto check = [](const char* id, const char* file, const fs::path& answer) {
    judge({"start", id});
    fs::copy_file(root / answer, trial / file, fs::copy_options::overwrite_existing);
    // Sanitizers reserve terabytes of addresses.
    return said(run({"env", "SYNC_DESERT_TRIAL=1", "sh", "-c", "ulimit -v 8000000 && exec \"$@\"",
                     "sh", BUILD_DIR "/tests/judge/judge", "check"}));
  };
  const auto without = [](const std::string& text, const std::string& sanitizer) {
    return has(text, "(The " + sanitizer + " sanitizer does not run on this machine: ") &&
           has(text, "Errors that only the sanitizer finds stay hidden.)\n");
  };
  const std::string status =
      check("01.1", "01.1-status.cpp", "01-sync/exercises/1-status/solution.cpp");
  INFO(status);
  CHECK(without(status, "address"));
  CHECK(has(status, "\nPASS: "));
  const std::string wrong =
      check("01.1", "01.1-status.cpp", "01-sync/exercises/1-status/wrong-no-redirects.cpp");
  INFO(wrong);
  CHECK(without(wrong, "address"));
  CHECK(has(wrong, "\nFAIL: "));
  const std::string race =
      check("2.2", "02.2-race.cpp", "02-threads/exercises/2-race/solution.cpp");
  INFO(race);
  CHECK(without(race, "thread"));
  CHECK(has(race, "\nPASS: "));
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

TEST_CASE("exercises: links and pages of any kind do not confuse our link checkers") {
  const Server server;
  const auto page_with = [&](const std::string& link) {
    return server.url("/raw?send=HTTP/1.1%20200%20OK%0D%0A%0D%0A%3Ca%20href=%22") + link +
           "%22%3Ex%3C/a%3E";
  };
  for (const char* id : {"01.4", "02.7", "03.7", "04.7", "05.6"}) {
    const std::string program = BUILD_DIR "/tests/judge/" + std::string(id) + "-solution";
    // The first has no port of that number, the second has no end.
    for (const std::string& bad :
         {std::string("http://127.0.0.1:99999/"), server.url("/endless-body")}) {
      const std::string page = page_with(bad);
      const Result result = run({program, page, "3600", "3600"});
      INFO(id << ", " << result.err);
      CHECK(result.out == page + " OK\n" + bad + " Bad\n" + bad + " broken on " + page + "\n" +
                              "done: 2 pages, 1 broken\n");
      CHECK(result.status == 1);
    }
    // It starts with these, so no page has them.
    for (const std::string bad : {"http://localhost:1/", "x"}) {
      const Result result = run({program, bad, "3600", "3600"});
      INFO(id << ", " << result.err);
      CHECK(result.out == bad + " Bad\n" + "done: 1 pages, 1 broken\n");
      CHECK(result.status == 1);
    }
  }
}

TEST_CASE("exercises: our link checkers go on after Ctrl-Z and fg") {
  for (const char* id : {"01.4", "02.7", "03.7", "04.7", "05.6"}) {
    Listener listener;
    Process process({BUILD_DIR "/tests/judge/" + std::string(id) + "-solution", listener.url("/"),
                     "3600", "3600"});
    Socket client = listener.accept();
    client.receive_until("\r\n\r\n");
    for (int i = 0; i < 10; ++i) {  // 02.7 starts its threads meanwhile, and only then waits
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      process.stop_and_continue();
    }
    client.send("HTTP/1.1 200 OK\r\n\r\n").shut_down();
    const Result result = process.finish();
    INFO(id << ", " << result.err);
    CHECK(result.out == listener.url("/") + " OK\ndone: 1 pages, 0 broken\n");
  }
}

TEST_CASE("exercises: the whole way, with our solutions") {
  fs::remove_all(trial);
  std::string told = said(judge({"start"}));
  const auto all = exercises();
  for (std::size_t i = 0; i < all.size(); ++i) {
    INFO(all[i].id);
    CHECK(has(told, "*" + all[i].id + ", "));
    REQUIRE(fs::exists(all[i].work));
    CHECK(read(all[i].work) == read(all[i].folder / "start.cpp"));
    CHECK(judge({"next"}).status == 1);
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
