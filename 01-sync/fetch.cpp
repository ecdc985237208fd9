// Fetches the URLs one after the other and prints `URL OK` or `URL Bad` for each.
// While a server thinks, this program waits, and does nothing else.

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
} catch (const std::exception& error) {  // it costs this URL, not the others
  print(url, error);
}

int main(int argc, char* argv[]) {
  for (const auto& url : arguments(argc, argv)) fetch(url);
  return exit_status;
}
