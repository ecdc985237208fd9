// Fetches the URLs one after the other and prints `URL OK` or `URL Bad` for each.
// While a server thinks, this program waits, and does nothing else.

#include <curl/curl.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <string>

#include "cli.hpp"

// #region is_ok
// libcurl would follow any 3xx that has a Location. It is told with each header which ones do.
size_t follow_redirects(char*, size_t size, size_t count, void* curl) {
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  const bool redirect = (status >= 301 && status <= 303) || status == 307 || status == 308;
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, redirect ? 1L : 0L);
  return size * count;
}

size_t discard(char*, size_t size, size_t count, void*) { return size * count; }

// Whether `url` answers 200 in full, over at most 10 redirects and within 10 s for all of it.
Verdict is_ok(const std::string& url) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> owner(curl_easy_init(),
                                                                  curl_easy_cleanup);
  CURL* curl = owner.get();
  if (!curl) return {false, "out of memory"};
  char reason[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_DEFAULT_PROTOCOL, "none");  // a scheme is not guessed
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_PROXY, "");  // whatever the environment says
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, follow_redirects);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, curl);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 10L);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, 10L);
  curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);  // nor wait for a slow DNS server
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, USER_AGENT);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, discard);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);  // or newer
  if (const char* file = std::getenv("SSL_CERT_FILE")) curl_easy_setopt(curl, CURLOPT_CAINFO, file);

  errno = 0;
  const CURLcode result = curl_easy_perform(curl);
  if (result == CURLE_COULDNT_CONNECT && errno != 0) return {false, std::strerror(errno)};
  if (result != CURLE_OK) return {false, *reason ? reason : curl_easy_strerror(result)};
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  return {status == 200, "HTTP status " + std::to_string(status)};
}
// #endregion is_ok

// #region fetch
void fetch(const std::string& url) try {
  print(url, is_ok(url));
} catch (const std::exception& error) {  // such as no memory: it costs this URL, not the others
  print(url, {false, error.what()});
}
// #endregion fetch

// #region main
int main(int argc, char* argv[]) {
  const auto urls = arguments(argc, argv);
  curl_global_init(CURL_GLOBAL_DEFAULT);

  for (const auto& url : urls) fetch(url);
  return exit_status;
}
// #endregion main
