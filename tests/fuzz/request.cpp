// The test server, from the bytes that a client sends to the answer. Each input is one connection.

#include <sys/socket.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <cstdint>
#include <cstdlib>

#include "server.hpp"

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

// Lets the server do all that it can do now.
void run(Server& server) {
  server.io().restart();
  while (server.io().poll() > 0) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Server server(Seconds(3600), Seconds(1));
  static const unsigned short port = server.listen("127.0.0.1", 0);
  static asio::io_context io;

  tcp::socket client(io);
  client.connect({asio::ip::address_v4::loopback(), port});
  client.non_blocking(true);
  boost::system::error_code error;
  asio::write(client, asio::buffer(data, size), error);  // what does not fit is left out
  client.shutdown(client.shutdown_send, error);
  static char answer[64 * 1024];
  for (int rounds = 0; rounds < 20; ++rounds) {
    run(server);
    if (client.read_some(asio::buffer(answer), error); error == asio::error::eof) break;
  }
  client.set_option(asio::socket_base::linger(true, 0), error);  // no port is left in TIME_WAIT
  client.close();
  run(server);
  if (!server.is_unused()) std::abort();  // nothing of the connection stays behind
  return 0;
}
