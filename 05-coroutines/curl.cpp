#include "curl.hpp"

#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <chrono>
#include <exception>
#include <new>
#include <stdexcept>
#include <utility>

namespace asio = boost::asio;
using boost::system::error_code;

// A running transfer. `ended` expires at its deadline, because libcurl's own deadline depends on
// the timer that it asks us for.
struct Curl::Transfer {
  Transfer(Curl& its_curl, CURL* its_easy)
      : curl(its_curl), easy(its_easy), ended(its_curl.loop_, std::chrono::seconds(10)) {}
  Transfer(const Transfer&) = delete;
  ~Transfer() {
    curl.transfers_.erase(this);
    if (!is_added) return;
    curl_multi_remove_handle(curl.multi_, easy);
    curl.set_timer();
  }
  void end() {
    ended.expires_at(Clock::time_point::min());
  }  // also for a coroutine that will wait only later

  Curl& curl;
  CURL* const easy;
  asio::steady_timer ended;
  CURLcode result = CURLE_OPERATION_TIMEDOUT;
  std::exception_ptr error;
  bool is_added = false;
};

// A descriptor of libcurl's that the loop watches. The handlers that wait share it. `watched` is
// what libcurl wants now. Once libcurl wants nothing more it stays 0, because the number may
// already belong to another file.
struct Curl::Socket {
  Socket(asio::io_context& loop, curl_socket_t its_fd) : fd(its_fd), descriptor(loop) {
    error_code error;
    descriptor.assign(fd, error);
    if (error) throw std::runtime_error(error.message());
  }
  Socket(const Socket&) = delete;
  ~Socket() { release(); }
  void release() noexcept {
    watched = 0;
    if (descriptor.is_open()) descriptor.release();  // out of epoll; the file stays open
  }
  const curl_socket_t fd;
  asio::posix::stream_descriptor descriptor;
  CURL* easy = nullptr;  // its transfer
  int watched = 0;       // CURL_POLL_IN | CURL_POLL_OUT
  int waiting = 0;       // the directions in which a handler waits
};

Curl::Curl(asio::io_context& loop) : loop_(loop), timer_(loop), multi_(curl_multi_init()) {
  if (!multi_) throw std::bad_alloc();
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  // CURLMOPT_QUICK_EXIT, by its number: newer libcurls would wait for look-ups at the end, older
  // ones do not know the option.
  curl_multi_setopt(multi_, CURLMoption(CURLOPTTYPE_LONG + 21), 1L);
}

Curl::~Curl() { curl_multi_cleanup(multi_); }

// #region perform
awaitable<CURLcode> Curl::perform(CURL* easy) {
  if (broken_) throw std::runtime_error(curl_multi_strerror(broken_));
  Transfer transfer(*this, easy);
  transfers_.insert(&transfer);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, &transfer);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, this);
  if (const CURLMcode error = curl_multi_add_handle(multi_, easy); error != CURLM_OK)
    throw std::runtime_error(curl_multi_strerror(error));
  transfer.is_added = true;
  set_timer();
  co_await transfer.ended.async_wait(asio::as_tuple(asio::deferred));
  if (transfer.error) std::rethrow_exception(transfer.error);
  co_return transfer.result;
}
// #endregion perform

// #region callbacks
// No exception may cross libcurl, which is C code. A failure here ends the transfer it belongs to.
int Curl::on_socket(CURL* easy, curl_socket_t fd, int what, void* self, void*) noexcept {
  Curl& curl = *static_cast<Curl*>(self);
  if (what == CURL_POLL_REMOVE) return curl.forget(fd), 0;
  try {
    auto at = curl.sockets_.find(fd);
    if (at == curl.sockets_.end())
      at = curl.sockets_.emplace(fd, std::make_shared<Socket>(curl.loop_, fd)).first;
    const auto& socket = at->second;
    socket->easy = easy;
    socket->watched = what;
    curl.wait(socket, CURL_POLL_IN);
    curl.wait(socket, CURL_POLL_OUT);
  } catch (...) {
    fail(easy);
  }
  return 0;
}

int Curl::on_close(void* self, curl_socket_t fd) noexcept {
  static_cast<Curl*>(self)->forget(fd);  // before the number is free again
  return close(fd);
}

int Curl::on_timer(CURLM*, long milliseconds, void* self) noexcept {
  Curl& curl = *static_cast<Curl*>(self);
  curl.due_ = milliseconds < 0 ? Clock::time_point::max()
                               : Clock::now() + std::chrono::milliseconds(milliseconds);
  curl.is_set_ = false;
  return 0;
}
// #endregion callbacks

// Called in a catch.
void Curl::fail(CURL* easy) noexcept {
  Transfer* transfer = nullptr;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
  if (!transfer) return;
  transfer->error = std::current_exception();
  transfer->end();
}

void Curl::fail_all(CURLMcode error) noexcept {
  broken_ = error;
  for (Transfer* transfer : transfers_) {
    transfer->result = CURLE_OUT_OF_MEMORY;
    transfer->end();
  }
}

void Curl::forget(curl_socket_t fd) noexcept {
  if (const auto forgotten = sockets_.extract(fd)) forgotten.mapped()->release();
}

void Curl::wait(const std::shared_ptr<Socket>& socket, int direction) {
  if (!(socket->watched & direction) || (socket->waiting & direction)) return;
  const auto ready = [this, socket, direction](error_code error) {
    socket->waiting &= ~direction;
    if (!(socket->watched & direction)) return;  // libcurl has changed its mind meanwhile
    act(socket->fd, error ? CURL_CSELECT_ERR : direction);
    try {
      wait(socket, direction);
    } catch (...) {
      fail(socket->easy);
    }
  };
  socket->descriptor.async_wait(direction == CURL_POLL_IN
                                    ? asio::posix::descriptor_base::wait_read
                                    : asio::posix::descriptor_base::wait_write,
                                ready);
  socket->waiting |= direction;
}

// #region act
// Tells libcurl what has happened, and ends the transfers that are complete. An error concerns the
// whole multi handle, and nothing promises that the handle still works.
void Curl::act(curl_socket_t fd, int events) noexcept {
  if (broken_) return;
  int running = 0;
  const CURLMcode error = curl_multi_socket_action(multi_, fd, events, &running);
  if (error != CURLM_OK) return fail_all(error);
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    Transfer* transfer = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    transfer->result = message->data.result;
    transfer->end();  // resumes the coroutine later, from the loop
  }
  set_timer();
}
// #endregion act

// Follows each call of libcurl. If there is no memory, the timer stays as it was, and the next call
// tries again.
void Curl::set_timer() noexcept try {
  if (is_set_) return;
  asio::steady_timer timer(loop_, due_);
  if (due_ != Clock::time_point::max())
    timer.async_wait([this](error_code error) {
      if (!error) act(CURL_SOCKET_TIMEOUT, 0);
    });
  timer_ = std::move(timer);
  is_set_ = true;
} catch (const std::bad_alloc&) {
}
