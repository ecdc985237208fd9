// HANG: a thread waits for `mutex` that it holds itself

#include <curl/curl.h>

#include <cstdio>
#include <memory>
#include <mutex>
#include <string>

#include "green/green.hpp"

int total = 0;
std::mutex mutex;

size_t discard(char*, size_t size, size_t count, void*) { return size * count; }

bool is_ok(const std::string& url) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(),
                                                                 curl_easy_cleanup);
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, discard);
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  long status = 0;
  if (curl_easy_perform(curl.get()) == CURLE_OK)  // others run while this waits
    curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  return status == 200;
}

void fetch(const std::string& url) {
  const std::lock_guard lock(mutex);
  const int before = total;
  const bool ok = is_ok(url);
  total = before + (ok ? 1 : 0);
  std::printf("%s %s\n", url.c_str(), ok ? "OK" : "Bad");
}

int main(int argc, char* argv[]) {
  green::patch_all();
  curl_global_init(CURL_GLOBAL_DEFAULT);
  for (int i = 1; i < argc; ++i) green::spawn(fetch, argv[i]);
  green::join_all();
  std::printf("%d counted\n", total);
}
