// One asynchronous operation, used in four ways without a change. Its last parameter, the
// completion token, decides how the result is delivered. That is what "strategy agnostic" means.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <cctype>
#include <chrono>
#include <cstdio>
#include <future>
#include <memory>
#include <string>
#include <utility>

namespace asio = boost::asio;
using boost::system::error_code;

// #region operation
// Answers with `text` in capitals, a moment later.
template <typename Token>
auto async_shout(asio::io_context& loop, std::string text, Token&& token) {
  auto timer = std::make_unique<asio::steady_timer>(loop, std::chrono::milliseconds(10));
  auto step = [timer = std::move(timer), text, waiting = false](auto& self,
                                                                error_code error = {}) mutable {
    auto& wait = *timer;  // it moves together with `self`
    if (!std::exchange(waiting, true)) return wait.async_wait(std::move(self));
    for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    self.complete(error, text);
  };
  return asio::async_compose<Token, void(error_code, std::string)>(std::move(step), token, loop);
}
// #endregion operation

void print(const std::string& answer) { std::puts(answer.c_str()); }

// #region strategies
void with_callback(asio::io_context& loop) {
  async_shout(loop, "a callback", [](error_code, std::string answer) { print(answer); });
  loop.run();
}

void with_future(asio::io_context& loop) {
  std::future<std::string> answer = async_shout(loop, "a future", asio::use_future);
  loop.run();  // get() alone would block the only thread, which must run the loop
  print(answer.get());
}

void with_yield(asio::io_context& loop) {
  const auto green_thread = [&loop](asio::yield_context yield) {
    print(async_shout(loop, "a stackful yield", yield));
  };
  asio::spawn(loop, green_thread, asio::detached);
  loop.run();
}

asio::awaitable<void> coroutine(asio::io_context& loop) {
  print(co_await async_shout(loop, "co_await", asio::use_awaitable));
}

void with_co_await(asio::io_context& loop) {
  asio::co_spawn(loop, coroutine(loop), asio::detached);
  loop.run();
}
// #endregion strategies

int main() {
  asio::io_context loop;
  for (const auto strategy : {with_callback, with_future, with_yield, with_co_await}) {
    strategy(loop);
    loop.restart();
  }
}
