// Another asynchronous framework on the same loop: libcurl's multi interface. libcurl says which
// sockets it waits for and how long, the loop watches them, and a coroutine awaits the transfer.
// Every second URL goes through http_get instead, and the loop treats both in the same way.

#include <curl/curl.h>
#include <strings.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <cerrno>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "cli.hpp"
#include "curl.hpp"
#include "http/tls.hpp"
#include "http/url.hpp"
#include "http_get.hpp"
#include "loop.hpp"

namespace {

void check(CURLcode result) {
  if (result != CURLE_OK) throw std::runtime_error(curl_easy_strerror(result));
}

int status_of(CURL* curl) {
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  return static_cast<int>(status);
}

// Whether the status is a 3xx other than the five redirects.
bool is_final(int status) {
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

// libcurl follows any 3xx that has a Location. Returning 0 ends the transfer at such a header.
size_t stop_if_final(char* field, size_t size, size_t count, void* context) {
  Head& head = *static_cast<Head*>(context);
  head.size += size * count;
  const int status = status_of(head.curl);
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
// as well, for each connection, because a redirect may lead to another host.
CURLcode check_host(CURL* curl, void* tls, void*) try {
  const char* url = "";
  curl_easy_getinfo(curl, CURLINFO_EFFECTIVE_URL, &url);
  verify_host(SSL_CTX_get0_param(static_cast<SSL_CTX*>(tls)), Url(url));
  return CURLE_OK;
} catch (const std::exception&) {  // libcurl is C code, and expects none
  return CURLE_PEER_FAILED_VERIFICATION;
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

// #region get
// 01's http_get, in which the one line that waits is a co_await.
awaitable<Response> http_get(std::string url, Curl& multi) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> owner(curl_easy_init(),
                                                                  curl_easy_cleanup);
  CURL* const curl = owner.get();
  if (!curl) throw std::bad_alloc();
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
  set(CURLOPT_SSL_CTX_FUNCTION, check_host);
  if (const char* file = std::getenv("SSL_CERT_FILE")) {
    set(CURLOPT_CAINFO, trusted(file).c_str());
    set(CURLOPT_CAPATH, nullptr);  // only the file, not also the system's folder
  }

  const CURLcode result = co_await multi.perform(curl);
  if (head.is_too_long()) throw std::runtime_error("too many headers or trailers");
  const int status = status_of(curl);
  const bool stopped = result == CURLE_WRITE_ERROR && status / 100 == 3;
  if (result == CURLE_OK || stopped) co_return Response{status, ""};
  if (result == CURLE_OPERATION_TIMEDOUT) throw std::runtime_error("timed out after 10 s");
  long connect_error = 0;
  curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &connect_error);
  const long error = connect_error != 0 ? connect_error : socket_error;
  if (result == CURLE_COULDNT_CONNECT && error != 0)
    throw std::system_error(int(error), std::system_category());
  throw std::runtime_error(*reason ? reason : curl_easy_strerror(result));
}
// #endregion get

// #region fetch
awaitable<Verdict> is_ok(awaitable<Response> get) {
  const Response response = co_await std::move(get);
  co_return Verdict{response.status == 200, "HTTP status " + std::to_string(response.status)};
}

awaitable<void> fetch(std::string url, awaitable<Response> get) try {
  print(url, co_await is_ok(std::move(get)));
} catch (const std::exception& error) {  // an error costs only this URL
  print(url, error);
}
// #endregion fetch

// #region main
int main(int argc, char* argv[]) {
  const auto urls = arguments(argc, argv);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  Loop loop;
  Curl curl(loop);
  bool by_curl = true;
  for (const auto& url : urls) try {
      co_spawn(loop, fetch(url, by_curl ? http_get(url, curl) : http_get(url)),
               boost::asio::detached);
      by_curl = !by_curl;
    } catch (const std::exception& error) {  // no memory for its frame
      print(url, error);
    }
  loop.run();
  return exit_status;
}
// #endregion main
