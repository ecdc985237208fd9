// The server: listens, serves each connection in a coroutine, closes the idle ones. One thread.

#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <list>
#include <optional>
#include <string>

#include "connection.hpp"
#include "routes.hpp"

class Server {
 public:
  // Closes a connection if it is the client's turn and nothing comes for `idle_timeout`. A program
  // that asks after a pause of `pause` starts a new run.
  Server(Seconds idle_timeout, Seconds pause);
  ~Server() { site_.linked.clear(); }  // its timers must not outlive the loop

  // Listens on `host`, a numeric address, and `port`, or on a free port if it is 0. Returns the
  // port. Speaks TLS there, if there is a `context` for it. Throws boost::system::system_error if
  // it cannot.
  unsigned short listen(const std::string& host, unsigned short port,
                        std::optional<boost::asio::ssl::context> context = {});

  // Whether no client is connected.
  bool is_unused() const { return site_.connections.empty(); }

  // The loop that it all runs on.
  boost::asio::io_context& io() { return io_; }

 private:
  using Context = boost::asio::ssl::context;  // a null pointer to one is plain TCP
  awaitable<void> accept(boost::asio::ip::tcp::acceptor acceptor, Context* context);
  awaitable<void> serve(boost::asio::ip::tcp::socket socket, Context* context);
  awaitable<void> close_idle_ones(Seconds idle_timeout);

  Site site_;
  std::list<Context> contexts_;
  boost::asio::io_context io_{1};  // the last, so that its coroutines go before what they refer to
};
