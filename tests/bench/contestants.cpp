#include "contestants.hpp"

#include <algorithm>
#include <stdexcept>

namespace {

std::vector<std::string> peer(const char* interpreter, const char* file) {
  return {interpreter, ROOT_DIR "/tests/bench/peers/" + std::string(file)};
}

// Debian's Python, which has Debian's packages; another may come first in PATH.
constexpr char python[] = "/usr/bin/python3";

std::vector<std::string> chapter_in_python(const std::string& chapter) {
  return {python, ROOT_DIR "/" + chapter + "/fetch.py"};
}

std::vector<std::string> python_version(const std::string& module) {
  return {python, "-c", "import " + module + " as it; print(it.__version__)"};
}

// Only without a delay: only then is a core what is missing.
Contestant on_cores(const char* name, const char* cores) {
  Contestant one;
  one.name = name;
  one.command = {BUILD_DIR "/05-coroutines/cores", cores};
  one.colour = "#8a3a80";
  one.dashes = "7 4";
  one.has_tls = true;
  return one;
}

// The chapters on io_uring: a build of their own. Where the kernel denies it, nobody is there.
constexpr char uring[] = BUILD_DIR "/tests/bench/io_uring";

std::vector<std::string> uring_version() {
  return {
      "sh", "-c",
      "! grep -qx '[12]' /proc/sys/kernel/io_uring_disabled && pkg-config --modversion liburing"};
}

std::vector<std::string> uring_build() {
  return {"sh", "-c",
          std::string("cmake -S " ROOT_DIR " -B ") + uring +
              " -G Ninja -DIO_URING=ON -DBUILD_TESTING=OFF && cmake --build " + uring +
              " --target 03-callbacks-fetch 05-coroutines-fetch"};
}

// Debian's crates, without a network. Cargo writes beside the manifest, so that is copied.
std::vector<std::string> rust_build() {
  return {"sh", "-c",
          "mkdir -p " BUILD_DIR "/tests/bench/rust && cd " BUILD_DIR
          "/tests/bench/rust && "
          "cp " ROOT_DIR
          "/tests/bench/peers/rust/* . && "
          "CARGO_HOME=$PWD/home CARGO_TARGET_DIR=$PWD/target cargo build --release --offline "
          "--config 'source.crates-io.replace-with=\"debian\"' "
          "--config 'source.debian.directory=\"/usr/share/cargo/registry\"'"};
}

}  // namespace

const std::vector<Contestant>& contestants() {
  const char one[] = "one after the other, it would take a second for each";
  const char variant[] = "the chapter's `fetch` shows the rest";
  const char slow[] = "with more it would take most of the benchmark's time";
  static const std::vector<Contestant> all{
      {"epoll", {BUILD_DIR "/tests/bench/epoll"}, 19'000, "", 1, "#444", "2 3"},
      {"01-sync", {BUILD_DIR "/01-sync/fetch"}, 10, one, 0, "#5f6368"},
      {"02-threads", {BUILD_DIR "/02-threads/fetch"}, 10'000, "", 3, "#b34700"},
      {"02 processes", {BUILD_DIR "/02-threads/processes"}, 4'000, slow, 1, "#b34700", "7 4"},
      {"03-callbacks", {BUILD_DIR "/03-callbacks/fetch"}, 19'000, "", 1, "#0067a3"},
      {"04-green-threads", {BUILD_DIR "/04-green-threads/fetch"}, 10'000, "", 3, "#00735a"},
      {"04 fetch_httplib",
       {BUILD_DIR "/04-green-threads/fetch_httplib"},
       10'000,
       variant,
       1,
       "#00735a",
       "7 4"},
      {"05-coroutines", {BUILD_DIR "/05-coroutines/fetch"}, 19'000, "", 1, "#8a3a80"},
      {"03 io_uring",
       {std::string(uring) + "/03-callbacks/fetch"},
       19'000,
       "",
       1,
       "#0067a3",
       "7 4",
       uring_version(),
       "liburing-dev",
       uring_build()},
      {"05 io_uring",
       {std::string(uring) + "/05-coroutines/fetch"},
       19'000,
       "",
       1,
       "#8a3a80",
       "2 3",
       uring_version(),
       "liburing-dev",
       uring_build()},
      on_cores("05 on 1 core", "1"),
      on_cores("05 on 2 cores", "2"),
      {"05 coexist", {BUILD_DIR "/05-coroutines/coexist"}, 10'000, variant, 1, "#8a3a80", "7 4"},
      {"Python threads",
       chapter_in_python("02-threads"),
       4'000,
       slow,
       1,
       "#444",
       "1 4",
       {python, "-c", "import platform; print(platform.python_version())"},
       "python3"},
      {"Twisted", chapter_in_python("03-callbacks"), 10'000, slow, 1, "#444", "1 4",
       python_version("twisted"), "python3-twisted"},
      {"gevent", chapter_in_python("04-green-threads"), 4'000, slow, 1, "#444", "1 4",
       python_version("gevent"), "python3-gevent"},
      {"aiohttp", chapter_in_python("05-coroutines"), 10'000, slow, 1, "#444", "1 4",
       python_version("aiohttp"), "python3-aiohttp"},
      {"uvloop", peer(python, "on_uvloop.py"), 10'000, slow, 1, "#444", "1 4",
       python_version("uvloop"), "python3-uvloop"},
      {"libuv",
       {BUILD_DIR "/tests/bench/peer-libuv"},
       19'000,
       "",
       1,
       "#444",
       "1 4",
       {"pkg-config", "--modversion", "libuv"},
       "libuv1-dev",
       {"sh", "-c",
        "cc -O2 " ROOT_DIR "/tests/bench/peers/libuv.c -o " BUILD_DIR
        "/tests/bench/peer-libuv $(pkg-config --cflags --libs libuv)"}},
      {"Rust",
       {BUILD_DIR "/tests/bench/rust/target/release/peer-rust"},
       19'000,
       "",
       1,
       "#444",
       "1 4",
       {"sh", "-c", "cargo --version >/dev/null && ls -d /usr/share/cargo/registry/hyper-0.14.*"},
       "cargo librust-hyper-dev librust-tokio-dev",
       rust_build()},
      {"Go",
       {BUILD_DIR "/tests/bench/peer-go"},
       19'000,
       "",
       1,
       "#444",
       "1 4",
       {"go", "version"},
       "golang-go",
       {"env", "GO111MODULE=off", "GOCACHE=" BUILD_DIR "/tests/bench/go-cache", "go", "build", "-o",
        BUILD_DIR "/tests/bench/peer-go", ROOT_DIR "/tests/bench/peers/go.go"}},
      {"Node",
       peer("node", "node.mjs"),
       10'000,
       slow,
       1,
       "#444",
       "1 4",
       {"node", "--version"},
       "nodejs"},
      {"curl",
       peer("sh", "curl.sh"),
       1'000,
       "it opens at most 300 connections, however many URLs it gets",
       1,
       "#444",
       "1 4",
       {"curl", "--version"},
       "curl"},
  };
  return all;
}

const Contestant& contestant(const std::string& name) {
  const auto& all = contestants();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const auto& it) { return it.name == name; });
  if (found == all.end()) throw std::out_of_range("no contestant " + name);
  return *found;
}
