#include "links.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <boost/beast/http/field.hpp>
#include <charconv>
#include <optional>
#include <stdexcept>
#include <string_view>

#include "exchange.hpp"
#include "routes.hpp"

namespace asio = boost::asio;
namespace http = boost::beast::http;

namespace {

constexpr double longest_wait = 60;  // seconds
constexpr std::size_t most_sites = 100;

enum class How { at_once, late, held, never, stalls, no_answer };

struct Page {
  std::string name;
  std::vector<std::string> links = {};  // names, perhaps with a fragment; `!` is the other site
  unsigned status = 200;
  unsigned busy = 0;  // so many times it is 503, at once unless it is late
  How how = How::at_once;
};
using Pages = std::vector<Page>;

constexpr unsigned for_ever = ~0u;

Pages web() {
  return {
      {"", {"about", "news", "!", "about#team", "contact", "slow", "shop", "news"}},
      {"about", {"", "team", "missing", "about"}},
      {"team", {"about", "#top"}},
      {"news", {"archive", "missing", "busy", "missing#again"}},
      {"archive", {"news", "gone", "crash", "!"}},
      {"contact", {"", "lost"}},
      {"shop", {"shirt", "cup", "book", "pen", "hat", "bag"}},
      {"shirt", {"shop", "missing"}},
      {"cup", {"shop", "down"}},
      {"book", {"shop", ""}},
      {"pen", {"shop", "hat"}},
      {"hat", {"shop", "pen"}},
      {"bag", {"shop", "!"}},
      {"slow", {""}, 200, 0, How::held},
      {"busy", {"secret"}, 200, 2},
      {"secret", {"busy"}},
      {"down", {}, 200, for_ever},
      {"missing", {}, 404},
      {"gone", {}, 410},
      {"crash", {}, 500},
      {"lost", {}, 0, 0, How::no_answer},
  };
}

// The first page has links to all the others.
Pages linked(Pages others) {
  Page first{""};
  for (const auto& page : others) first.links.push_back(page.name);
  others.insert(others.begin(), first);
  return others;
}

Pages held(const std::string& name, int count, Pages pages = {}) {
  for (int i = 1; i <= count; ++i)
    pages.push_back({name + '-' + std::to_string(i), {""}, 200, 0, How::held});
  return pages;
}

Pages days(const std::string& name) {
  Pages pages{{"", {"day-1", "never"}}, {"never", {}, 200, 0, How::never}};
  unsigned day = 0;
  if (name.rfind("day-", 0) == 0) std::from_chars(name.data() + 4, name.data() + name.size(), day);
  if (day > 0) pages.push_back({name, {"", "day-" + std::to_string(day + 1)}});
  return pages;
}

// Those of the site, or at least the one that is called `name`.
Pages pages_of(const std::string& kind, const std::string& name) {
  if (kind == "web") return web();
  if (kind == "crowd") return linked(held("page", 24));
  if (kind == "uneven") {
    Pages pages = held("held", 4);
    for (int i = 1; i <= 8; ++i) pages.push_back({"quick-" + std::to_string(i)});
    return linked(pages);
  }
  if (kind == "stop") return linked(held("page", 12, {{"one"}, {"missing", {}, 404}, {"two"}}));
  if (kind == "slow")
    return linked(
        {{"good"}, {"never", {}, 200, 0, How::never}, {"stalls", {}, 200, 0, How::stalls}});
  if (kind == "tries")
    return linked({{"good", {}, 200, 0, How::late},
                   {"thrice", {}, 200, 2, How::late},
                   {"once", {}, 200, 1, How::never}});
  if (kind == "endless") return days(name);
  throw std::invalid_argument("not web, crowd, uneven, stop, slow, tries or endless");
}

std::string host_of(const std::vector<std::string>& hosts, const std::string& kind,
                    const Pages& pages, const std::string& name) {
  std::size_t number = 0;  // of the day, or of the page's place
  if (name.rfind("day-", 0) == 0)
    std::from_chars(name.data() + 4, name.data() + name.size(), number);
  else
    while (number < pages.size() && pages[number].name != name) ++number;
  if (kind == "crowd") number = (number + 3) / 4;  // four of a host stand together
  if (kind == "uneven") number = number == 0 ? 0 : number <= 4 ? 1 : 2;  // held ones, quick ones
  return hosts[number % hosts.size()];
}

// The page's HTML. A link to the host of the page itself has no host.
std::string html(const Page& page, const Pages& pages, const Exchange& exchange,
                 const std::vector<std::string>& hosts) {
  const auto port = ':' + std::to_string(exchange.client.local_endpoint().port());
  const std::string own = host_of(hosts, exchange.path[1], pages, page.name);
  const std::string folder = "/site/" + exchange.path[1] + '/' + exchange.path[2] + '/';
  std::string text = "<!doctype html>\n<title>" + page.name + "</title>\n";
  for (const auto& link : page.links) {
    const std::string host =
        link == "!" ? "localhost"
                    : host_of(hosts, exchange.path[1], pages, link.substr(0, link.find('#')));
    text += "<a href=\"" + (host == own ? "" : "http://" + host + port) + folder +
            (link == "!" ? "elsewhere" : link) + "\">" + link + "</a>\n";
  }
  return text;
}

// A request in flight, until its answer is on the way: then the client may ask for the next one.
class Noted {
 public:
  Noted(std::shared_ptr<LinkedSites::State> state, std::string host)
      : state_(std::move(state)), host_(std::move(host)) {
    state_->most = std::max(state_->most, ++state_->in_flight);
    state_->most_per_host = std::max(state_->most_per_host, ++state_->hosts[host_]);
  }
  ~Noted() {
    --state_->in_flight;
    --state_->hosts[host_];
  }
  Noted(const Noted&) = delete;
  Noted& operator=(const Noted&) = delete;

 private:
  const std::shared_ptr<LinkedSites::State> state_;
  const std::string host_;
};

}  // namespace

std::shared_ptr<LinkedSites::State> LinkedSites::of(const std::string& key,
                                                    const asio::any_io_executor& executor) {
  auto& state = states_[key];
  if (state) return state;
  state = std::make_shared<State>(asio::steady_timer(executor, Clock::time_point::max()));
  const auto made = state;
  order_.push_back(key);
  if (order_.size() > most_sites) {
    states_.erase(order_.front());
    order_.pop_front();
  }
  return made;
}

void LinkedSites::clear() {
  states_.clear();
  order_.clear();
}

awaitable<void> links::page(Site& its, Exchange& exchange) {
  const std::string kind = exchange.path[1], name = exchange.path[3];
  const auto& hosts = its.linked.hosts;
  const Pages pages = pages_of(kind, name);
  const auto executor = co_await asio::this_coro::executor;
  const auto state = its.linked.of(kind + '/' + exchange.path[2], executor);

  const auto host_field = std::string_view(exchange.request[http::field::host]);
  if (host_field.substr(0, 4) != "127.") {
    ++state->foreign;
    co_return co_await exchange.send(200, "another site\n");
  }
  auto& asked = state->pages[name];
  if (++asked.times > 1 && asked.busy_since != Clock::time_point())
    asked.pauses.push_back(
        std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - asked.busy_since));
  std::optional<Noted> noted;
  noted.emplace(state, exchange.client.local_endpoint().address().to_string());

  const auto page = std::find_if(pages.begin(), pages.end(),
                                 [&name](const Page& one) { return one.name == name; });
  if (page == pages.end()) {
    noted.reset();
    co_return co_await exchange.send(404, "no such page\n");
  }
  if (kind == "endless") co_await exchange.client.wait(Seconds(0.05));
  if (kind == "crowd" && name.empty())  // by then, all threads of the client are there and wait
    co_await exchange.client.wait(Seconds(0.2));
  const bool busy = asked.times <= page->busy;
  const How how = busy && page->how != How::late ? How::at_once : page->how;
  if (how == How::late) {
    co_await exchange.client.wait(state->delay);
  } else if (how == How::held && !state->holds) {
    co_await exchange.client.wait(Seconds(1));
  } else if (how == How::held && *state->holds) {
    co_await exchange.client.wait(state->gate);
  } else if (how == How::stalls) {
    co_await exchange.send_head(200, 1000);
    co_await exchange.client.write("<!doctype html>\n");
  }
  if (how == How::never || how == How::stalls) {
    co_await exchange.client.wait(Seconds(longest_wait));
    co_return exchange.client.close();
  }

  // From here on the client may be faster than we are.
  noted.reset();
  if (busy) asked.busy_since = Clock::now();
  ++asked.answered;
  if (how == How::no_answer) co_return exchange.client.close();
  const std::string body = html(*page, pages, exchange, hosts);
  co_await exchange.send(busy ? 503 : page->status, body, "Content-Type: text/html\r\n");
}

awaitable<void> links::report(Site& its, Exchange& exchange) {
  const auto executor = co_await asio::this_coro::executor;
  const auto state = its.linked.of(exchange.path[1] + '/' + exchange.path[2], executor);
  if (exchange.query.count("hold")) {
    state->holds = exchange.option("hold", 0, 1, 0) == 1;
    state->gate.expires_at(*state->holds ? Clock::time_point::max() : Clock::time_point::min());
  }
  state->delay = Seconds(exchange.option("delay", 0.0, longest_wait, state->delay.count()));
  std::string text = "in-flight " + std::to_string(state->in_flight) +  //
                     "\nmost " + std::to_string(state->most) +          //
                     "\nmost-per-host " + std::to_string(state->most_per_host) + "\nelsewhere " +
                     std::to_string(state->foreign) + '\n';
  for (const auto& [name, asked] : state->pages) {
    text +=
        "page /" + name + ' ' + std::to_string(asked.times) + ' ' + std::to_string(asked.answered);
    for (const auto pause : asked.pauses) text += ' ' + std::to_string(pause.count());
    text += '\n';
  }
  co_await exchange.send(200, text, "Content-Type: text/plain\r\n");
}
