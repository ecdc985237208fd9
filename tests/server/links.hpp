// Sites of pages that link to each other, for a link checker to be examined with. What it asked
// for, and when, is noted for each site: so the examination needs no clock of its own.
//
//   /site/KIND/TOKEN/PAGE   a page; that without a name is the first. Each TOKEN is a site afresh.
//     web       duplicates, cycles, dead links, a busy server that recovers, one that does not, a
//               page that is held, and a link to another site, which must not be asked
//     crowd     a first page with links to 24 pages that are held
//     uneven    a first page with links to 4 held pages of one host, and then to 8 of another
//     stop      a first page with links to two good pages, a dead one, and 12 that are held
//     slow      a first page with links to a good page, one that never answers, and one that stalls
//     tries     a first page with links to a late page, a late one that is busy at its first two
//               tries, and one that is busy at its first try, and at the second never answers
//     endless   a page for each day, with a link to the next one; and a page that never answers
//   /site/KIND/TOKEN        what has been asked of it; ?hold=1 holds the held pages until ?hold=0;
//                           without a word they are held for a second each; ?delay=SECONDS says
//                           how late the late pages are
//
// The pages are spread over all the addresses that the server speaks plain http on. What stands in
// their place for another site is any host that is not such an address: localhost.

#pragma once

#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connection.hpp"

class Exchange;
class Site;

// What is known of the sites, the last 100 of them.
class LinkedSites {
 public:
  struct Asked {
    unsigned times = 0, answered = 0;
    Clock::time_point busy_since;                   // the last 503
    std::vector<std::chrono::milliseconds> pauses;  // from a 503 to the next try
  };
  struct State {
    explicit State(boost::asio::steady_timer timer) : gate(std::move(timer)) {}
    boost::asio::steady_timer gate;  // held pages wait for it
    std::optional<bool> holds;       // whether they do, if somebody has told
    Seconds delay{0.8};              // of late pages
    unsigned in_flight = 0, most = 0, most_per_host = 0, foreign = 0;
    std::map<std::string, unsigned> hosts;  // in flight, by host
    std::map<std::string, Asked> pages;     // by name
  };

  std::vector<std::string> hosts;  // the addresses that the pages are spread over

  std::shared_ptr<State> of(const std::string& key, const boost::asio::any_io_executor& executor);
  void clear();

 private:
  std::map<std::string, std::shared_ptr<State>> states_;
  std::deque<std::string> order_;
};

namespace links {

awaitable<void> page(Site& its, Exchange& exchange);
awaitable<void> report(Site& its, Exchange& exchange);

}  // namespace links
