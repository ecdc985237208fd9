// News for the page at / and for scripts.

#pragma once

#include <string>

#include "exchange.hpp"
#include "routes.hpp"

namespace views {

// What has changed since Recorder::version() was `since`, as JSON; everything, if the server has
// restarted since. Runs of many requests come as skylines, the others bar by bar.
std::string news(const Site& its, std::uint64_t since, Clock::time_point now);

// Server-sent events, each with `news` as its data and the version as its id, until the client
// goes away. It costs a slow viewer nothing but delay: what it missed comes with its next event.
// One that takes nothing at all is idle, and its connection is closed like any other.
awaitable<void> events(Site& its, Exchange& exchange);

// The news since ?since=ID, once.
awaitable<void> events_json(Site& its, Exchange& exchange);

}  // namespace views
