// FAIL: looking and winning must be one step

#include <curl/curl.h>

#include <atomic>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

size_t discard(char*, size_t size, size_t count, void*) { return size * count; }

std::atomic<bool> won = false;

// libcurl calls this now and then while it waits, at least once a second.
int look(void*, curl_off_t, curl_off_t, curl_off_t, curl_off_t) { return won ? 1 : 0; }

// The status that `url` answers with. Throws if it does not answer, or another one has won.
long get(const std::string& url) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(),
                                                                 curl_easy_cleanup);
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, discard);
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl.get(), CURLOPT_XFERINFOFUNCTION, look);
  if (curl_easy_perform(curl.get()) != CURLE_OK) throw std::runtime_error("no answer");
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  return status;
}

void fetch(const std::string& url) try {
  const bool ok = get(url) == 200;
  const bool wins = ok && !won;
  if (wins) won = true;
  std::printf("%s %s\n", url.c_str(), wins ? "wins" : ok ? "cancelled" : "Bad");
} catch (const std::exception&) {
  std::printf("%s %s\n", url.c_str(), won ? "cancelled" : "Bad");
}

int main(int argc, char* argv[]) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  std::vector<std::jthread> threads;
  for (int i = 1; i < argc; ++i) threads.emplace_back(fetch, argv[i]);
}
