// Fetches the URLs all at once, on one OS thread: 01, and nothing but `main` knows of it.
// patch_all() swaps libc's blocking calls under libcurl; a call that waits lets the others run.

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
} catch (const std::exception& error) {  // it costs this URL, not the others
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
