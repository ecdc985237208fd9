#include "server.hpp"

#include <regex>
#include <stdexcept>
#include <thread>

#include "catch.hpp"
#include "socket.hpp"

namespace {

std::vector<std::string> command(const std::vector<std::string>& options) {
  std::vector<std::string> all{server_program(), "--port", "0", "--exit-with-stdin"};
  all.insert(all.end(), options.begin(), options.end());
  return all;
}

std::string first_group(const std::string& text, const char* pattern) {
  std::smatch match;
  if (!std::regex_search(text, match, std::regex(pattern)))
    throw std::runtime_error("no \"" + std::string(pattern) + "\" in \"" + text + "\"");
  return match[1];
}

}  // namespace

std::string server_program() { return BUILD_DIR "/tests/server/test-server"; }

Server::Server(const std::vector<std::string>& options) : process_(command(options)) {
  base_url_ = first_group(process_.read_line(), "^listening on (http://\\S+:\\d+)$");
  port_ = std::uint16_t(std::stoi(base_url_.substr(base_url_.rfind(':') + 1)));
}

Server::~Server() {
  const Result result = process_.finish();
  CHECK(result.status == 0);
  CHECK(result.err == "");
}

Stats Server::stats() const {
  const bool v6 = base_url_.find('[') != std::string::npos;
  const std::string answer =
      Socket(port_, v6 ? "::1" : "127.0.0.1").send("GET /stats HTTP/1.0\r\n\r\n").receive();
  const auto number = [&answer](const std::string& name) {
    return unsigned(std::stoul(first_group(answer, ('"' + name + "\": *(\\d+)").c_str())));
  };
  return {number("requests"), number("in_flight"), number("most_in_flight")};
}

bool Server::come_in_flight(unsigned count) const {
  for (int tries = 0; tries < 2000; ++tries) {
    if (stats().in_flight == count) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}
