// The agent in raw completion handlers: what Deferreds are the cure for.
//
// Lifetime: a Session belongs to the handlers that wait for something on its behalf, and to nobody
// else. finish() cancels all of them; when the last has run, the session is gone.

#include "agent.hpp"

#include <netdb.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <cctype>
#include <cstring>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <vector>

#include "url.hpp"

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace ssl = asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;
using Endpoints = std::vector<tcp::endpoint>;

namespace {

constexpr std::size_t header_limit = 128 * 1024;

// #region look_up
// Whether the host is this machine by name, which needs no look-up (RFC 6761).
bool is_localhost(std::string host) {
  std::ranges::transform(host, host.begin(), [](unsigned char c) { return std::tolower(c); });
  return host == "localhost" || host.ends_with(".localhost");
}

// The endpoints of a host that needs no look-up; none if it does.
Endpoints known(const std::string& host, const std::string& port) {
  const auto number = static_cast<std::uint16_t>(std::stoi(port));
  if (is_localhost(host))
    return {{asio::ip::address_v4::loopback(), number}, {asio::ip::address_v6::loopback(), number}};
  error_code error;
  const auto address = asio::ip::make_address(host, error);
  return error ? Endpoints() : Endpoints{{address, number}};
}

// Blocks for as long as the name servers take.
Endpoints look_up(const std::string& host, const std::string& port) {
  addrinfo hints{}, *list = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  if (const int error = getaddrinfo(host.c_str(), port.c_str(), &hints, &list))
    throw std::runtime_error(std::string("could not resolve host: ") + gai_strerror(error));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(list, freeaddrinfo);
  Endpoints endpoints;
  for (; list; list = list->ai_next) {
    tcp::endpoint& endpoint = endpoints.emplace_back();
    endpoint.resize(list->ai_addrlen);
    std::memcpy(endpoint.data(), list->ai_addr, list->ai_addrlen);
  }
  return endpoints;
}
// #endregion look_up

// #region tls
// The system's trust store, or SSL_CERT_FILE. Read when the first https URL comes.
ssl::context& tls_context() {
  static ssl::context context = [] {
    ssl::context made(ssl::context::tls_client);
    made.set_options(ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1);
    made.set_default_verify_paths();
    made.set_verify_mode(ssl::verify_peer);
    return made;
  }();
  return context;
}
// #endregion tls

// #region discard
// A Beast body that is read and thrown away, in constant memory.
struct Discard {
  struct value_type {};
  struct reader {
    template <bool is_request, typename Fields>
    reader(http::header<is_request, Fields>&, value_type&) {}
    void init(const boost::optional<std::uint64_t>&, error_code& error) { error = {}; }
    template <typename Buffers>
    std::size_t put(const Buffers& buffers, error_code& error) {
      error = {};
      return beast::buffer_bytes(buffers);
    }
    void finish(error_code& error) { error = {}; }
  };
};
// #endregion discard

class Session : public std::enable_shared_from_this<Session> {
  // #region then
  // The completion handler that goes on with `step`. It keeps the session alive until it has run,
  // and lets no exception out into the loop: that would be the end of all the other requests.
  template <typename Step>
  auto then(Step step) {
    return [self = shared_from_this(), step](const error_code& error, const auto&...) {
      if (self->finished_) return;
      try {
        if (error) throw std::runtime_error(self->explain(error));
        (*self.*step)();
      } catch (...) {
        self->finish(std::current_exception());
      }
    };
  }
  // #endregion then

 public:
  Session(Reactor& reactor, const std::string& url)
      : reactor_(reactor), url_(clean(url)), socket_(reactor.loop()), deadline_(reactor.loop()) {}

  // #region start
  // Weak, where the session is only told something: the Deferred must not keep it alive, because
  // the session keeps the Deferred.
  Deferred<Response> start(Deadline deadline) {
    done_ = Deferred<Response>([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->finish(std::make_exception_ptr(Cancelled()));
    });
    deadline_.expires_at(deadline);
    deadline_.async_wait(then(&Session::time_out));
    const std::string name = host(url_), service = port(url_);
    if (const Endpoints endpoints = known(name, service); !endpoints.empty()) {
      connect(endpoints);
      return done_;
    }
    // Not Asio's async_resolve: that takes one name at a time, cannot be cancelled, and is waited
    // for when the loop goes. A thread can be left behind at the deadline, weakly held.
    reactor_.defer_to_thread([name, service] { return look_up(name, service); })
        .add_callback([weak = weak_from_this()](const Endpoints& endpoints) {
          if (const auto self = weak.lock()) self->connect(endpoints);
        })
        .add_errback([weak = weak_from_this()](std::exception_ptr error) {
          if (const auto self = weak.lock()) self->finish(error);
        });
    return done_;
  }
  // #endregion start

 private:
  // #region finish
  // The one way out, taken once. Closing makes each waiting handler run with operation_aborted, see
  // finished_ and let go of the session. The file descriptor is free again before the Deferred
  // fires, since its callbacks may want it.
  void finish(Result<Response> result) {
    if (std::exchange(finished_, true)) return;
    deadline_.cancel();
    error_code ignored;
    socket_.close(ignored);
    done_.fire(std::move(result));
  }
  // #endregion finish

  void time_out() { throw std::runtime_error("timed out after 10 s"); }

  // #region steps
  void connect(const Endpoints& endpoints) {
    asio::async_connect(socket_, endpoints, then(&Session::handshake));
  }

  void handshake() {
    if (!is_tls()) return write();
    tls_ = std::make_unique<ssl::stream<tcp::socket&>>(socket_, tls_context());
    const std::string name = certified(url_);
    SSL* const handle = tls_->native_handle();
    const bool accepted =
        has_name(url_) ? SSL_set_tlsext_host_name(handle, name.c_str()) == 1 &&
                             SSL_set1_host(handle, name.c_str()) == 1
                       : X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(handle), name.c_str()) == 1;
    if (!accepted) throw std::runtime_error("TLS cannot ask for this host");
    tls_->async_handshake(ssl::stream_base::client, then(&Session::write));
  }

  void write() {
    const std::string who = authorization(url_);
    request_ = "GET " + target(url_) + " HTTP/1.1\r\nHost: " + host_header(url_) +
               "\r\nUser-Agent: " USER_AGENT "\r\nAccept: */*\r\nConnection: close\r\n" +
               (who.empty() ? "" : "Authorization: " + who + "\r\n") + "\r\n";
    over_stream([&](auto& stream) {
      asio::async_write(stream, asio::buffer(request_), then(&Session::read_header));
    });
  }

  void read_header() {
    parser_.emplace();
    parser_->header_limit(header_limit);
    parser_->body_limit(boost::none);
    over_stream([&](auto& stream) {
      http::async_read_header(stream, buffer_, *parser_, then(&Session::read_body));
    });
  }

  void read_body() {
    const unsigned status = parser_->get().result_int();
    if (status / 100 == 1 && status != 101) return read_header();  // the real one follows
    if (status != 200)
      return finish(Response{status, std::string(parser_->get()[http::field::location])});
    buffer_.reserve(4096);
    over_stream([&](auto& stream) {
      http::async_read(stream, buffer_, *parser_, then(&Session::succeed));
    });
  }

  void succeed() { finish(Response{200, ""}); }
  // #endregion steps

  bool is_tls() const { return is_https(url_); }

  // The one place that knows both kinds of stream.
  template <typename Use>
  void over_stream(Use use) {
    tls_ ? use(*tls_) : use(socket_);
  }

  std::string explain(const error_code& error) const {
    if (error == http::error::end_of_stream) return "the server closed without an answer";
    if (error == http::error::partial_message || error == ssl::error::stream_truncated)
      return "the server closed within its answer";
    if (!tls_ || SSL_get_verify_result(tls_->native_handle()) == X509_V_OK) return error.message();
    return std::string("certificate verify failed: ") +
           X509_verify_cert_error_string(SSL_get_verify_result(tls_->native_handle()));
  }

  Reactor& reactor_;
  const std::string url_;
  Deferred<Response> done_;
  bool finished_ = false;
  tcp::socket socket_;
  std::unique_ptr<ssl::stream<tcp::socket&>> tls_;  // over socket_, for https
  asio::steady_timer deadline_;
  std::string request_;
  beast::flat_buffer buffer_{header_limit};
  std::optional<http::response_parser<Discard>> parser_;
};

}  // namespace

Deferred<Response> Agent::get(const std::string& url, Deadline deadline) const try {
  return std::make_shared<Session>(*reactor_, url)->start(deadline);
} catch (...) {
  return fail<Response>(std::current_exception());
}

// #region redirect
Deferred<Response> RedirectAgent::get(const std::string& url, Deadline deadline,
                                      int redirects_left) const {
  const auto next = [self = *this, url, deadline,
                     redirects_left](Response response) -> Deferred<Response> {
    static const std::set<unsigned> redirects{301, 302, 303, 307, 308};
    if (!redirects.contains(response.status) || response.location.empty())
      return succeed(std::move(response));
    if (redirects_left == 0) throw std::runtime_error("more than 10 redirects");
    return self.get(join(url, response.location), deadline, redirects_left - 1);
  };
  return agent_.get(url, deadline).add_callback(next);
}
// #endregion redirect
