// FAIL: of 9 jobs that throw, 3 ran: a job that throws must not take its place with it

#include <curl/curl.h>

#include <cstdio>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "green/green.hpp"

class Pool {
 public:
  explicit Pool(std::size_t size) : size_(size) {}

  // Runs job() on a green thread, as soon as fewer than `size` others run. Does not wait for that.
  void spawn(std::function<void()> job) {
    jobs_.push_back(std::move(job));
    if (workers_ == size_) return;
    green::spawn([this] { work(); });
    ++workers_;
  }

 private:
  void work() {
    while (!jobs_.empty()) {
      const auto job = std::move(jobs_.front());
      jobs_.pop_front();
      job();
    }
    --workers_;
  }

  const std::size_t size_;
  std::size_t workers_ = 0;
  std::deque<std::function<void()>> jobs_;
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
  std::printf("%s %s\n", url.c_str(), get(url) == 200 ? "OK" : "Bad");
} catch (const std::exception&) {
  std::printf("%s Bad\n", url.c_str());
  throw;  // for the pool, this job has failed
}

int main(int argc, char* argv[]) {
  green::patch_all();
  curl_global_init(CURL_GLOBAL_DEFAULT);
  Pool pool(3);
  for (int i = 1; i < argc; ++i) pool.spawn([url = std::string(argv[i])] { fetch(url); });
  green::join_all();
}
