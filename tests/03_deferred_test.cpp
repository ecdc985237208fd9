// Tests each promise that chapter 03's deferred.hpp makes about a Deferred.

#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "../03-callbacks/deferred.hpp"
#include "catch.hpp"

namespace {

struct HttpError : std::runtime_error {
  explicit HttpError(int code) : std::runtime_error("HTTP"), status(code) {}
  int status;
};

std::exception_ptr error(const char* what) {
  return std::make_exception_ptr(std::runtime_error(what));
}

// Collects what reaches the end of a chain unhandled, in place of stderr.
struct Unhandled {
  std::vector<std::string> errors;
  std::function<void(std::exception_ptr)> before = on_unhandled_error;
  Unhandled() {
    on_unhandled_error = [this](std::exception_ptr e) { errors.push_back(describe(e)); };
  }
  ~Unhandled() { on_unhandled_error = before; }
};

using Errors = std::vector<std::string>;

// Counts how many of it there are.
struct Counted {
  static inline int alive = 0;
  Counted() { ++alive; }
  Counted(const Counted&) { ++alive; }
  Counted& operator=(const Counted&) = default;
  ~Counted() { --alive; }
};

}  // namespace

TEST_CASE("Deferred: callbacks run in order, each with what the one before returned") {
  std::ostringstream seen;
  const Deferred<int> d;
  d.add_callback([&](int i) {
     seen << i << ' ';
     return std::to_string(i) + "!";
   })
      .add_callback([&](const std::string& s) {
        seen << s << ' ';
        return 2.5;
      })
      .add_callback([&](double x) { seen << x; });
  CHECK(seen.str() == "");
  d.callback(1);
  CHECK(seen.str() == "1 1! 2.5");
}

TEST_CASE("Deferred: adding to one that has fired runs at once, also within a callback") {
  int seen = 0;
  succeed(1).add_callback([&](int i) {
    seen = i;
    succeed(2).add_callback([&](int j) { seen = j; });
    CHECK(seen == 2);
  });
  CHECK(seen == 2);
}

TEST_CASE("Deferred: a callback that returns a Deferred pauses the chain until that fires") {
  const Deferred<int> outer;
  const Deferred<std::string> inner;
  std::string seen;
  outer.add_callback([&](int) { return inner; }).add_callback([&](const std::string& s) {
    seen = s;
  });
  outer.callback(1);
  CHECK(seen == "");
  inner.callback("inner");
  CHECK(seen == "inner");
}

TEST_CASE("Deferred: it goes on at once if the returned one has fired already") {
  std::string seen;
  succeed(1)
      .add_callback([](int) { return succeed(std::string("inner")); })
      .add_callback([&](const std::string& s) { seen = s; });
  CHECK(seen == "inner");
}

TEST_CASE("Deferred: what a callback returned takes no callback any more") {
  const Deferred<int> fired = succeed(1), waiting;
  for (const auto& inner : {fired, waiting}) {
    const Deferred<void> d;
    d.add_callback([inner] { return inner; });
    d.callback();
    CHECK_THROWS_AS(inner.add_callback([](int) {}), std::logic_error);
  }
}

TEST_CASE("Deferred: callbacks can be added while the chain pauses") {
  const Deferred<int> outer, inner;
  int seen = 0;
  const auto tail = outer.add_callback([&](int) { return inner; });
  outer.callback(1);
  tail.add_callback([&](int i) { seen = i; });
  inner.callback(2);
  CHECK(seen == 2);
}

TEST_CASE("Deferred: an errback may return a Deferred too, and one that fails fails the chain") {
  const Deferred<int> second;
  std::string seen;
  fail<int>(error("first"))
      .add_errback([&](const std::exception&) { return second; })
      .add_callback([](int) { FAIL("not with an error"); })
      .add_errback([&](const std::exception& e) { seen = e.what(); });
  second.errback(error("second"));
  CHECK(seen == "second");
}

TEST_CASE("Deferred: an exception moves to the next errback, past the callbacks") {
  std::string seen;
  succeed(1)
      .add_callback([](int) -> int { throw std::runtime_error("thrown"); })
      .add_callback([](int i) {
        FAIL("not with an error");
        return i;
      })
      .add_errback([&](const std::exception& e) {
        seen = e.what();
        return 0;
      });
  CHECK(seen == "thrown");
}

TEST_CASE("Deferred: an errback that returns a value recovers, and values pass errbacks") {
  int seen = 0;
  fail<int>(error("x"))
      .add_errback([](const std::exception&) { return 7; })
      .add_errback([](const std::exception&) {
        FAIL("recovered already");
        return 0;
      })
      .add_callback([&](int i) { seen = i; });
  CHECK(seen == 7);
}

TEST_CASE("Deferred: an errback that throws fails with what it threw") {
  std::string seen;
  fail<void>(error("x"))
      .add_errback([](const std::exception&) { throw std::runtime_error("y"); })
      .add_errback([&](const std::exception& e) { seen = e.what(); });
  CHECK(seen == "y");
}

TEST_CASE("Deferred: exceptions keep their type, and an errback may be for one type only") {
  int status = 0;
  fail<void>(std::make_exception_ptr(HttpError(404)))
      .add_errback<std::logic_error>([](const std::logic_error&) { FAIL("another type"); })
      .add_callback([] { FAIL("not with an error"); })
      .add_errback<HttpError>([&](const HttpError& e) { status = e.status; });
  CHECK(status == 404);
  int thrown = 0;
  succeed()
      .add_callback([] { throw 42; })
      .add_errback([](const std::exception&) { FAIL("is none"); })
      .add_errback([&](std::exception_ptr e) {
        try {
          std::rethrow_exception(e);
        } catch (int i) {
          thrown = i;
        }
      });
  CHECK(thrown == 42);
}

TEST_CASE(
    "Deferred: add_callbacks runs one of the two, and an error of the first passes the second") {
  Unhandled unhandled;
  std::string seen;
  const auto ok = [](int) -> std::string { return "ok"; };
  const auto err = [](const std::exception&) -> std::string { return "err"; };
  const auto see = [&](const std::string& s) { seen += s; };
  succeed(1).add_callbacks(ok, err).add_callback(see);
  fail<int>(error("x")).add_callbacks(ok, err).add_callback(see);
  CHECK(seen == "okerr");
  succeed(1).add_callbacks([](int) -> std::string { throw std::runtime_error("of ok"); }, err);
  CHECK(unhandled.errors == Errors{"of ok"});
}

TEST_CASE("Deferred: add_both gets a value or an error, and can hand it on") {
  std::string seen;
  const auto see = [&](Result<int> result) {
    seen += result.ok() ? std::to_string(result.get()) : describe(result.error());
  };
  succeed(5).add_both(see);
  fail<int>(error("x")).add_both(see);
  CHECK(seen == "5x");
  fail<int>(error("y")).add_both([](Result<int> r) { return r; }).add_both(see);
  CHECK(seen == "5xy");
}

TEST_CASE("Deferred: to fire twice is an error, and so is to fire what a callback fires") {
  const Deferred<int> d;
  d.callback(1);
  CHECK_THROWS_AS(d.callback(2), std::logic_error);
  CHECK_THROWS_AS(d.errback(error("x")), std::logic_error);
  const Deferred<int> first;
  const auto second = first.add_callback([](int i) { return i; });
  CHECK_THROWS_AS(second.callback(1), std::logic_error);
  CHECK_THROWS_AS(first.add_callback([](int) {}), std::logic_error);
}

TEST_CASE("Deferred: an error that nobody handled is reported when its chain dies, once") {
  Unhandled unhandled;
  {
    const Deferred<int> d;
    const auto tail = d.add_callback([](int i) { return i; });
    d.errback(error("lost"));
    CHECK(unhandled.errors.empty());
  }
  CHECK(unhandled.errors == Errors{"lost"});
  fail<int>(error("alone"));
  CHECK(unhandled.errors == Errors{"lost", "alone"});
  fail<int>(error("handled")).add_errback([](const std::exception&) { return 0; });
  { const Deferred<int> never_fired; }
  CHECK(unhandled.errors.size() == 2);
}

TEST_CASE("Deferred: an unhandled error of a chain that paused is reported, once") {
  Unhandled unhandled;
  {
    const Deferred<int> inner;
    succeed().add_callback([=] { return inner; }).add_callback([](int) {});
    inner.errback(error("inner"));
  }
  CHECK(unhandled.errors == Errors{"inner"});
}

TEST_CASE("Deferred: void and move-only results") {
  const Deferred<std::unique_ptr<int>> d;
  int seen = 0;
  d.add_callback([](std::unique_ptr<int> p) { return p; })
      .add_errback([](const std::exception&) { return nullptr; })
      .add_callback([](std::unique_ptr<int>&& p) { return succeed(std::move(p)); })
      .add_callback([&](const std::unique_ptr<int>& p) { seen = *p; })
      .add_callback([p = std::make_unique<int>(2)] { return *p; })
      .add_callback([&](int i) { seen += i; });
  d.callback(std::make_unique<int>(40));
  CHECK(seen == 42);
}

TEST_CASE("Deferred: cancel calls the canceller and fires with Cancelled; later news is ignored") {
  int cancelled = 0;
  std::string seen;
  const Deferred<int> d([&] { ++cancelled; });
  const auto tail =
      d.add_callback([](int i) { return i; }).add_errback([&](const std::exception& e) {
        seen = e.what();
        return 0;
      });
  tail.cancel();
  CHECK(cancelled == 1);
  CHECK(seen == "cancelled");
  d.callback(1);
  tail.cancel();
  CHECK(cancelled == 1);
}

TEST_CASE("Deferred: a canceller may fire with something else") {
  std::string seen;
  Deferred<std::string> d;
  d = Deferred<std::string>([&] { d.callback("partial"); });
  d.add_callback([&](const std::string& s) { seen = s; });
  d.cancel();
  CHECK(seen == "partial");
}

TEST_CASE("Deferred: cancel reaches what a paused chain waits for") {
  int cancelled = 0;
  const Deferred<void> outer, inner([&] { ++cancelled; });
  std::string seen;
  const auto tail = outer.add_callback([&] { return inner; })
                        .add_callback([] { FAIL("cancelled"); })
                        .add_errback<Cancelled>([&](const Cancelled& e) { seen = e.what(); });
  outer.callback();
  tail.cancel();
  CHECK(cancelled == 1);
  CHECK(seen == "cancelled");
}

TEST_CASE("Deferred: cancel does nothing to one that has fired") {
  const Deferred<int> d([] { FAIL("fired already"); });
  d.callback(1);
  d.cancel();
  d.add_callback([](int i) { CHECK(i == 1); });
}

TEST_CASE("Deferred: a chain that waits for itself fails instead") {
  std::string seen;
  const Deferred<void> d;
  std::optional<Deferred<void>> tail;
  tail = d.add_callback([&] { return *tail; });
  const auto end = tail->add_errback([&](const std::exception& e) { seen = e.what(); });
  d.callback();
  CHECK(seen != "");
  const Deferred<void> used;
  used.add_callback([] {});
  seen = "";
  succeed().add_callback([=] { return used; }).add_errback([&](const std::exception& e) {
    seen = e.what();
  });
  CHECK(seen == "a Deferred takes one callback");
}

TEST_CASE("gather: fires when all have, in order, with each one's value or error") {
  Unhandled unhandled;
  const std::vector<Deferred<int>> all(3);
  const std::vector<Deferred<int>> three{Deferred<int>(), Deferred<int>(), Deferred<int>()};
  std::string seen;
  gather(three).add_callback([&](std::vector<Result<int>> results) {
    for (auto& result : results)
      seen += result.ok() ? std::to_string(result.get()) : describe(result.error());
  });
  three[2].callback(3);
  three[0].errback(error("x"));
  CHECK(seen == "");
  three[1].callback(2);
  CHECK(seen == "x23");
  CHECK(unhandled.errors.empty());
}

TEST_CASE("gather: nothing at all, and move-only") {
  bool fired = false;
  gather(std::vector<Deferred<void>>()).add_callback([&](const auto& none) {
    fired = none.empty();
  });
  CHECK(fired);
  int seen = 0;
  gather(std::vector{succeed(std::make_unique<int>(3))}).add_callback([&](auto results) {
    seen = *results[0].get();
  });
  CHECK(seen == 3);
}

TEST_CASE("gather: to cancel it cancels all that have not fired") {
  int cancelled = 0;
  const auto count = [&] { ++cancelled; };
  const std::vector<Deferred<int>> two{Deferred<int>(count), Deferred<int>(count)};
  std::string seen;
  const auto all = gather(two);
  all.add_callback([&](std::vector<Result<int>> results) {
    for (auto& r : results) seen += r.ok() ? "ok " : describe(r.error()) + " ";
  });
  two[0].callback(1);
  all.cancel();
  CHECK(cancelled == 1);
  CHECK(seen == "ok cancelled ");
}

TEST_CASE("gather: to cancel it also cancels what a callback of an entry waits for") {
  bool cancelled = false;
  const Deferred<int> entry, inner([&] { cancelled = true; });
  const auto all = gather(std::vector{entry.add_callback([inner](int) { return inner; })});
  entry.callback(1);
  all.cancel();
  CHECK(cancelled);
}

TEST_CASE("Deferred: no stack overflows on a chain of 100,000 links, fired, failed or dropped") {
  for (const int how : {0, 1, 2, 3}) {
    Deferred<int> source;
    Deferred<int> tail = source;
    for (int i = 0; i < 100'000; ++i) tail = tail.add_callback([](int n) { return n + 1; });
    int seen = 0;
    const auto end =
        tail.add_callbacks([&](int n) { seen = n; }, [&](const std::exception&) { seen = -1; });
    if (how == 0) source.callback(0);
    if (how == 1) source.errback(error("x"));
    if (how == 2) end.cancel();
    CHECK(seen == (how == 0 ? 100'000 : how == 3 ? 0 : -1));
  }
}

TEST_CASE("Deferred: no stack overflows on a loop of 100,000 retries that fail at once") {
  int tries = 0;
  std::function<Deferred<int>()> attempt = [&]() -> Deferred<int> {
    if (++tries == 100'000) return succeed(tries);
    return fail<int>(error("again")).add_errback([&](const std::exception&) { return attempt(); });
  };
  int seen = 0;
  attempt().add_callback([&](int n) { seen = n; });
  CHECK(seen == 100'000);
}

TEST_CASE("Deferred: a loop of 100,000 retries that fail later needs no stack and does not grow") {
  std::vector<Deferred<Counted>> waiting;  // the event loop, as it were
  int tries = 0;
  const int before = Counted::alive;
  std::function<Deferred<Counted>()> attempt = [&]() -> Deferred<Counted> {
    waiting.push_back(Deferred<Counted>());
    if (++tries == 100'000) return waiting.back();
    return waiting.back().add_errback(
        [&, held = Counted()](const std::exception&) { return attempt(); });
  };
  bool done = false;
  const auto end = attempt().add_callback([&](const Counted&) { done = true; });
  int most = 0;
  while (!done) {
    const Deferred<Counted> now = waiting.back();
    waiting.pop_back();
    tries == 100'000 ? now.callback(Counted()) : now.errback(error("again"));
    most = std::max(most, Counted::alive - before);
  }
  CHECK(tries == 100'000);
  CHECK(most <= 3);
}

TEST_CASE("Deferred: a loop of retries can be cancelled at any time") {
  std::vector<Deferred<int>> waiting;
  std::function<Deferred<int>()> attempt = [&]() -> Deferred<int> {
    waiting.push_back(Deferred<int>());
    return waiting.back().add_errback<std::runtime_error>([&](const std::runtime_error& e) {
      if (std::string(e.what()) == "cancelled") throw e;
      return attempt();
    });
  };
  std::string seen;
  const auto end = attempt().add_callbacks([](int) { FAIL("cancelled"); },
                                           [&](const std::exception& e) { seen = e.what(); });
  for (int i = 0; i < 10; ++i) waiting.back().errback(error("again"));
  CHECK(waiting.size() == 11);
  end.cancel();
  CHECK(seen == "cancelled");
  CHECK(waiting.size() == 11);
}

TEST_CASE("Deferred: nothing is kept, whether the chain fired, paused, or never fired") {
  const int before = Counted::alive;
  {
    const Deferred<void> fired, paused, inner, never, gathered;
    fired.add_callback([c = Counted()] {}).add_errback([c = Counted()](const std::exception&) {});
    fired.callback();
    paused.add_callback([=, c = Counted()] { return inner; }).add_callback([c = Counted()] {});
    paused.callback();
    never.add_callback([c = Counted()] {}).add_callback([c = Counted()] {});
    const auto all = gather(std::vector{gathered, Deferred<void>()});
    all.add_callback([c = Counted()](const auto&) {});
    CHECK(Counted::alive > before);
  }
  CHECK(Counted::alive == before);
}
