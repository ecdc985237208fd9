// FAIL: `/barrier/2 late` should be `/barrier/2 OK`

#include <curl/curl.h>

#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>

#include "green/green.hpp"

using namespace std::chrono_literals;

int jobs = 0;  // that have begun and not ended

struct Counted {
  explicit Counted(int& its) : its_count(its) { ++jobs, ++its_count; }
  ~Counted() { --jobs, --its_count; }
  Counted(const Counted&) = delete;
  int& its_count;
};

// Returns whether job() ended in time. If not, it ends the job first.
bool within(green::Clock::duration time, const std::function<void()>& job) {
  const auto thread = green::spawn(job);
  if (green::join(thread, time)) return true;
  green::kill(thread);  // from now on each call in which it waits fails
  green::join(thread);  // until then it uses the variables it refers to
  return false;
}

size_t discard(char*, size_t size, size_t count, void*) { return size * count; }

// Whether `url` answers 200, without a deadline.
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
  bool ok = false;
  int running = 0;
  const bool in_time = within(1s, [&] {
    const Counted counted(running);
    ok = is_ok(url);
    green::sleep_for(100ms);  // tidying up takes time, too, and kill() does not end it
  });
  std::printf("%s %s\n", url.c_str(), !in_time ? "late" : ok ? "OK" : "Bad");
  if (running > 0) std::printf("%s still runs\n", url.c_str());
}

int main(int argc, char* argv[]) {
  green::patch_all();
  curl_global_init(CURL_GLOBAL_DEFAULT);
  for (int i = 1; i < argc; ++i) green::join(green::spawn(fetch, std::string(argv[i])));
  green::join_all();
  std::printf("%d left\n", jobs);
}
