// What the test server's views show, read by a raw client.

#include <csignal>
#include <regex>
#include <thread>

#include "catch.hpp"
#include "fetchers.hpp"
#include "socket.hpp"
#include "test_server.hpp"

namespace {

std::string get(const Server& server, const std::string& path, const std::string& method = "GET",
                const std::string& fields = "") {
  return Socket(server.port())
      .send(method + ' ' + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + fields + "\r\n")
      .receive();
}

std::string body(const std::string& answer) {
  return answer.substr(std::min(answer.find("\r\n\r\n") + 4, answer.size()));
}

// Asks for `path` as a program named `agent`.
void ask(const Server& server, const std::string& agent, const std::string& path) {
  get(server, path, "GET", "User-Agent: " + agent + "\r\n");
}

std::uint64_t number(const std::string& text, const std::string& pattern) {
  std::smatch match;
  REQUIRE(std::regex_search(text, match, std::regex(pattern)));
  return std::stoull(match[1]);
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t all = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++all;
  return all;
}

// A viewer of /events.
class Viewer {
 public:
  explicit Viewer(const Server& server, const std::string& last_id = "") : socket_(server.port()) {
    socket_.send("GET /events HTTP/1.1\r\nHost: x\r\n" +
                 (last_id.empty() ? "" : "Last-Event-ID: " + last_id + "\r\n") + "\r\n");
  }
  // What comes up to `end`, and to the end of its event.
  std::string read_until(const std::string& end) {
    std::string text = socket_.receive_until(end);
    if (text.find("\n\n", text.find(end)) == std::string::npos)
      text += socket_.receive_until("\n\n");
    return text;
  }

 private:
  Socket socket_;
};

std::string id(const std::string& events) {
  const auto at = events.rfind("id: ");
  return events.substr(at + 4, events.find('\n', at) - at - 4);
}

}  // namespace

TEST_CASE("views: viewers are not counted") {
  const Server server;
  Viewer viewer(server);
  viewer.read_until("data: ");
  for (const char* path : {"/", "/stats", "/timeline.svg", "/timeline.txt", "/trace.json", "/help",
                           "/events.json", "/favicon.ico"}) {
    INFO(path);
    CHECK(get(server, path).rfind("HTTP/1.1 20", 0) == 0);
  }
  CHECK(server.stats().requests == 0);
  CHECK(body(get(server, "/timeline.txt")) == "No requests yet.\n");
  get(server, "/timelines.svg");  // no such route
  CHECK(server.stats().requests == 1);
}

TEST_CASE("views: the page is small, and needs nothing but the server") {
  const Server server;
  const std::string page = get(server, "/");
  CHECK(page.find("Content-Type: text/html; charset=utf-8\r\n") != std::string::npos);
  CHECK(body(page).size() < 10'000);
  CHECK(body(page).find("</script>") != std::string::npos);
  CHECK(!std::regex_search(body(page), std::regex("(https?:)?//[a-z]+\\.")));
}

TEST_CASE("views: pictures of the runs that are chosen") {
  const Server server;
  for (const char* agent : {"one", "two", "one"}) ask(server, agent, "/delay/0");
  const auto shown = [&](const std::string& query) {
    std::string names;
    for (const auto& line : lines(body(get(server, "/timeline.txt" + query))))
      if (const auto end = line.find(": 1 request,"); end != std::string::npos)
        names += line.substr(0, end) + ' ';
    return names;
  };
  CHECK(shown("") == "two one ");  // the last run of each
  CHECK(shown("?run=1") == "one ");
  CHECK(shown("?runs=2,1") == "two one ");
  CHECK(shown("?runs=all") == "one two one ");
  CHECK(count(get(server, "/timeline.svg?runs=all"), "<rect class='wait'") == 3 + 1);  // a legend
  CHECK(count(get(server, "/trace.json?runs=2,3"), "process_name") == 2);
  CHECK(get(server, "/timeline.svg").find("Content-Type: image/svg+xml\r\n") != std::string::npos);
  for (const char* query : {"?run=9", "?run=x", "?runs=1,", "?runs=,", "?runs=1,x", "?runs=1,2,1",
                            "?width=9", "?width=9999", "?ascii=2", "?span=x", "?span=-1"}) {
    INFO(query);
    CHECK(get(server, std::string("/timeline.txt") + query).rfind("HTTP/1.1 400", 0) == 0);
  }
}

TEST_CASE("views: DELETE /stats ends the runs, DELETE /events forgets them") {
  const Server server;
  ask(server, "one", "/delay/0");
  get(server, "/stats", "DELETE");
  ask(server, "one", "/delay/0");
  CHECK(count(get(server, "/timeline.txt?runs=all"), "one: 1 request,") == 2);
  CHECK(get(server, "/events", "DELETE").rfind("HTTP/1.1 200", 0) == 0);
  CHECK(body(get(server, "/timeline.txt?runs=all")) == "No requests yet.\n");
  CHECK(server.stats().requests == 0);
  for (const char* path : {"/timeline.svg", "/", "/events.json"})
    CHECK(get(server, path, "DELETE").rfind("HTTP/1.1 405", 0) == 0);
}

TEST_CASE("views: events come at once, and as things happen") {
  const Server server;
  Viewer viewer(server);
  const std::string first = viewer.read_until("data: ");
  CHECK(first.find("Content-Type: text/event-stream\r\n") != std::string::npos);
  CHECK(first.find("\"runs\": []") != std::string::npos);
  Socket waits(server.port());
  waits.send("GET /barrier/2?timeout=20 HTTP/1.1\r\nUser-Agent: me\r\n\r\n");
  const std::string begun = viewer.read_until("\"target\": \"/barrier");
  CHECK(begun.find("\"in_flight\": 1") != std::string::npos);
  CHECK(begun.find("\"last\": null, \"status\": 0, \"outcome\": \"in flight\"") !=
        std::string::npos);
  ask(server, "other", "/barrier/2?timeout=20");
  CHECK(viewer.read_until("\"status\": 200").find("\"agent\": \"") != std::string::npos);
}

TEST_CASE("views: a viewer that comes back gets what it has missed, and no more") {
  const Server server;
  ask(server, "one", "/delay/0");
  std::string last;
  {
    Viewer viewer(server);
    last = id(viewer.read_until("\"agent\": \"one\""));
  }
  ask(server, "two", "/delay/0");
  Viewer again(server, last);
  const std::string missed = again.read_until("\"agent\": \"two\"");
  CHECK(missed.find("\"agent\": \"one\"") == std::string::npos);
  CHECK(id(missed) > last);
  for (const char* nonsense :
       {"0", "nonsense", "99999999999999999999999", "18446744073709551615"}) {
    INFO(nonsense);
    Viewer lost(server, nonsense);  // which gets all
    CHECK(lost.read_until("\"agent\": \"two\"").find("\"agent\": \"one\"") != std::string::npos);
  }
}

TEST_CASE("views: after a restart a viewer gets everything anew") {
  std::string last;
  {
    const Server server;
    ask(server, "one", "/delay/0");
    last = id(Viewer(server).read_until("\"agent\": \"one\""));
  }
  const Server server;
  ask(server, "two", "/delay/0");
  const std::string events = Viewer(server, last).read_until("\"agent\": \"two\"");
  CHECK(events.find("\"id\": 1, ") != std::string::npos);
  CHECK(id(events) > last);
}

TEST_CASE("views: news for scripts") {
  const Server server;
  ask(server, "one", "/delay/0");
  const std::string all = body(get(server, "/events.json"));
  const auto since = number(all, "^\\{\"id\": ([0-9]+)");
  CHECK(all.find("\"agent\": \"one\"") != std::string::npos);
  CHECK(all.find("\"status\": 200, \"outcome\": \"OK\"") != std::string::npos);
  ask(server, "two", "/status/404");
  const std::string news = body(get(server, "/events.json?since=" + std::to_string(since)));
  CHECK(news.find("\"agent\": \"one\"") == std::string::npos);
  CHECK(news.find("\"outcome\": \"404\"") != std::string::npos);
  CHECK(get(server, "/events.json?since=x").rfind("HTTP/1.1 400", 0) == 0);
}

TEST_CASE("views: what a fetcher on this machine holds is told while it is at work") {
  const Server server;
  const std::string path = "/barrier/5?timeout=60";
  for (const auto& [chapter, threads] : {std::pair{"02-threads", 5}, {"05-coroutines", 1}}) {
    INFO(chapter);
    get(server, "/events", "DELETE");
    Process fetcher({std::string(BUILD_DIR "/") + chapter + "/fetch", server.url(path),
                     server.url(path), server.url(path), server.url(path)});
    REQUIRE(server.come_in_flight(4));
    const std::string news = body(get(server, "/events.json"));
    INFO(news);
    CHECK(number(news, "\"threads\": ([0-9]+)") == std::uint64_t(threads));
    CHECK(number(news, "\"kib\": ([0-9]+)") > 1000);
    ask(server, "the fifth", path);
    CHECK(fetcher.finish().status == 0);
    // What it held last stays.
    CHECK(number(body(get(server, "/events.json")), "\"threads\": ([0-9]+)") ==
          std::uint64_t(threads));
  }
}

TEST_CASE("views: hundreds of requests are told as a skyline") {
  const Server server;
  std::string requests;
  for (int i = 0; i < 150; ++i)
    requests += "GET /status/200 HTTP/1.1\r\nUser-Agent: me\r\n" +
                std::string(i == 149 ? "Connection: close\r\n" : "") + "\r\n";
  Socket(server.port()).send(requests).receive();
  const std::string news = body(get(server, "/events.json"));
  CHECK(news.find("\"requests\": 150") != std::string::npos);
  CHECK(news.find("\"skyline\": {\"step\": ") != std::string::npos);
  CHECK(news.find("\"bars\"") == std::string::npos);
}

TEST_CASE("views: a viewer that leaves, and one that does not read, cost the others nothing") {
  const Server server({"--idle-timeout", "0.3"});
  // So much to tell that no kernel takes it all in, if nobody reads.
  const std::string target = '/' + std::string(59, '\\');  // each of which takes six bytes of JSON
  for (std::size_t run = 0; run < 100; ++run) {
    std::string requests;
    for (int i = 0; i < 100; ++i)
      requests += "GET " + target + " HTTP/1.1\r\nUser-Agent: " + std::to_string(run) + "\r\n" +
                  (i == 99 ? "Connection: close\r\n" : "") + "\r\n";
    Socket(server.port()).send(requests).receive();
  }
  const std::string news = body(get(server, "/events.json"));
  CHECK(news.size() > 4'000'000);
  const auto viewers = [&] {
    const auto since = number(news, "^\\{\"id\": ([0-9]+)");
    return number(body(get(server, "/events.json?since=" + std::to_string(since))),
                  "\"viewers\": ([0-9]+)");
  };
  Socket slow(server.port());
  slow.send("GET /events HTTP/1.1\r\nHost: x\r\n\r\n").receive_until("\r\n\r\n");
  for (int i = 0; i < 20; ++i) Viewer(server).read_until("data: ");  // and leaves
  for (int i = 0; i < 1000 && viewers() > 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  CHECK(viewers() == 0);
  CHECK(slow.receive().size() < news.size());  // it has been cut off
}

TEST_CASE("views: there is an end of viewers") {
  const Server server;
  std::vector<Viewer> all;
  for (int i = 0; i < 50; ++i) {
    all.emplace_back(server);
    all.back().read_until("data: ");
  }
  CHECK(get(server, "/events").rfind("HTTP/1.1 503", 0) == 0);
  all.pop_back();
  std::string answer;
  for (int i = 0; i < 200 && answer.find("data: ") == std::string::npos; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));  // until it is seen to be gone
    Socket next(server.port());
    answer = next.send("GET /events HTTP/1.1\r\nHost: x\r\n\r\n").receive_until("data: ");
  }
  CHECK(answer.rfind("HTTP/1.1 200", 0) == 0);
}
