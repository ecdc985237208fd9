// CRASH: (a std::thread was destroyed that nobody had joined)

#include <curl/curl.h>

#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

size_t discard(char*, size_t size, size_t count, void*) { return size * count; }

bool is_ok(const std::string& url) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(),
                                                                 curl_easy_cleanup);
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, discard);
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  long status = 0;
  if (curl_easy_perform(curl.get()) == CURLE_OK)
    curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  return status == 200;
}

void fetch(const std::string& url) {
  std::printf("%s %s\n", url.c_str(), is_ok(url) ? "OK" : "Bad");
}

int main(int argc, char* argv[]) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  std::vector<std::thread> threads;
  for (int i = 1; i < argc; ++i) threads.emplace_back(fetch, argv[i]);
}
