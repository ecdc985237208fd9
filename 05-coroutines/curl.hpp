// libcurl's multi interface, driven by the loop.

#pragma once

#include <curl/curl.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <set>

#include "http_get.hpp"

// libcurl owns its sockets: it opens and closes them, and the loop only watches. No function of the
// multi interface is called from a callback of libcurl: callbacks record what libcurl wants, and
// every call comes from the loop. Each perform() must have ended before this object is destroyed,
// and this object before the loop.
class Curl {
 public:
  explicit Curl(boost::asio::io_context& loop);
  ~Curl();
  Curl(const Curl&) = delete;
  Curl& operator=(const Curl&) = delete;

  // Performs the transfer that `easy` describes, within 10 s. `easy` must live until it has ended.
  // Cancel or destroy the awaitable to abandon it. Throws if the loop cannot watch one of its
  // sockets.
  awaitable<CURLcode> perform(CURL* easy);

 private:
  struct Transfer;
  struct Socket;
  using Clock = std::chrono::steady_clock;

  static int on_timer(CURLM*, long milliseconds, void* self) noexcept;
  static int on_socket(CURL* easy, curl_socket_t fd, int what, void* self, void*) noexcept;
  static int on_close(void* self, curl_socket_t fd) noexcept;
  static void fail(CURL* easy) noexcept;
  void fail_all(CURLMcode error) noexcept;

  void forget(curl_socket_t fd) noexcept;
  void wait(const std::shared_ptr<Socket>& socket, int direction);
  void act(curl_socket_t fd, int events) noexcept;
  void set_timer() noexcept;

  boost::asio::io_context& loop_;
  boost::asio::steady_timer timer_;
  Clock::time_point due_ = Clock::time_point::max();  // when libcurl wants to be called
  bool is_set_ = true;                                // whether timer_ knows
  std::map<curl_socket_t, std::shared_ptr<Socket>> sockets_;
  std::set<Transfer*> transfers_;
  CURLMcode broken_ = CURLM_OK;  // why libcurl may only be called to remove transfers
  CURLM* const multi_;
};
