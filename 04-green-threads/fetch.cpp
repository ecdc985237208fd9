// Fetches all URLs at once, on one OS thread: chapter 01, and only `main` has changed.
// patch_all() replaces the calls of libc that block. A call that waits lets other fetches run.

#include <exception>
#include <string>

#include "cli.hpp"
#include "green/green.hpp"
#include "http_get.hpp"

Verdict is_ok(const std::string& url) {
  const Response response = http_get(url);
  return {response.status == 200, "HTTP status " + std::to_string(response.status)};
}

void fetch(const std::string& url) try {
  print(url, is_ok(url));
} catch (const std::exception& error) {  // an error costs only this URL
  print(url, error);
}

int main(int argc, char* argv[]) {
  const auto urls = arguments(argc, argv);
  green::patch_all();
  for (const auto& url : urls) try {
      green::spawn(fetch, url);
    } catch (const std::exception& error) {  // no memory for its stack
      print(url, error);
    }
  green::join_all();
  return exit_status;
}
