// A client's TCP connection, plain or with TLS: one type for both, so that code which reads and
// writes is compiled once. It is an AsyncReadStream and an AsyncWriteStream in Asio's terms.

#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <memory>
#include <utility>

class Stream {
 public:
  using Socket = boost::asio::ip::tcp::socket;
  using Tls = boost::asio::ssl::stream<Socket&>;
  using executor_type = Socket::executor_type;

  // Plain, if there is no `context`.
  Stream(Socket its_socket, boost::asio::ssl::context* context)
      : socket(std::move(its_socket)),
        tls(context ? std::make_unique<Tls>(socket, *context) : nullptr) {}

  executor_type get_executor() { return socket.get_executor(); }

  template <typename Buffers, typename Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return tls ? tls->async_read_some(buffers, std::forward<Token>(token))
               : socket.async_read_some(buffers, std::forward<Token>(token));
  }

  template <typename Buffers, typename Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return tls ? tls->async_write_some(buffers, std::forward<Token>(token))
               : socket.async_write_some(buffers, std::forward<Token>(token));
  }

  template <typename Buffers>
  std::size_t read_some(const Buffers& buffers, boost::system::error_code& error) {
    return tls ? tls->read_some(buffers, error) : socket.read_some(buffers, error);
  }

  Socket socket;
  const std::unique_ptr<Tls> tls;  // over the socket, once the handshake is done
};
