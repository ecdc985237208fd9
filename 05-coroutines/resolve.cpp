#include "resolve.hpp"

#include <netdb.h>

#include <algorithm>
#include <boost/asio/deferred.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <cctype>
#include <cstdint>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <thread>
#include <utility>

namespace asio = boost::asio;
namespace ip = asio::ip;
using boost::system::error_code;

namespace {

struct Answer {
  Endpoints endpoints;
  std::string error;
};

using Channel = asio::experimental::channel<Executor, void(error_code, Answer)>;

// Whether the host is this machine by name, which needs no look-up (RFC 6761).
bool is_localhost(std::string host) {
  std::ranges::transform(host, host.begin(), [](unsigned char c) { return std::tolower(c); });
  return host == "localhost" || host.ends_with(".localhost");
}

// The endpoints of a host that needs no look-up; none if it does.
Endpoints known(const std::string& host, std::uint16_t port) {
  if (is_localhost(host))
    return {{ip::address_v4::loopback(), port}, {ip::address_v6::loopback(), port}};
  error_code is_name;
  const auto address = ip::make_address(host, is_name);
  return is_name ? Endpoints() : Endpoints{{address, port}};
}

// Blocks for as long as the name servers take.
Answer look_up(const std::string& host, const std::string& port) try {
  addrinfo hints{}, *list = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  if (const int error = getaddrinfo(host.c_str(), port.c_str(), &hints, &list))
    return {{}, std::string("could not resolve host: ") + gai_strerror(error)};
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(list, freeaddrinfo);
  Answer answer;
  for (; list; list = list->ai_next) {
    auto& endpoint = answer.endpoints.emplace_back();
    endpoint.resize(list->ai_addrlen);
    std::memcpy(endpoint.data(), list->ai_addr, list->ai_addrlen);
  }
  return answer;
} catch (const std::exception& error) {
  return {{}, error.what()};
}

// The life of a look-up's thread. The guard keeps the loop running until the answer is there.
void be_thread(std::string host, std::string port, asio::executor_work_guard<Executor> loop,
               std::shared_ptr<Channel> channel) {
  Answer answer = look_up(host, port);
  asio::post(loop.get_executor(),
             [channel = std::move(channel), answer = std::move(answer)]() mutable {
               channel->try_send(error_code(), std::move(answer));
             });
}

}  // namespace

// #region resolve
// getaddrinfo blocks and cannot be cancelled. So a thread of its own runs it, and a channel brings
// the answer: a fetch whose time is up stops waiting there, and leaves the thread to itself.
// (Asio's async_resolve has one thread for all names: a slow one would hold up all the others.)
awaitable<Endpoints> resolve(std::string host, std::string port) {
  Endpoints endpoints = known(host, static_cast<std::uint16_t>(std::stoi(port)));
  if (!endpoints.empty()) co_return endpoints;

  const auto loop = co_await asio::this_coro::executor;
  const auto channel = std::make_shared<Channel>(loop, 1);
  std::thread(be_thread, host, port, asio::make_work_guard(loop), channel).detach();
  Answer answer = co_await channel->async_receive(asio::deferred);
  if (!answer.error.empty()) throw std::runtime_error(answer.error);
  co_return std::move(answer.endpoints);
}
// #endregion resolve
