#include "lanes.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <string_view>

namespace inside {

namespace {

using std::string_view;
using namespace std::chrono_literals;

bool is_one_of(string_view name, std::initializer_list<string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Whether the call is one that sleeps until something happens, unless it is told not to wait.
bool waits(const Call& call) {
  const auto argument = [&call](std::size_t i) {
    return i < call.arguments.size() ? string_view(call.arguments[i]) : string_view();
  };
  const auto is_zero = [](string_view timeout) {
    return timeout == "0" || timeout.find("{tv_sec=0, tv_nsec=0}") == 0 ||
           timeout.find("{tv_sec=0, tv_usec=0}") == 0;
  };
  if (is_one_of(call.name, {"poll", "ppoll"})) return !is_zero(argument(2));
  if (is_one_of(call.name, {"epoll_wait", "epoll_pwait", "epoll_pwait2"}))
    return !is_zero(argument(3));
  if (is_one_of(call.name, {"select", "pselect6"})) return !is_zero(argument(4));
  if (call.name == "futex") return argument(1).find("WAIT") != string_view::npos;
  return is_one_of(call.name, {"nanosleep", "clock_nanosleep", "wait4", "waitid"});
}

// strace itself takes a while for each call, and so may other programs: only a call that takes
// longer has slept. Those on files and sockets sleep only where these block.
bool has_slept(const Call& call) {
  const Micros took = call.to - call.from;
  return (took >= 500us && waits(call)) ||
         (took >= 5ms && is_one_of(call.name, {"read", "readv", "recvfrom", "recvmsg", "connect",
                                               "accept", "accept4"}));
}

// Both glibc, for a thread, and 04, for a green thread, tell the kernel what the memory is for.
bool makes_a_stack(const Call& call) {
  if (!is_one_of(call.name, {"mmap", "mmap2"}) || call.result.value_or(-1) == -1) return false;
  return std::any_of(call.arguments.begin(), call.arguments.end(),
                     [](const std::string& it) { return it.find("MAP_STACK") != it.npos; });
}

bool sends(const Call& call) {
  return is_one_of(call.name, {"write", "writev", "sendto", "sendmsg", "sendmmsg"});
}

bool receives(const Call& call) {
  return is_one_of(call.name, {"read", "readv", "recvfrom", "recvmsg"});
}

std::string lower(string_view text) {
  std::string all(text);
  for (char& c : all) c = char(std::tolower(static_cast<unsigned char>(c)));
  return all;
}

struct Url {
  std::string whole, scheme, host, target;  // the host with its port, if one is told

  explicit Url(const std::string& text) : whole(text) {
    const auto colon = text.find("://");
    if (colon == text.npos) return;
    scheme = lower(text.substr(0, colon));
    const auto start = colon + 3, end = std::min(text.find_first_of("/?#", start), text.size());
    host = lower(text.substr(start, end - start));
    if (const auto at = host.rfind('@'); at != host.npos) host.erase(0, at + 1);
    target = text.substr(end, std::min(text.find('#', end), text.size()) - end);
    if (target.empty() || target[0] != '/') target.insert(0, 1, '/');
  }
};

// The value of a header field; empty if there is none.
std::string field(const std::string& head, const std::string& name) {
  const std::string all = lower(head);
  auto at = all.find("\r\n" + name + ":");
  if (at == all.npos) return "";
  at = std::min(head.find_first_not_of(' ', at + name.size() + 3), head.size());
  return head.substr(at, std::min(head.find("\r\n", at), head.size()) - at);
}

// Tells calls apart by the URL they serve: by the requests on their descriptors, and where these
// were redirected to.
class Owners {
 public:
  Owners(const Trace& trace, const std::vector<std::string>& urls) : trace_(trace) {
    for (const auto& url : urls) urls_.emplace_back(url);
    claimed_.resize(urls.size());
    printed_.resize(urls.size());
    find_connections();
    all_.resize(trace.calls.size());
    for (const auto i : in_order_of_ends()) look_at(i);
    // Only now is it known which URL the first calls on a connection were for.
    for (std::size_t i = 0; i < all_.size(); ++i)
      if (!all_[i]) all_[i] = only_owner(trace_.calls[i]);
  }

  // Of the call at `i`.
  Owner operator[](std::size_t i) const { return all_[i]; }

  // Whether the call prints the URL's verdict.
  bool ends(std::size_t i) const { return verdicts_.count(i) > 0; }

 private:
  // A socket, from its call to the close of its descriptor.
  struct Connection {
    Micros from{}, to{};
    std::string host;                                    // of its last request
    std::vector<std::pair<Micros, std::size_t>> owners;  // since when, and which URL

    Owner at(Micros time) const {
      Owner owner;
      for (const auto& [since, who] : owners)
        if (!owner || since <= time) owner = who;
      return owner;
    }
  };

  struct Redirect {
    std::string host, target;  // the host, if it is another
    std::size_t owner;
  };

  void find_connections() {
    std::map<std::pair<Micros, std::size_t>, const Call*> events;
    std::size_t i = 0;
    for (const auto& call : trace_.calls)
      if (is_one_of(call.name, {"socket", "close"}))
        events[{call.name == "close" ? call.from : call.to, ++i}] = &call;
    for (const auto& [when, call] : events) {
      if (call->name == "socket") {
        if (call->result.value_or(-1) < 0) continue;
        auto& all = connections_[int(*call->result)];
        if (!all.empty()) all.back().to = std::min(all.back().to, when.first);
        all.push_back({when.first, Micros::max(), "", {}});
      } else {
        for (const int fd : call->descriptors())
          if (auto& all = connections_[fd]; !all.empty())
            all.back().to = std::min(all.back().to, call->to);
      }
    }
  }

  Connection* connection(int fd, Micros time) {
    const auto found = connections_.find(fd);
    if (found == connections_.end()) return nullptr;
    for (auto& it : found->second)
      if (it.from <= time && time <= it.to) return &it;
    return nullptr;
  }

  std::vector<std::size_t> in_order_of_ends() const {
    std::vector<std::size_t> order(trace_.calls.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [this](std::size_t a, std::size_t b) {
      const Call &one = trace_.calls[a], &other = trace_.calls[b];
      return (sends(one) ? one.from : one.to) < (sends(other) ? other.from : other.to);
    });
    return order;
  }

  void look_at(std::size_t i) {
    const Call& call = trace_.calls[i];
    const auto fds = call.descriptors();
    if (fds.empty()) return;
    if (sends(call) && (fds[0] == 1 || fds[0] == 2)) return look_at_line(i, call.bytes());
    if (!sends(call) && !receives(call)) return;
    Connection* const its = connection(fds[0], call.from);
    if (!its) return;
    if (sends(call)) {
      if (const Owner owner = asked_by(call.bytes(), *its))
        its->owners.emplace_back(call.from, *owner);
    } else if (const Owner owner = its->at(call.to)) {
      const std::string answer = call.bytes();
      const std::string location = field(answer, "location");
      if (answer.rfind("HTTP/1.", 0) != 0 || answer.substr(8, 2) != " 3" || location.empty())
        return;
      const Url url(location);
      redirects_.push_back({url.host.empty() ? its->host : url.host,
                            url.host.empty() ? location : url.target, *owner});
    }
  }

  // `URL OK`, `URL Bad`, or `URL: why`.
  void look_at_line(std::size_t i, const std::string& line) {
    for (std::size_t url = 0; url < urls_.size(); ++url) {
      const std::string& whole = urls_[url].whole;
      if (line.rfind(whole, 0) != 0) continue;
      const string_view rest = string_view(line).substr(whole.size());
      const bool ends = rest.substr(0, 3) == " OK" || rest.substr(0, 4) == " Bad";
      if ((!ends && rest.substr(0, 2) != ": ") || printed_[url]) continue;
      all_[i] = url;
      if (ends) printed_[url] = true, verdicts_.insert(i);
      return;
    }
  }

  // The URL that has not begun yet, or else any, for which `is_it` holds.
  template <class Predicate>
  Owner claim(Predicate is_it) {
    Owner any;
    for (std::size_t url = 0; url < urls_.size(); ++url) {
      if (!is_it(urls_[url])) continue;
      if (!claimed_[url]) {
        claimed_[url] = true;
        return url;
      }
      if (!any) any = url;
    }
    return any;
  }

  // Whose bytes these are, if they begin a request.
  Owner asked_by(const std::string& bytes, Connection& its) {
    if (bytes.rfind("\x16\x03", 0) == 0) {  // TLS: the host's name can be read
      for (auto it = redirects_.begin(); it != redirects_.end(); ++it)
        if (const auto colon = it->host.find(':');
            !it->host.empty() && bytes.find(it->host.substr(0, colon)) != bytes.npos) {
          const auto owner = it->owner;
          redirects_.erase(it);
          return owner;
        }
      return claim([&](const Url& url) {
        return url.scheme == "https" && !url.host.empty() &&
               bytes.find(url.host.substr(0, url.host.find(':'))) != bytes.npos;
      });
    }
    const auto method = bytes.find(' '), end = bytes.find(" HTTP/1.");
    if (method == bytes.npos || end == bytes.npos || end <= method) return {};
    const std::string target = bytes.substr(method + 1, end - method - 1);
    const std::string host = its.host = lower(field(bytes, "host"));
    for (auto it = redirects_.begin(); it != redirects_.end(); ++it)
      if (it->target == target && it->host == host) {
        const auto owner = it->owner;
        redirects_.erase(it);
        return owner;
      }
    const auto same_host = [&](const Url& url) {
      return url.host == host || url.host == host + ":80" || url.host + ":80" == host;
    };
    if (const Owner owner =
            claim([&](const Url& url) { return url.target == target && same_host(url); }))
      return owner;
    return its.at(Micros::max());  // a relative redirect, perhaps
  }

  // The one URL that all connections of the call serve.
  Owner only_owner(const Call& call) {
    Owner only;
    for (const int fd : call.descriptors()) {
      const Micros time = sends(call) || call.name == "close" ? call.from : call.to;
      const Connection* const its = connection(fd, time);
      const Owner owner = its ? its->at(time) : std::nullopt;
      if (only && owner && *only != *owner) return {};
      if (owner) only = owner;
    }
    if (call.name == "socket" && call.result.value_or(-1) >= 0)
      if (const auto* its = connection(int(*call.result), call.to)) only = its->at(call.to);
    return only;
  }

  const Trace& trace_;
  std::vector<Url> urls_;
  std::vector<bool> claimed_, printed_;
  std::map<int, std::vector<Connection>> connections_;  // by descriptor
  std::vector<Redirect> redirects_;                     // that nobody has followed yet
  std::vector<Owner> all_;
  std::set<std::size_t> verdicts_;
};

// What a thread does between two sleeps: when each call began, and for which URL.
struct Turn {
  Micros from{}, to{};
  std::vector<std::pair<Micros, Owner>> calls;
};

// Adds the turn's spans. What comes before the first call for a URL counts for that URL.
void add(Lane& lane, const Turn& turn, Owner otherwise) {
  if (turn.from >= turn.to) return;
  Owner owner = otherwise;
  for (const auto& [at, who] : turn.calls)
    if (who) {
      owner = who;
      break;
    }
  Span span{turn.from, turn.to, "", owner};
  for (const auto& [at, who] : turn.calls) {
    if (!who || who == span.owner) continue;
    span.to = std::max(at, span.from);
    if (span.from < span.to) lane.spans.push_back(span);
    span = {span.to, turn.to, "", who};
  }
  if (span.from < span.to) lane.spans.push_back(span);
}

Lane lane_of(const Trace& trace, const Owners& owners, int thread) {
  Lane lane;
  std::set<std::size_t> all;
  Turn turn;
  bool begun = false;
  for (std::size_t i = 0; i < trace.calls.size(); ++i)
    if (trace.calls[i].thread == thread && owners[i]) all.insert(*owners[i]);
  const Owner only = all.size() == 1 ? Owner(*all.begin()) : Owner();
  for (std::size_t i = 0; i < trace.calls.size(); ++i) {
    const Call& call = trace.calls[i];
    if (call.thread != thread) continue;
    if (!begun) turn.from = call.from, begun = true;
    turn.to = std::max(turn.to, call.to);
    if (!has_slept(call)) {
      turn.calls.emplace_back(call.from, owners[i]);
      continue;
    }
    turn.to = std::max(turn.from, call.from);
    add(lane, turn, only);
    lane.spans.push_back({turn.to, std::max(call.to, turn.to), call.name, owners[i]});
    turn = {lane.spans.back().to, lane.spans.back().to, {}};
  }
  add(lane, turn, only);
  return lane;
}

// In the order in which they were made.
std::vector<int> threads_of(const Trace& trace) {
  std::vector<int> all;
  const auto add = [&all](int thread) {
    if (std::find(all.begin(), all.end(), thread) == all.end()) all.push_back(thread);
  };
  if (!trace.calls.empty()) add(trace.calls[0].thread);
  for (const auto& call : trace.calls)
    if (is_one_of(call.name, {"clone", "clone3", "fork", "vfork"}) && call.result.value_or(-1) > 0)
      add(int(*call.result));
  for (const auto& call : trace.calls) add(call.thread);
  return all;
}

// Moves all times, and drops what is before 0.
void start_at(Lane& lane, Micros zero) {
  for (auto& span : lane.spans) {
    span.from = std::max(span.from - zero, Micros(0));
    span.to -= zero;
  }
  std::erase_if(lane.spans, [](const Span& span) { return span.to <= span.from; });
}

}  // namespace

std::vector<std::size_t> Lane::owners() const {
  std::set<std::size_t> all;
  for (const auto& span : spans)
    if (span.owner && span.asleep.empty()) all.insert(*span.owner);
  return {all.begin(), all.end()};
}

double Inside::asleep() const {
  Micros all{}, slept{};
  for (const auto& lane : lanes)
    for (const auto& span : lane.spans) {
      all += span.to - span.from;
      if (!span.asleep.empty()) slept += span.to - span.from;
    }
  return all.count() ? double(slept.count()) / double(all.count()) : 0;
}

std::size_t Inside::most_at_once() const {
  std::size_t most = 0;
  for (const auto& one : lives) {
    if (!one) continue;
    most = std::max<std::size_t>(
        most, std::count_if(lives.begin(), lives.end(), [&](const auto& other) {
          return other && other->from <= one->from && one->from < other->to;
        }));
  }
  return most;
}

Inside lanes(const Trace& trace, const std::vector<std::string>& urls) {
  const Owners owners(trace, urls);
  Inside all;
  all.lives.resize(urls.size());
  std::optional<Micros> zero;
  const std::vector<int> threads = threads_of(trace);
  std::vector<bool> ended(urls.size());
  all.stacks = std::size_t(std::count_if(trace.calls.begin(), trace.calls.end(), makes_a_stack));
  for (std::size_t i = 0; i < trace.calls.size(); ++i) {
    const Call& call = trace.calls[i];
    if (!owners[i]) continue;
    if (!zero) zero = call.from;
    auto& life = all.lives[*owners[i]];
    if (!life) life = Life{call.from, call.to};
    if (!ended[*owners[i]]) life->to = std::max(life->to, call.to);
    if (owners.ends(i)) ended[*owners[i]] = true;
  }
  for (auto& life : all.lives)
    if (life) life->from -= zero.value_or(0us), life->to -= zero.value_or(0us);
  all.end = trace.end - zero.value_or(0us);
  for (const int thread : threads) {
    Lane lane = lane_of(trace, owners, thread);
    start_at(lane, zero.value_or(0us));
    if (!lane.spans.empty()) all.lanes.push_back(std::move(lane));
  }
  return all;
}

}  // namespace inside
