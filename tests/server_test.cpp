// Tests of the test server, with clients that share no code with it: cpp-httplib, and raw sockets
// for what no library would send.

#include <httplib.h>

#include <csignal>
#include <fstream>
#include <regex>
#include <sstream>

#include "catch.hpp"
#include "fetchers.hpp"
#include "socket.hpp"
#include "test_server.hpp"

namespace {

httplib::Client client(const Server& server) {
  httplib::Client made("127.0.0.1", server.port());
  made.set_read_timeout(30);
  return made;
}

httplib::Response get(const Server& server, const std::string& path) {
  INFO(path);
  auto result = client(server).Get(path.c_str());
  REQUIRE(result);
  return *result;
}

std::string location(const Server& server, const std::string& path) {
  return get(server, path).get_header_value("Location");
}

std::string request(const std::string& path, const std::string& more = "") {
  return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + more + "\r\n";
}

// A request after whose answer the server closes.
std::string last_request(const std::string& path) { return request(path, "Connection: close\r\n"); }

// All that comes back for these bytes.
std::string answer(const Server& server, const std::string& bytes) {
  return Socket(server.port()).send(bytes).receive();
}

// The status codes of the answers in these bytes, in their order.
std::vector<int> statuses(const std::string& answers) {
  static const std::regex line("HTTP/1\\.1 (\\d{3}) ");
  std::vector<int> all;
  for (std::sregex_iterator at(answers.begin(), answers.end(), line), end; at != end; ++at)
    all.push_back(std::stoi((*at)[1]));
  return all;
}

int status(const Server& server, const std::string& bytes) {
  const auto all = statuses(answer(server, bytes));
  return all.size() == 1 ? all[0] : 0;
}

std::vector<Socket> connections(const Server& server, std::size_t count) {
  std::vector<Socket> all;
  for (std::size_t i = 0; i < count; ++i) all.emplace_back(server.port());
  return all;
}

long resident_kib(const Server& server) {
  std::ifstream file("/proc/" + std::to_string(server.pid()) + "/status");
  for (std::string line; std::getline(file, line);)
    if (line.rfind("VmRSS:", 0) == 0) return std::stol(line.substr(6));
  return -1;
}

Result run_server(Lines options) {
  options.insert(options.begin(), server_program());
  return run(options, {.time_limit = std::chrono::seconds(20)});
}

}  // namespace

TEST_CASE("server: the talk's four sites") {
  const Server server;
  for (const std::string site : {"twitter", "google", "yahoo", "facebook/home"}) {
    const auto response = get(server, "/" + site);
    CHECK(response.status == 200);
    CHECK(response.body.find("Hello from " + site.substr(0, site.find('/'))) == 0);
  }
  const auto moved = get(server, "/facebook");
  CHECK(moved.status == 301);
  CHECK(moved.get_header_value("Location") == "/facebook/home");
}

TEST_CASE("server: any status") {
  const Server server;
  for (const int code : {200, 201, 204, 299, 301, 304, 400, 404, 418, 500, 503, 599}) {
    const auto response = get(server, "/status/" + std::to_string(code));
    CHECK(response.status == code);
    CHECK(response.get_header_value("Location") == "");
  }
}

TEST_CASE("server: a status that has no body has no length either") {
  const Server server;
  for (const char* code : {"204", "304"}) {
    const std::string bytes = answer(server, last_request(std::string("/status/") + code));
    CHECK(bytes.find("\r\n\r\n") == bytes.size() - 4);
    CHECK(bytes.find("Transfer-Encoding") == std::string::npos);
  }
}

TEST_CASE("server: redirects count down") {
  const Server server;
  CHECK(location(server, "/redirect/3") == "/redirect/2");
  CHECK(location(server, "/redirect/1") == "/status/200");
  CHECK(location(server, "/relative-redirect/3") == "../relative-redirect/2");
  CHECK(location(server, "/relative-redirect/1") == "../status/200");
  const std::string base = server.url();
  CHECK(location(server, "/absolute-redirect/3") == base + "/absolute-redirect/2");
  CHECK(location(server, "/absolute-redirect/1") == base + "/status/200");
  CHECK(location(server, "/redirect-loop") == "/redirect-loop");
  CHECK(get(server, "/redirect/3").status == 302);
}

TEST_CASE("server: a redirect to anywhere, by any status") {
  const Server server;
  CHECK(location(server, "/redirect-to?url=http%3A%2F%2Fx%3A1%2F%3Fa%26b") == "http://x:1/?a&b");
  CHECK(get(server, "/redirect-to?url=/x").status == 302);
  for (const int code : {301, 302, 303, 307, 308})
    CHECK(get(server, "/redirect-to?url=/x&status_code=" + std::to_string(code)).status == code);
}

TEST_CASE("server: a redirect injects no header") {
  const Server server;
  const std::string bytes = answer(server, last_request("/redirect-to?url=/x%0D%0AX-Evil:%201"));
  CHECK(statuses(bytes) == std::vector{400});
  CHECK(bytes.find("\r\nX-Evil") == std::string::npos);
}

TEST_CASE("server: bodies of any length") {
  const Server server;
  for (const std::size_t size : {0, 1, 65'536, 65'537, 10'000'000}) {
    const auto response = get(server, "/bytes/" + std::to_string(size));
    CHECK(response.body.size() == size);
    CHECK(response.get_header_value("Content-Length") == std::to_string(size));
  }
}

TEST_CASE("server: chunked bodies") {
  const Server server;
  for (const std::size_t count : {0, 1, 1000}) {
    const auto response = get(server, "/stream/" + std::to_string(count));
    CHECK(response.get_header_value("Transfer-Encoding") == "chunked");
    CHECK(lines(response.body).size() == count);
  }
}

TEST_CASE("server: a body without a length ends with its connection") {
  const Server server;
  const std::string bytes = answer(server, request("/no-length"));
  CHECK(statuses(bytes) == std::vector{200});
  CHECK(bytes.find("Content-Length") == std::string::npos);
  CHECK(bytes.find("chunked") == std::string::npos);
  CHECK(bytes.size() > bytes.find("\r\n\r\n") + 4);
}

TEST_CASE("server: a body that drips") {
  const Server server;
  const auto response = get(server, "/drip?numbytes=7&duration=0.1&delay=0.1&code=201");
  CHECK(response.status == 201);
  CHECK(response.body.size() == 7);
}

TEST_CASE("server: a gzipped body can be unzipped") {
  const Server server;
  const auto response = get(server, "/gzip");
  CHECK(response.get_header_value("Content-Encoding") == "gzip");
  CHECK(response.body.find("\"gzipped\": true") != std::string::npos);
}

TEST_CASE("server: the request's headers, as JSON") {
  const Server server;
  const auto result = client(server).Get("/headers", {{"X-Quotes", "a\"b\\c"}});
  REQUIRE(result);
  CHECK(result->get_header_value("Content-Type") == "application/json");
  static const std::regex field(R"re("X-Quotes": "a(\\"|\\u0022)b(\\\\|\\u005c)c")re");
  CHECK(std::regex_search(result->body, field));
}

TEST_CASE("server: a barrier opens when all are there") {
  const Server server;
  auto parties = connections(server, 3);
  for (std::size_t i = 0; i < parties.size(); ++i) {
    CHECK(server.come_in_flight(unsigned(i)));  // those before still wait
    parties[i].send(last_request("/barrier/3?timeout=20"));
  }
  for (auto& party : parties) CHECK(statuses(party.receive()) == std::vector{200});
}

TEST_CASE("server: a barrier gives up") {
  const Server server;
  CHECK(status(server, last_request("/barrier/2?timeout=0.1")) == 503);
  CHECK(status(server, last_request("/barrier/1?timeout=0.1")) == 200);
}

TEST_CASE("server: a client that has left is not at the barrier") {
  const Server server;
  Socket(server.port()).send(request("/barrier/2?timeout=20"));  // and is gone
  CHECK(server.come_in_flight(0));
  Socket stays(server.port());
  stays.send(last_request("/barrier/2?timeout=0.2"));
  CHECK(statuses(stays.receive()) == std::vector{503});
}

TEST_CASE("server: barriers of different names are different") {
  const Server server;
  auto parties = connections(server, 2);
  parties[0].send(last_request("/barrier/2?timeout=0.2&a"));
  parties[1].send(last_request("/barrier/2?timeout=0.2&b"));
  for (auto& party : parties) CHECK(statuses(party.receive()) == std::vector{503});
}

TEST_CASE("server: it counts its requests") {
  const Server server;
  {
    auto three = connections(server, 3);
    for (auto& socket : three) socket.send(request("/hang"));
    CHECK(server.come_in_flight(3));
    CHECK(get(server, "/status/404").status == 404);
    CHECK(server.stats().requests == 4);
    CHECK(server.stats().most_in_flight == 4);
  }
  CHECK(server.come_in_flight(0));
  CHECK(server.stats().most_in_flight == 4);
  const auto deleted = client(server).Delete("/stats");
  REQUIRE(deleted);
  CHECK(deleted->status == 200);
  CHECK(server.stats().requests == 0);
  CHECK(server.stats().most_in_flight == 0);
}

TEST_CASE("server: hostile answers") {
  const Server server;
  CHECK(answer(server, request("/truncate")).size() > 100);
  CHECK(!client(server).Get("/truncate"));
  const std::string chunks = answer(server, request("/truncate-chunked"));
  CHECK(chunks.find("chunked") != std::string::npos);
  CHECK(chunks.find("\r\n0\r\n") == std::string::npos);
  CHECK(answer(server, request("/garbage")).find("HTTP/") == std::string::npos);
  CHECK(answer(server, request("/garbage")) != "");
}

TEST_CASE("server: no answer at all") {
  const Server server;
  Socket closed(server.port()), reset(server.port()), hanging(server.port());
  CHECK(closed.send(request("/close")).receive() == "");
  CHECK(!closed.was_reset());
  CHECK(reset.send(request("/rst")).receive() == "");
  CHECK(reset.was_reset());
  hanging.send(request("/hang"));
  CHECK(server.come_in_flight(1));
  hanging.shut_down();
  CHECK(hanging.receive() == "");
}

TEST_CASE("server: answers without end") {
  const Server server;
  for (const std::string path : {"/endless-headers", "/endless-body"}) {
    INFO(path);
    Socket socket(server.port());
    socket.send(request(path));
    std::size_t received = 0;
    std::string head;
    while (received < 100'000) {
      const std::string bytes = socket.receive_until("xxx");
      REQUIRE(bytes != "");
      if (received == 0) head = bytes;
      received += bytes.size();
    }
    CHECK(statuses(head) == std::vector{200});
  }
  Socket slow(server.port());
  CHECK(slow.send(request("/slow-headers")).receive_until("HTTP/1.1 2").size() < 20);
}

TEST_CASE("server: a connection can be used again") {
  const Server server;
  Socket socket(server.port());
  for (int i = 0; i < 3; ++i)
    CHECK(statuses(socket.send(request("/delay/0")).receive_until("OK\n")) == std::vector{200});
  const std::string last = socket.send(last_request("/delay/0")).receive();
  CHECK(statuses(last) == std::vector{200});
  CHECK(std::regex_search(last, std::regex("\r\nConnection: close\r\n", std::regex::icase)));
}

TEST_CASE("server: requests can be sent ahead of answers") {
  const Server server;
  const std::string requests = request("/status/201") + request("/delay/0.2") +
                               request("/stream/2") + last_request("/status/404");
  CHECK(statuses(answer(server, requests)) == std::vector{201, 200, 200, 404});
}

TEST_CASE("server: a request that comes byte by byte") {
  const Server server;
  Socket socket(server.port());
  for (const char byte : last_request("/status/200")) socket.send({&byte, 1});
  CHECK(statuses(socket.receive()) == std::vector{200});
}

TEST_CASE("server: HTTP/1.0") {
  const Server server;
  const std::string plain = answer(server, "GET /delay/0 HTTP/1.0\r\n\r\n");
  CHECK(plain.substr(plain.find("\r\n\r\n") + 4) == "OK\n");
  const std::string stream = answer(server, "GET /stream/1 HTTP/1.0\r\n\r\n");
  CHECK(stream.find("chunked") == std::string::npos);
  CHECK(stream.substr(stream.find("\r\n\r\n") + 4) == "{\"id\": 0}\n");
}

TEST_CASE("server: HEAD has no body") {
  const Server server;
  for (const std::string path : {"/delay/0", "/bytes/100000", "/stream/3", "/drip?duration=0",
                                 "/gzip", "/headers", "/no-length", "/nowhere"}) {
    INFO(path);
    const std::string bytes =
        answer(server, "HEAD " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    CHECK(statuses(bytes).size() == 1);
    CHECK(bytes.find("\r\n\r\n") == bytes.size() - 4);
  }
}

TEST_CASE("server: a request's body is read and thrown away") {
  const Server server;
  const std::string body(100'000, 'x');
  const std::string post = "POST /status/200 HTTP/1.1\r\nHost: x\r\n";
  const std::string sized = post + "Content-Length: 100000\r\n\r\n" + body;
  const std::string chunked =
      post + "Transfer-Encoding: chunked\r\n\r\n186a0\r\n" + body + "\r\n0\r\n\r\n";
  const std::string expects = post + "Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc";
  CHECK(statuses(answer(server, sized + chunked + last_request("/status/200"))) ==
        std::vector{405, 405, 200});
  CHECK(statuses(answer(server, expects + last_request("/status/200"))) ==
        std::vector{100, 405, 200});
}

TEST_CASE("server: a request that asks for what there is not") {
  const Server server;
  for (const char* path : {"/nowhere", "/status", "/status/200/more", "/%00", "/twitter/x"})
    CHECK(get(server, path).status == 404);
  for (const char* path :
       {"/status/x", "/status/99", "/status/600", "/status/", "/delay/-1", "/delay/1e9",
        "/delay/nan", "/bytes/-1", "/bytes/99999999999999999999", "/stream/x", "/barrier/0",
        "/barrier/2?timeout=x", "/redirect/0", "/redirect-to", "/drip?numbytes=x",
        "/redirect-to?url=/&status_code=200"}) {
    INFO(path);
    CHECK(get(server, path).status == 400);
  }
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "BREW"})
    CHECK(status(server, std::string(method) +
                             " /status/200 HTTP/1.1\r\nConnection: close\r\n\r\n") == 405);
}

TEST_CASE("server: a request that is none") {
  const Server server;
  for (const char* bytes :
       {"nonsense\r\n\r\n", "\x16\x03\x01\x02\x01\x01\xfc\x03\x03\x7f\x80\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n", "GET /\r\n\r\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n",
        "GET / HTTP/1.1\r\n: no name\r\n\r\n", "GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    INFO(bytes);
    CHECK(status(server, bytes) == 400);
  }
  CHECK(status(server, request("/", "X-Long: " + std::string(100'000, 'x') + "\r\n")) == 431);
  CHECK(status(server, request("/" + std::string(100'000, 'x'))) == 431);
  CHECK(get(server, "/status/200").status == 200);
}

TEST_CASE("server: clients that leave in the middle") {
  const Server server;
  for (int i = 0; i < 100; ++i) {
    Socket(server.port()).send("GET /status/2");
    Socket(server.port()).send("POST /status/200 HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc");
    Socket half(server.port()), reading(server.port());
    half.send("GET /status/200 HTTP/1.1\r\n").reset();
    reading.send(request("/bytes/100000000")).receive_until("xxx");
    reading.reset();
  }
  CHECK(get(server, "/status/200").status == 200);
  CHECK(server.come_in_flight(0));
}

TEST_CASE("server: idle connections are closed, and only they") {
  const Server server({"--idle-timeout", "0.2"});
  Socket silent(server.port()), half(server.port()), used(server.port()), waiting(server.port());
  half.send("GET /status/200 HTTP/1.1\r\n");
  CHECK(statuses(used.send(request("/delay/0")).receive_until("OK\n")) == std::vector{200});
  CHECK(statuses(waiting.send(request("/delay/1")).receive_until("OK\n")) == std::vector{200});
  for (Socket* idle : {&silent, &half, &used}) CHECK(statuses(idle->receive()).empty());
}

TEST_CASE("server: a client that does not read its answer is idle") {
  const Server server({"--idle-timeout", "0.2"});
  Socket socket(server.port());
  socket.send(request("/bytes/1000000000"));
  CHECK(server.come_in_flight(1));
  CHECK(server.come_in_flight(0));
}

TEST_CASE("server: thousands of silent connections are no burden") {
  const Server server;
  const auto silent = connections(server, 5000);
  CHECK(get(server, "/status/200").status == 200);
  auto waiting = connections(server, 100);
  for (auto& socket : waiting) socket.send(last_request("/barrier/100?timeout=20"));
  for (auto& socket : waiting) CHECK(statuses(socket.receive()) == std::vector{200});
}

TEST_CASE("server: it does not grow by bad requests") {
  const Server server;
  const std::string too_long = request("/", "X-Long: " + std::string(50'000, 'x') + "\r\n");
  const auto suffer = [&] {
    for (int i = 0; i < 1000; ++i) {
      answer(server, "nonsense\r\n\r\n");
      answer(server, too_long);
      answer(server, last_request("/barrier/2?timeout=0&" + std::to_string(i)));
      Socket(server.port()).send("GET /").reset();
      Socket(server.port()).send(request("/hang"));
    }
    CHECK(server.come_in_flight(0));
  };
  suffer();
  const long before = resident_kib(server);
  suffer();
  if (!sanitized) CHECK(resident_kib(server) < before + 1000);
}

TEST_CASE("server: a signal ends it cleanly") {
  for (const int number : {SIGINT, SIGTERM}) {
    Process process({server_program(), "--port", "0"});
    const std::string line = process.read_line();
    Socket busy(std::uint16_t(std::stoi(line.substr(line.rfind(':') + 1))));
    busy.send(request("/hang"));
    process.signal(number);
    const Result result = process.finish();
    CHECK(result.status == 0);
    CHECK(result.err == "");
    CHECK(busy.receive() == "");
  }
}

TEST_CASE("server: it ends with its standard input, if asked to") {
  Process process({server_program(), "--port", "0", "--exit-with-stdin"});
  CHECK(process.read_line() != "");
  CHECK(process.finish().status == 0);
  CHECK(run({"sh", "-c", "exec " + server_program() + " --port 0 --exit-with-stdin </dev/null"})
            .status == 0);
}

TEST_CASE("server: several addresses on one port") {
  Process process({server_program(), "--port", "0", "--host", "127.0.0.1", "--host", "127.0.0.2",
                   "--exit-with-stdin"});
  for (const std::string host : {"127.0.0.1", "127.0.0.2"}) {
    const std::string line = process.read_line(), start = "listening on http://" + host + ":";
    REQUIRE(line.rfind(start, 0) == 0);
    const auto port = std::uint16_t(std::stoi(line.substr(start.size())));
    CHECK(statuses(Socket(port, host.c_str()).send(last_request("/gzip")).receive()) ==
          std::vector{200});
  }
  CHECK(process.finish().status == 0);
}

TEST_CASE("server: https, by certificates that its --ca-file vouches for, and by bad ones") {
  const Server server({"--tls-port", "0", "--bad-tls"});
  const auto curl = [&](const std::string& url, const std::string& trust) {
    return run({"sh", "-c", "curl -q -s --noproxy '*' " + trust + " " + url});
  };
  const std::string trusted = "--cacert " + server.ca_file();
  CHECK(curl(server.tls_url("") + "/gzip -o /dev/null -w %{http_code}", trusted).out == "200");
  CHECK(curl(server.tls_url("") + "/bytes/1000000", trusted).out.size() == 1'000'000);
  CHECK(curl(server.tls_url("") + "/headers", trusted).out.find("\"Host\"") != std::string::npos);
  CHECK(curl(server.tls_url(""), "").status == 60);  // nobody vouches for it
  for (const char* fault : {"expired", "not valid yet", "wrong host", "self-signed",
                            "unknown authority", "not for servers"}) {
    INFO(fault);
    CHECK(curl(server.tls_url(fault), trusted).status == 60);
    CHECK(curl(server.tls_url(fault), "--insecure").status == 0);  // there is no other fault
  }
  CHECK(curl(server.tls_url("TLS 1.1"), "--insecure").status == 35);
  CHECK(curl(server.tls_url("TLS 1.1"), "--insecure --tls-max 1.1 --ciphers DEFAULT@SECLEVEL=0")
            .status == 0);
}

TEST_CASE("server: an https port that is given no TLS, or half of it, serves the others on") {
  const Server server({"--tls-port", "0", "--idle-timeout", "1"});
  const auto port = std::uint16_t(std::stoi(server.tls_url().substr(sizeof "https://127.0.0.1")));
  Socket silent(port), half(port);
  half.send(std::string("\x16\x03\x01\x02", 4));
  CHECK(statuses(Socket(port).send(last_request("/gzip")).receive()).empty());
  CHECK(run({"curl", "-q", "-s", "--noproxy", "*", "--cacert", server.ca_file(), "-f", "-o",
             "/dev/null", server.tls_url("") + "/gzip"})
            .status == 0);
  CHECK(silent.receive() == "");  // the idle time-out counts for handshakes as well
  CHECK(half.receive() == "");
}

TEST_CASE("server: raw bytes") {
  const Server server;
  CHECK(answer(server, request("/raw?send=a%0D%0Ab&send=c&again=2&pause=0.01&send=%00d")) ==
        std::string("a\r\nbccc\0d", 9));
  CHECK(answer(server, request("/raw")) == "");
  CHECK(status(server, last_request("/raw?again=x")) == 400);
  CHECK(status(server, last_request("/raw?nonsense=1")) == 400);
}

TEST_CASE("server: a password is asked for, and a name told in TLS") {
  const Server server;
  const auto auth = [&](const std::string& pair) {
    return status(server, request("/basic-auth/user/pass",
                                  "Connection: close\r\nAuthorization: Basic " + pair + "\r\n"));
  };
  CHECK(auth("dXNlcjpwYXNz") == 200);
  CHECK(auth("dXNlcjpwYXN0") == 401);
  CHECK(auth("") == 401);
  CHECK(status(server, last_request("/server-name/localhost")) == 421);
}

TEST_CASE("server: by default it can be reached from this machine only") {
  const Server server;
  CHECK(server.url() == "http://127.0.0.1:" + std::to_string(server.port()));
  CHECK_THROWS(Socket(server.port(), "127.0.0.2"));
}

TEST_CASE("server: bad arguments") {
  for (const Lines& options : std::vector<Lines>{{"--port"},
                                                 {"--port", "x"},
                                                 {"--port", "65536"},
                                                 {"--port", "-1"},
                                                 {"--port", "80x"},
                                                 {"--port", ""},
                                                 {"--host", "nonsense", "--port", "0"},
                                                 {"--host", "192.0.2.1", "--port", "0"},
                                                 {"--idle-timeout", "x"},
                                                 {"--idle-timeout", "-1"},
                                                 {"--pause", "0"},
                                                 {"--tls-port", "x"},
                                                 {"--ca-file", "/nowhere/ca.pem", "--port", "0"},
                                                 {"--nonsense"},
                                                 {"nonsense"}}) {
    const Result result = run_server(options);
    INFO(options.front() << ' ' << options.back() << ": " << result.err);
    CHECK(result.status == 2);
    CHECK(result.out == "");
    CHECK(result.err.find(options.size() > 1 ? options[1] : options[0]) != std::string::npos);
  }
}

TEST_CASE("server: a port in use") {
  const Server server;
  const Result result = run_server({"--port", std::to_string(server.port())});
  CHECK(result.status == 2);
  CHECK(result.out == "");
  CHECK(std::regex_search(result.err, std::regex(std::to_string(server.port()) + ".*in use")));
}

TEST_CASE("server: help") {
  const Result result = run_server({"--help"});
  CHECK(result.status == 0);
  CHECK(result.err == "");
  for (const char* option : {"--port", "--tls-port", "--bad-tls", "--ca-file", "--host", "--hosts",
                             "--idle-timeout", "--exit-with-stdin"})
    CHECK(result.out.find(option) != std::string::npos);
}

TEST_CASE("server: sites of linked pages, over all its hosts") {
  const Server server({"--hosts", "3"});
  const auto page = [&server](const std::string& path) { return get(server, "/site/" + path); };
  const std::string port = ':' + std::to_string(server.port()) + "/site/web/1/";

  const std::string first = page("web/1/").body;
  CHECK(first.find("<a href=\"http://127.0.0.2" + port + "about\">") != std::string::npos);
  CHECK(first.find("<a href=\"http://127.0.0.2" + port + "about#team\">") != std::string::npos);
  CHECK(first.find("<a href=\"/site/web/1/news\">") != std::string::npos);  // on the same host
  CHECK(first.find("<a href=\"http://localhost" + port + "elsewhere\">") != std::string::npos);
  CHECK(page("web/1/missing").status == 404);
  CHECK(page("web/1/gone").status == 410);
  CHECK(page("web/1/nonsense").status == 404);
  CHECK(!client(server).Get("/site/web/1/lost"));
  CHECK(page("nonsense/1/").status == 400);
  CHECK(page("endless/1/day-41").body.find("/day-42\">") != std::string::npos);
  for (const char* host : {"127.0.0.2", "127.0.0.3"})
    CHECK(statuses(Socket(server.port(), host).send(last_request("/site/crowd/1/")).receive()) ==
          std::vector<int>{200});
}

TEST_CASE("server: a busy page recovers, once for each token") {
  const Server server;
  for (const char* token : {"1", "2"}) {
    const std::string site = std::string("/site/web/") + token;
    for (const int status : {503, 503, 200, 200})
      CHECK(get(server, site + "/busy").status == status);
    for (const int status : {503, 503, 503, 503})
      CHECK(get(server, site + "/down").status == status);
    const std::string report = get(server, site).body;
    INFO(report);
    CHECK(std::regex_search(report, std::regex("\npage /busy 4 4 \\d+ \\d+ \\d+\n")));
  }
  client(server).Delete("/stats");
  CHECK(get(server, "/site/web/1/busy").status == 503);
}

TEST_CASE("server: the tries of a late page are all late, and a busy one may fall silent") {
  const Server server;
  get(server, "/site/tries/1?delay=0.15");
  for (const int status : {503, 503, 200}) {
    const auto start = std::chrono::steady_clock::now();
    CHECK(get(server, "/site/tries/1/thrice").status == status);
    CHECK(std::chrono::steady_clock::now() - start >= std::chrono::milliseconds(150));
  }
  CHECK(get(server, "/site/tries/1/once").status == 503);
  Socket silent(server.port());
  silent.send("GET /site/tries/1/once HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  REQUIRE(server.come_in_flight(1));
  CHECK(get(server, "/site/tries/1").body.find("page /once 2 1 ") != std::string::npos);
}

TEST_CASE("server: a site's report has the pages in flight, and requests for another site") {
  const Server server({"--hosts", "2"});
  const auto report = [&server] { return get(server, "/site/crowd/7").body; };
  get(server, "/site/crowd/7?hold=1");
  std::vector<Socket> held;
  for (int i = 1; i <= 3; ++i)
    held.push_back(Socket(server.port(), i == 1 ? "127.0.0.2" : "127.0.0.1"));
  for (std::size_t i = 0; i < held.size(); ++i)
    held[i].send("GET /site/crowd/7/page-" + std::to_string(i + 1) +
                 " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
  REQUIRE(server.come_in_flight(3));
  CHECK(report().find("in-flight 3\nmost 3\nmost-per-host 2\nelsewhere 0\n") == 0);
  get(server, "/site/crowd/7?hold=0");
  for (auto& socket : held) CHECK(statuses(socket.receive()) == std::vector<int>{200});
  CHECK(status(server, last_request("/site/crowd/7/elsewhere")) == 200);  // Host: localhost
  CHECK(report().find("in-flight 0\nmost 3\nmost-per-host 2\nelsewhere 1\n") == 0);
}
