// FAIL: a line is torn
// 02.3 Each thread waits for its turn by the clock; nothing keeps it.

#include <curl/curl.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

std::mutex terminal;

// A slow line to the terminal: a piece takes a moment. A single call is safe in any thread.
void slow_print(const std::string& piece) {
  std::fputs(piece.c_str(), stdout);
  std::this_thread::sleep_for(std::chrono::milliseconds(10));
}

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
  const bool ok = is_ok(url);
  static std::atomic<int> turn = 0;
  std::this_thread::sleep_for(std::chrono::milliseconds(40 * turn++));
  slow_print(url);
  slow_print(ok ? " OK" : " Bad");
  slow_print("\n");
}

int main(int argc, char* argv[]) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  std::vector<std::jthread> threads;
  for (int i = 1; i < argc; ++i) threads.emplace_back(fetch, argv[i]);
}
