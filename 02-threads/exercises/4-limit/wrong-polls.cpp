// FAIL: who waits for a place should be told, and not look
// 02.4 An atomic and a sleep: each thread looks for a place a thousand times a second.

#include <curl/curl.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

std::atomic<int> running = 0;

// A place, for as long as it lives, whichever way it ends.
struct Place {
  Place() {
    for (int seen = running;;) {
      if (seen < 3 && running.compare_exchange_weak(seen, seen + 1)) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      seen = running;
    }
  }
  ~Place() { --running; }
  Place(const Place&) = delete;
};

size_t discard(char*, size_t size, size_t count, void*) { return size * count; }

// The status that `url` answers with. Throws if it does not answer.
long get(const std::string& url) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(),
                                                                 curl_easy_cleanup);
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, discard);
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  if (curl_easy_perform(curl.get()) != CURLE_OK) throw std::runtime_error("no answer");
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  return status;
}

void fetch(const std::string& url) try {
  const Place place;
  const bool ok = get(url) == 200;
  std::printf("%s %s\n", url.c_str(), ok ? "OK" : "Bad");
} catch (const std::exception&) {
  std::printf("%s Bad\n", url.c_str());
}

int main(int argc, char* argv[]) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  std::vector<std::jthread> threads;
  for (int i = 1; i < argc; ++i) threads.emplace_back(fetch, argv[i]);
}
