// Barriers: requests wait in one until enough of them are in it together. Only a client that has
// them in flight at the same time gets through, so passing proves concurrency without a clock.

#pragma once

#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>
#include <map>
#include <string>

#include "connection.hpp"

class Barriers {
 public:
  // Waits in the barrier `name`. Returns true once `parties` are in it, false after `timeout`.
  awaitable<bool> wait(Connection& client, const std::string& name, std::size_t parties,
                       Seconds timeout);

 private:
  // One that waits. `through` once all have come; it is in no list from then on.
  struct Party : boost::intrusive::list_base_hook<> {
    boost::asio::steady_timer timer;
    bool through = false;
  };
  using Group = boost::intrusive::list<Party>;

  std::map<std::string, Group> groups_;  // none of them empty
};
