// FAIL: computing, it used

#include <curl/curl.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <ctime>
#include <memory>
#include <string>

using Clock = std::chrono::steady_clock;

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

// The CPU time of this process so far, its own and the kernel's on its behalf.
double cpu_seconds() {
  rusage usage;
  getrusage(RUSAGE_CHILDREN, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

int main(int argc, char* argv[]) {
  const auto start = Clock::now();
  const double cpu = cpu_seconds();
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    argument.starts_with("http") ? fetch(argument) : compute();
  }
  const std::chrono::duration<double> time = Clock::now() - start;
  const double all = time.count(), used = cpu_seconds() - cpu;
  std::printf("cpu %.2f s of %.2f s: waited %.0f %%\n", used, all, 100 * (1 - used / all));
}
