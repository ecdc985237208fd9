#include "http_get.hpp"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <strings.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <system_error>

namespace {

// Called before main, while there is only one thread.
const CURLcode initialized = curl_global_init(CURL_GLOBAL_DEFAULT);

void check(CURLcode result) {
  if (result != CURLE_OK) throw std::runtime_error(curl_easy_strerror(result));
}

long status_of(CURL* curl) {
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  return status;
}

// Whether the status is a 3xx other than the five redirects.
bool is_final(long status) {
  return status / 100 == 3 && !(status >= 301 && status <= 303) && status != 307 && status != 308;
}

// Whether this is a Location with only a fragment: the same page, which is here already (RFC 3986,
// 4.4). Older versions of libcurl would ask for another page.
bool is_same_page(std::string_view field) {
  const std::string_view name = "location:";
  if (strncasecmp(field.data(), name.data(), std::min(name.size(), field.size())) != 0)
    return false;
  const auto value = field.find_first_not_of(" \t", name.size());
  return value < field.size() && field[value] == '#';
}

// Counts the bytes of headers and trailers. libcurl stores trailers, and has no limit for them.
struct Head {
  CURL* curl;
  size_t size = 0;
  bool is_too_long() const { return size > 512 * 1024; }
};

// libcurl follows every 3xx that has a Location. If this returns 0, it ends the transfer instead.
size_t stop_if_final(char* field, size_t size, size_t count, void* context) {
  Head& head = *static_cast<Head*>(context);
  head.size += size * count;
  const long status = status_of(head.curl);
  const bool stop = is_final(status) || (status / 100 == 3 && is_same_page({field, size * count}));
  return stop || head.is_too_long() ? 0 : size * count;
}

// As libcurl does it, but this also records the error if there is no socket.
curl_socket_t open_socket(void* error, curlsocktype, curl_sockaddr* address) {
  const int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  if (fd == -1) *static_cast<long*>(error) = errno;
  return fd;
}

// libcurl accepts a certificate's common name if it has no other name. So OpenSSL checks the host
// as well, strictly, and for each connection, because a redirect may lead to another host.
CURLcode verify_host(CURL* curl, void* tls, void*) {
  const char* url = "";
  char *host = nullptr, address[sizeof(in6_addr)];
  curl_easy_getinfo(curl, CURLINFO_EFFECTIVE_URL, &url);
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), curl_url_cleanup);
  if (curl_url_set(parsed.get(), CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK ||
      curl_url_get(parsed.get(), CURLUPART_HOST, &host, 0) != CURLUE_OK)
    return CURLE_URL_MALFORMAT;
  const std::unique_ptr<char, decltype(&curl_free)> owner(host, curl_free);
  const std::size_t size = std::strlen(host);
  if (size > 1 && std::strchr(".]", host[size - 1])) host[size - 1] = '\0';
  if (*host == '[') ++host;

  X509_VERIFY_PARAM* const wanted = SSL_CTX_get0_param(static_cast<SSL_CTX*>(tls));
  X509_VERIFY_PARAM_set_hostflags(
      wanted, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const bool is_address = inet_pton(AF_INET, host, address) || inet_pton(AF_INET6, host, address);
  const int set = is_address ? X509_VERIFY_PARAM_set1_ip_asc(wanted, host)
                             : X509_VERIFY_PARAM_set1_host(wanted, host, std::strlen(host));
  return set == 1 ? CURLE_OK : CURLE_PEER_FAILED_VERIFICATION;
}

size_t discard(char*, size_t size, size_t count, void*) { return size * count; }

// The name of a file with certificates. libcurl would wait for a pipe without a deadline, so
// instead of that it gets a name that it cannot open, and that its error shows.
std::string trusted(const char* file) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(file, ignored) ? file
                                                         : "SSL_CERT_FILE is not a regular file";
}

}  // namespace

Response http_get(const std::string& url) {
  check(initialized);
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> owner(curl_easy_init(),
                                                                  curl_easy_cleanup);
  CURL* const curl = owner.get();
  if (!curl) throw std::runtime_error("out of memory");
  const auto set = [curl](CURLoption option, auto value) {
    check(curl_easy_setopt(curl, option, value));
  };
  char reason[CURL_ERROR_SIZE] = "";
  long socket_error = 0;
  Head head{curl};
  set(CURLOPT_ERRORBUFFER, reason);
  set(CURLOPT_OPENSOCKETFUNCTION, open_socket);
  set(CURLOPT_OPENSOCKETDATA, &socket_error);
  set(CURLOPT_NOSIGNAL, 1L);  // signals belong to the whole process

  // #region options
  set(CURLOPT_URL, url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_DEFAULT_PROTOCOL, "none");  // do not guess a scheme
  set(CURLOPT_PROXY, "");                 // ignore the environment
  set(CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
  set(CURLOPT_USERAGENT, USER_AGENT);
  set(CURLOPT_WRITEFUNCTION, discard);

  set(CURLOPT_FOLLOWLOCATION, 1L);
  set(CURLOPT_MAXREDIRS, 10L);
  set(CURLOPT_HEADERFUNCTION, stop_if_final);
  set(CURLOPT_HEADERDATA, &head);
  set(CURLOPT_FORBID_REUSE, 1L);  // a server may close it at any moment

  set(CURLOPT_TIMEOUT, 10L);    // for all of it
  set(CURLOPT_QUICK_EXIT, 1L);  // do not wait for a slow DNS server

  set(CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);  // or newer
  set(CURLOPT_SSL_CTX_FUNCTION, verify_host);
  if (const char* file = std::getenv("SSL_CERT_FILE")) {
    set(CURLOPT_CAINFO, trusted(file).c_str());
    set(CURLOPT_CAPATH, nullptr);  // only the file, not also the system's folder
  }
  // #endregion options

  const CURLcode result = curl_easy_perform(curl);
  if (head.is_too_long()) throw std::runtime_error("too many headers or trailers");
  const long status = status_of(curl);
  const bool stopped = result == CURLE_WRITE_ERROR && status / 100 == 3;
  if (result == CURLE_OK || stopped) return {int(status)};
  long connect_error = 0;
  curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &connect_error);
  const long error = connect_error != 0 ? connect_error : socket_error;
  if (result == CURLE_COULDNT_CONNECT && error != 0)
    throw std::system_error(int(error), std::system_category());
  throw std::runtime_error(*reason ? reason : curl_easy_strerror(result));
}
