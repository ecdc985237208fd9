#include "barrier.hpp"

#include <boost/asio/this_coro.hpp>

awaitable<bool> Barriers::wait(Connection& client, const std::string& name, std::size_t parties,
                               Seconds timeout) {
  Party self{{}, {co_await boost::asio::this_coro::executor, to_duration(timeout)}};
  const auto entry = groups_.try_emplace(name).first;
  Group& group = entry->second;
  group.push_back(self);

  if (group.size() < parties) {
    struct Leave {  // also when the client has gone, which throws
      Barriers& barriers;
      std::map<std::string, Group>::iterator entry;
      Party& self;
      ~Leave() {
        if (self.through) return;
        entry->second.erase(entry->second.iterator_to(self));
        if (entry->second.empty()) barriers.groups_.erase(entry);
      }
    } leave{*this, entry, self};
    co_await client.wait(self.timer);
    co_return self.through;
  }
  group.clear_and_dispose([](Party* party) {
    party->through = true;
    party->timer.expires_at(Clock::time_point::min());
  });
  groups_.erase(entry);
  co_return true;
}
