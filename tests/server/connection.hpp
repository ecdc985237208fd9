// A client's connection: it reads requests, writes bytes, and notices when the client has gone.
// Every failure throws boost::system::system_error.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/intrusive/list.hpp>
#include <chrono>
#include <optional>
#include <string_view>
#include <utility>

#include "stream.hpp"
#include "view/recorder.hpp"

using Seconds = std::chrono::duration<double>;

inline Clock::duration to_duration(Seconds time) {
  return std::chrono::duration_cast<Clock::duration>(time);
}

using Request = boost::beast::http::request<boost::beast::http::buffer_body>;

template <typename T>
using awaitable = boost::asio::awaitable<T>;

// It links itself out of its list when it is destroyed.
class Connection : public boost::intrusive::list_base_hook<
                       boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  // With TLS, if there is a `context` for it; then call handshake() first.
  Connection(boost::asio::ip::tcp::socket socket, boost::asio::ssl::context* context);

  awaitable<void> handshake();

  Recording recording;  // for the pictures

  // The next request; its body is read and thrown away.
  awaitable<Request> read_request();

  awaitable<void> write(boost::asio::const_buffer bytes);
  awaitable<void> write(std::string_view text);

  // Waits until `timer` expires or is cancelled. Throws if the client goes away first.
  awaitable<void> wait(boost::asio::steady_timer& timer);
  awaitable<void> wait(Seconds time);

  // Says that nothing more comes, and lets the client read what was sent. (If bytes of the client
  // are unread, a close would be a reset, and the answer would be lost.) Over TLS close_notify says
  // so; a server that has been cut off does not send it.
  awaitable<void> finish();

  // Closes at once; as a TCP reset if `reset`.
  void close(bool reset = false);

  void leave_out_close_notify() { has_close_notify_ = false; }

  // Whether it has been the client's turn since `time`.
  bool idle_since(Clock::time_point time) const { return last_moved_ < time; }

  boost::asio::ip::tcp::endpoint local_endpoint() const { return stream_.socket.local_endpoint(); }

  // The client's end of the connection, and ours; none if the client has gone.
  std::optional<std::pair<boost::asio::ip::tcp::endpoint, boost::asio::ip::tcp::endpoint>>
  endpoints() const;

  bool is_tls() const { return stream_.tls != nullptr; }
  // The server's name that the client sent in its handshake; empty if it sent none.
  std::string_view server_name() const;

 private:
  Stream stream_;
  bool has_close_notify_ = true;
  boost::beast::flat_buffer read_ahead_;
  Clock::time_point last_moved_ = Clock::now();
};

using Connections = boost::intrusive::list<Connection, boost::intrusive::constant_time_size<false>>;
