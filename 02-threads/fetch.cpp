// Fetches all URLs at once: chapter 01 with a thread per URL. Each thread waits for one server.
// All threads write exit_status in cli.hpp, so it is atomic now.

#include <exception>
#include <string>
#include <thread>
#include <vector>

#include "cli.hpp"
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
  std::vector<std::jthread> threads;
  for (const auto& url : arguments(argc, argv)) try {
      threads.emplace_back(fetch, url);
    } catch (const std::exception&) {
      print(url, {false, "out of threads"});
    }
  threads.clear();  // joins them, before exit_status is read
  return exit_status;
}
