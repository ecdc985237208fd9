// Fetches the URLs one after the other, and prints `URL OK` or `URL Bad` for each.
// While it waits for a server, it does nothing else.

#include <exception>
#include <string>

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
  for (const auto& url : arguments(argc, argv)) fetch(url);
  return exit_status;
}
