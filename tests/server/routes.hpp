// The test server's answer for each path. Names and meanings are those of httpbin, where it has
// them.

#pragma once

#include "barrier.hpp"
#include "connection.hpp"
#include "links.hpp"
#include "stats.hpp"
#include "view/peers.hpp"
#include "view/recorder.hpp"

class Site {
 public:
  // A request after so long a pause starts a new run.
  explicit Site(Clock::duration pause) : recorder(pause) {}

  // Answers the request. Returns whether the connection is to stay open for another.
  awaitable<bool> answer(Connection& client, Request request);

  Stats stats;
  Recorder recorder;
  Connections connections;  // all that are open
  Peers peers;
  unsigned viewers = 0;  // of /events
  Barriers barriers;
  LinkedSites linked;  // spread over linked.hosts
};
