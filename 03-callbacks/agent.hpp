// HTTP clients that return Deferreds, modelled on Agent and RedirectAgent of twisted.web.client.
// Both are small values: a callback that needs one later keeps a copy.

#pragma once

#include <chrono>
#include <string>

#include "deferred.hpp"
#include "http/response.hpp"
#include "http/url.hpp"
#include "reactor.hpp"

using Deadline = std::chrono::steady_clock::time_point;
inline Deadline in_10_s() { return std::chrono::steady_clock::now() + std::chrono::seconds(10); }

// One request, over http or https.
class Agent {
 public:
  explicit Agent(Reactor& reactor) : reactor_(&reactor) {}

  // Fires with the response once it is complete. The body of a 200 is read and thrown away; any
  // other body is not read. Fails with a std::exception that gives the reason in words. Cancelling
  // it closes the connection.
  Deferred<Response> get(const std::string& url, Deadline deadline = in_10_s()) const;
  Deferred<Response> get(const Url& url, Deadline deadline = in_10_s()) const;

 private:
  Reactor* reactor_;
};

// #region RedirectAgent
// Follows up to 10 redirects, all of it within one deadline.
class RedirectAgent {
 public:
  explicit RedirectAgent(Agent agent) : agent_(agent) {}

  Deferred<Response> get(const std::string& url) const;

 private:
  Deferred<Response> get(const Url& url, Deadline deadline, int redirects_left) const;

  Agent agent_;
};
// #endregion RedirectAgent
