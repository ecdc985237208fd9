#include "get.hpp"

#include <curl/curl.h>

#include <memory>
#include <stdexcept>

namespace {

// Called before main, while there is only one thread.
const CURLcode initialized = curl_global_init(CURL_GLOBAL_DEFAULT);

// Keeps a part of a page, which may have 8 MB, as in Boost.Beast. 0 ends the transfer.
size_t keep(char* data, size_t, size_t count, void* kept) try {
  auto& html = *static_cast<std::string*>(kept);
  if (html.size() + count > 8'000'000) return 0;
  html.append(data, count);
  return count;
} catch (const std::exception&) {
  return 0;  // no exception may pass through libcurl
}

}  // namespace

// Uses curl_multi, to check `stop` often. A waiting curl_easy_perform may check once a second only.
Page get(const std::string& url, Clock::time_point deadline, const std::atomic<bool>& stop) {
  using Easy = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;
  using Multi = std::unique_ptr<CURLM, decltype(&curl_multi_cleanup)>;
  const Multi multi(curl_multi_init(), curl_multi_cleanup);
  const Easy easy(curl_easy_init(), curl_easy_cleanup);
  if (initialized != CURLE_OK || !multi || !easy) throw std::runtime_error("out of memory");
  std::string html;
  curl_easy_setopt(easy.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy.get(), CURLOPT_PROXY, "");
  curl_easy_setopt(easy.get(), CURLOPT_USERAGENT, "sync-desert/links");
  curl_easy_setopt(easy.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy.get(), CURLOPT_WRITEFUNCTION, keep);
  curl_easy_setopt(easy.get(), CURLOPT_WRITEDATA, &html);
  curl_multi_add_handle(multi.get(), easy.get());

  CURLcode result = CURLE_OK;
  for (int running = 1; running > 0;) {
    if (stop) result = CURLE_ABORTED_BY_CALLBACK;
    if (Clock::now() >= deadline) result = CURLE_OPERATION_TIMEDOUT;
    if (result != CURLE_OK) break;
    curl_multi_perform(multi.get(), &running);
    if (running > 0) curl_multi_poll(multi.get(), nullptr, 0, 20, nullptr);
  }
  int left = 0;
  if (const CURLMsg* message = curl_multi_info_read(multi.get(), &left); message && !result)
    result = message->data.result;
  curl_multi_remove_handle(multi.get(), easy.get());
  if (result != CURLE_OK) throw std::runtime_error(curl_easy_strerror(result));
  long status = 0;
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
  return parse_page(url, int(status), html);
}
