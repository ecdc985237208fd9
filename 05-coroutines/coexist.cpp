// Somebody else's asynchronous framework on the same loop: libcurl's multi interface. libcurl says
// which sockets and what time it waits for, the loop tells it when that has come, and a coroutine
// awaits the transfer. Every second URL goes through http_get instead: the loop sees no difference.

#include <curl/curl.h>
#include <fcntl.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "http_get.hpp"

namespace asio = boost::asio;
using boost::system::error_code;

struct Verdict {
  bool ok;
  std::string reason;  // why not, in words for a person
};

int exit_status = 0;

// #region curl
// Drives libcurl's transfers with the loop. libcurl owns its sockets: it opens and closes them, the
// loop only watches. libcurl is never called from within a callback of its own: what it asks for
// there is only noted down, and every call of ours comes from the loop. It must outlive the loop's
// run().
class Curl {
 public:
  explicit Curl(asio::io_context& loop) : loop_(loop), timer_(loop), multi_(curl_multi_init()) {
    if (!multi_) throw std::bad_alloc();
    curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  }
  ~Curl() { curl_multi_cleanup(multi_); }
  Curl(const Curl&) = delete;
  Curl& operator=(const Curl&) = delete;

  // Performs the transfer that `easy` describes. To abandon it, cancel this, or destroy it.
  awaitable<CURLcode> perform(CURL* easy) {
    Transfer transfer(*this, easy);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, &transfer);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, this);
    if (const CURLMcode error = curl_multi_add_handle(multi_, easy); error != CURLM_OK)
      throw std::runtime_error(curl_multi_strerror(error));
    transfer.added = true;
    co_await transfer.ended.async_wait(asio::as_tuple(asio::deferred));
    co_return transfer.result;
  }

 private:
  // A transfer under way. Its timer never expires: check_transfers cancels it at the end.
  struct Transfer {
    Transfer(Curl& its_curl, CURL* its_easy)
        : curl(its_curl),
          easy(its_easy),
          ended(its_curl.loop_, asio::steady_timer::time_point::max()) {}
    ~Transfer() {
      if (added) curl_multi_remove_handle(curl.multi_, easy);
    }
    Curl& curl;
    CURL* easy;
    asio::steady_timer ended;
    CURLcode result = CURLE_ABORTED_BY_CALLBACK;
    bool added = false;
  };

  // A descriptor of libcurl's that the loop watches. The handlers that wait share it; `watched` is
  // what libcurl wants now, and 0 for ever once it wants no more: then its number may already
  // stand for another file.
  struct Socket {
    Socket(asio::io_context& loop, curl_socket_t fd) : descriptor(loop) {
      error_code error;
      descriptor.assign(fd, error);
    }
    ~Socket() { release(); }
    void release() {
      watched = 0;
      if (descriptor.is_open()) descriptor.release();  // out of epoll; the file stays open
    }
    asio::posix::stream_descriptor descriptor;
    int watched = 0;  // CURL_POLL_IN | CURL_POLL_OUT
    int waiting = 0;  // the directions in which a handler waits
  };
  // #endregion curl

  // #region callbacks
  static int on_timer(CURLM*, long milliseconds, void* self) {
    static_cast<Curl*>(self)->set_timer(milliseconds);
    return 0;
  }
  static int on_socket(CURL*, curl_socket_t fd, int what, void* self, void*) {
    static_cast<Curl*>(self)->watch(fd, what);
    return 0;
  }
  static int on_close(void* self, curl_socket_t fd) {
    static_cast<Curl*>(self)->watch(fd, CURL_POLL_REMOVE);  // before the number is free again
    return close(fd);
  }

  void set_timer(long milliseconds) {
    timer_.cancel();
    if (milliseconds < 0) return;
    timer_.expires_after(std::chrono::milliseconds(milliseconds));
    timer_.async_wait([this](error_code error) {
      if (!error) act(CURL_SOCKET_TIMEOUT, 0);
    });
  }

  void watch(curl_socket_t fd, int what) {
    if (what == CURL_POLL_REMOVE) {
      if (const auto removed = sockets_.extract(fd)) removed.mapped()->release();
      return;
    }
    auto& socket = sockets_[fd];
    if (!socket) socket = std::make_shared<Socket>(loop_, fd);
    socket->watched = what;
    wait(fd, socket, CURL_POLL_IN);
    wait(fd, socket, CURL_POLL_OUT);
  }

  void wait(curl_socket_t fd, const std::shared_ptr<Socket>& socket, int direction) {
    if (!(socket->watched & direction) || (socket->waiting & direction)) return;
    socket->waiting |= direction;
    socket->descriptor.async_wait(direction == CURL_POLL_IN
                                      ? asio::posix::descriptor_base::wait_read
                                      : asio::posix::descriptor_base::wait_write,
                                  [this, fd, socket, direction](error_code error) {
                                    socket->waiting &= ~direction;
                                    if (!(socket->watched & direction))
                                      return;  // libcurl has changed its mind meanwhile
                                    act(fd, error ? CURL_CSELECT_ERR : direction);
                                    wait(fd, socket, direction);
                                  });
  }
  // #endregion callbacks

  // #region act
  // Tells libcurl what has happened, and the coroutines whose transfers that has ended.
  void act(curl_socket_t fd, int events) {
    int running = 0;
    curl_multi_socket_action(multi_, fd, events, &running);
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      Transfer* transfer = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
      transfer->result = message->data.result;
      transfer->ended.cancel();  // resumes the coroutine later, from the loop
    }
  }
  // #endregion act

  asio::io_context& loop_;
  asio::steady_timer timer_;
  std::map<curl_socket_t, std::shared_ptr<Socket>> sockets_;
  CURLM* multi_;
};

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

// 01's is_ok, with the one line that waits awaited.
awaitable<Verdict> is_ok_by_curl(std::string url, Curl* multi) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> owner(curl_easy_init(),
                                                                  curl_easy_cleanup);
  CURL* curl = owner.get();
  if (!curl) co_return Verdict{false, "out of memory"};
  char reason[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_DEFAULT_PROTOCOL, "none");  // a scheme is not guessed
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_PROXY, "");  // whatever the environment says
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, follow_redirects);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, curl);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 10L);
  curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);  // a server may close its end without a word
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, 10L);
  curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);  // nor wait for a slow DNS server
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, USER_AGENT);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, discard);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);  // or newer
  if (const char* file = std::getenv("SSL_CERT_FILE")) {
    curl_easy_setopt(curl, CURLOPT_CAINFO, file);
    curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);  // the file alone, not the system's folder too
  }

  const CURLcode result = co_await multi->perform(curl);
  if (result != CURLE_OK) co_return Verdict{false, *reason ? reason : curl_easy_strerror(result)};
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  co_return Verdict{status == 200, "HTTP status " + std::to_string(status)};
}

awaitable<Verdict> is_ok(std::string url) {
  const Response response = co_await http_get(std::move(url));
  co_return Verdict{response.status == 200, "HTTP status " + std::to_string(response.status)};
}
// #endregion is_ok

// #region print
// One line on stdout says the verdict; for a Bad one, one on stderr says why.
void print(const std::string& url, const Verdict& verdict) {
  if (!verdict.ok) {
    exit_status = 1;
    std::fprintf(stderr, "%s: %s\n", url.c_str(), verdict.reason.c_str());
  }
  const bool printed = std::printf("%s %s\n", url.c_str(), verdict.ok ? "OK" : "Bad") > 0;
  if (!printed || std::fflush(stdout) != 0) std::_Exit(1);  // stdout is closed: nobody reads on
}
// #endregion print

// #region fetch
awaitable<void> fetch(std::string url, awaitable<Verdict> verdict) try {
  print(url, co_await std::move(verdict));
} catch (const std::exception& error) {
  print(url, {false, error.what()});
}
// #endregion fetch

// #region main
int main(int argc, char* argv[]) try {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s URL...\n", argv[0]);
    return 2;
  }
  // Where stdout is closed, no socket is to take its place and be sent our lines.
  for (int fd = 0; fd != -1 && fd <= STDERR_FILENO;) fd = open("/dev/null", O_RDONLY);
  std::signal(SIGPIPE, SIG_IGN);
  curl_global_init(CURL_GLOBAL_DEFAULT);

  const std::vector<std::string> urls(argv + 1, argv + argc);
  static auto& loop = *new asio::io_context(1);  // never destroyed: a name lookup may outlast main
  static auto& curl = *new Curl(loop);
  auto running = urls.size();
  for (std::size_t i = 0; i < urls.size(); ++i)
    co_spawn(loop, fetch(urls[i], i % 2 == 0 ? is_ok_by_curl(urls[i], &curl) : is_ok(urls[i])),
             [&](std::exception_ptr) {
               if (--running == 0) loop.stop();
             });
  loop.run();  // until all of them are done
  return exit_status;
} catch (const std::exception& error) {  // no loop to be had: too few open files
  for (int i = 1; i < argc; ++i) print(argv[i], {false, error.what()});
  return exit_status;
}
// #endregion main
