// 01.1 Status and redirects. TODO: OK means a final status of 200, after at most 10 redirects.

#include <curl/curl.h>

#include <cstdio>
#include <memory>
#include <string>

size_t discard(char*, size_t size, size_t count, void*) { return size * count; }

// Whether `url` answers 200, after at most 10 redirects.
bool is_ok(const std::string& url) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(),
                                                                 curl_easy_cleanup);
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, discard);
  curl_easy_perform(curl.get());
  return true;  // TODO: how do you know?
}

int main(int argc, char* argv[]) {
  for (int i = 1; i < argc; ++i) {
    const bool ok = is_ok(argv[i]);
    std::printf("%s %s\n", argv[i], ok ? "OK" : "Bad");
  }
  return 0;  // TODO: 1 if any is Bad
}
