// 01.3 Where does the time go? TODO: say how much of it was spent waiting.

#include <curl/curl.h>

#include <cstdio>
#include <ctime>
#include <memory>
#include <string>

size_t discard(char*, size_t size, size_t count, void*) { return size * count; }

void fetch(const std::string& url) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(),
                                                                 curl_easy_cleanup);
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, discard);
  const bool ok = curl_easy_perform(curl.get()) == CURLE_OK;
  std::printf("%s %s\n", url.c_str(), ok ? "OK" : "Bad");
}

// Computes for 0.3 s of CPU time.
void compute() {
  for (const auto start = std::clock(); std::clock() - start < 3 * CLOCKS_PER_SEC / 10;) continue;
}

int main(int argc, char* argv[]) {
  // TODO: note the time, and the CPU time so far
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    argument.starts_with("http") ? fetch(argument) : compute();
  }
  const double all = 1, used = 0;  // TODO: in seconds, since then
  std::printf("cpu %.2f s of %.2f s: waited %.0f %%\n", used, all, 100 * (1 - used / all));
}
