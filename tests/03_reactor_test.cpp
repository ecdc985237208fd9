// Chapter 03's reactor and agent from inside.

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "../03-callbacks/agent.hpp"
#include "../03-callbacks/reactor.hpp"
#include "catch.hpp"

using boost::asio::ip::tcp;
using std::chrono::milliseconds;

namespace {

using Errors = std::vector<std::string>;

struct Unhandled {
  Errors errors;
  std::function<void(std::exception_ptr)> before = on_unhandled_error;
  Unhandled() {
    on_unhandled_error = [this](std::exception_ptr e) { errors.push_back(describe(e)); };
  }
  ~Unhandled() { on_unhandled_error = before; }
};

// A port that takes connections and lets the test answer them.
struct Port {
  boost::asio::io_context loop;
  tcp::acceptor acceptor{loop, {boost::asio::ip::address_v4::loopback(), 0}};
  std::string url() const {
    return "http://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()) + "/";
  }
  void answer(tcp::socket& client, int status) {
    boost::asio::write(client, boost::asio::buffer("HTTP/1.1 " + std::to_string(status) +
                                                   " X\r\nContent-Length: 0\r\n\r\n"));
  }
};

}  // namespace

TEST_CASE("reactor: react returns what main's Deferred fires with") {
  CHECK(react([](Reactor&) { return succeed(7); }) == 7);
  CHECK(react([](Reactor& reactor) {
          return reactor.call_later(milliseconds(1)).add_callback([] { return 3; });
        }) == 3);
}

TEST_CASE("reactor: react returns 1 and reports the error if main's Deferred fails") {
  Unhandled unhandled;
  CHECK(react([](Reactor& reactor) {
          return reactor.call_later(milliseconds(1)).add_callback([]() -> int {
            throw std::runtime_error("main");
          });
        }) == 1);
  CHECK(unhandled.errors == Errors{"main"});
}

TEST_CASE("reactor: react does not wait for a Deferred that can never fire") {
  CHECK(react([](Reactor&) { return Deferred<int>(); }) == 1);
}

TEST_CASE("reactor: call_later fires in the order of time, and can be cancelled") {
  std::string seen;
  react([&](Reactor& reactor) {
    const auto never = reactor.call_later(std::chrono::hours(1));
    never.add_errback([&](const std::exception& e) { seen += e.what(); });
    reactor.call_later(milliseconds(1)).add_callback([&] { seen += "a"; });
    reactor.call_later(milliseconds(2)).add_callback([&] { seen += "b"; });
    return reactor.call_later(milliseconds(3)).add_callback([&, never] {
      never.cancel();
      return 0;
    });
  });
  CHECK(seen == "abcancelled");
}

TEST_CASE("reactor: a handler that throws costs no other") {
  Unhandled unhandled;
  bool seen = false;
  CHECK(react([&](Reactor& reactor) {
          boost::asio::post(reactor.loop(), [] { throw std::runtime_error("handler"); });
          boost::asio::post(reactor.loop(), [&] { seen = true; });
          return reactor.call_later(milliseconds(1)).add_callback([] { return 0; });
        }) == 0);
  CHECK(seen);
  CHECK(unhandled.errors == Errors{"handler"});
}

TEST_CASE("reactor: defer_to_thread works elsewhere and fires here") {
  std::thread::id worker, here;
  std::string seen;
  react([&](Reactor& reactor) {
    const auto work = [&] {
      worker = std::this_thread::get_id();
      return std::make_unique<int>(5);
    };
    return reactor.defer_to_thread(work)
        .add_callback([&](std::unique_ptr<int> result) {
          here = std::this_thread::get_id();
          seen = std::to_string(*result);
          return reactor.defer_to_thread([]() -> int { throw std::domain_error("in the thread"); });
        })
        .add_errback<std::domain_error>([&](const std::domain_error& e) {
          seen += e.what();
          return 0;
        });
  });
  CHECK(here == std::this_thread::get_id());
  CHECK(worker != here);
  CHECK(seen == "5in the thread");
}

TEST_CASE("reactor: a thread still at work does not hold up the end, nor fires after it") {
  std::promise<void> go, gone;
  bool fired = false;
  react([&](Reactor& reactor) {
    const auto witness = std::shared_ptr<void>(nullptr, [&](void*) { gone.set_value(); });
    reactor
        .defer_to_thread([&go, witness] {
          go.get_future().wait();
          return 1;
        })
        .add_callback([&](int) { fired = true; });
    return succeed(0);
  });
  go.set_value();
  gone.get_future().wait();
  CHECK(!fired);
}

TEST_CASE("agent: a callback that throws disturbs no other request") {
  Unhandled unhandled;
  Port port;
  std::thread server([&] {
    for (const int status : {200, 200}) {
      tcp::socket client = port.acceptor.accept();
      port.answer(client, status);
    }
  });
  int answers = 0;
  react([&](Reactor& reactor) {
    const auto count = [&](const Response&) {
      ++answers;
      throw std::runtime_error("thrown");
    };
    const Agent agent(reactor);
    return gather(std::vector{agent.get(port.url()).add_callback(count),
                              agent.get(port.url()).add_callback(count)})
        .add_callback([&](std::vector<Result<void>> results) {
          for (const auto& result : results) CHECK(describe(result.error()) == "thrown");
          return 0;
        });
  });
  server.join();
  CHECK(answers == 2);
  CHECK(unhandled.errors.empty());
}

TEST_CASE("agent: to cancel a request closes its connection") {
  Port port;
  std::string seen;
  react([&](Reactor& reactor) {
    const auto got = RedirectAgent(Agent(reactor)).get(port.url());
    got.add_callbacks([](const Response&) { FAIL("cancelled"); },
                      [&](const std::exception& e) { seen = e.what(); });
    return reactor.call_later(milliseconds(50)).add_callback([&, got] {
      tcp::socket client = port.acceptor.accept();
      got.cancel();
      std::string request;
      boost::system::error_code error;
      boost::asio::read(client, boost::asio::dynamic_buffer(request), error);
      CHECK(error == boost::asio::error::eof);
      return 0;
    });
  });
  CHECK(seen == "cancelled");
}

TEST_CASE("agent: it is timed out by the deadline it was given") {
  Port port;
  std::string seen;
  react([&](Reactor& reactor) {
    return Agent(reactor)
        .get(port.url(), std::chrono::steady_clock::now() + milliseconds(20))
        .add_callbacks([](const Response&) { return 0; },
                       [&](const std::exception& e) {
                         seen = e.what();
                         return 0;
                       });
  });
  CHECK(seen.find("timed out") == 0);
}

TEST_CASE("agent: nothing is left when the loop stops with requests in flight") {
  Port port;
  const auto witness = std::make_shared<int>();
  react([&](Reactor& reactor) {
    const std::vector<std::string> urls{port.url(), "http://127.0.0.1:1/", "http://name.invalid/"};
    for (const auto& url : urls)
      RedirectAgent(Agent(reactor)).get(url).add_both([witness](Result<Response>) {});
    return reactor.call_later(milliseconds(1)).add_callback([] { return 0; });
  });
  CHECK(witness.use_count() == 1);
}
