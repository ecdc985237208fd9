#include "test_server.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <regex>
#include <stdexcept>
#include <thread>

#include "catch.hpp"
#include "socket.hpp"

namespace {

bool has_tls(const std::vector<std::string>& options) {
  return std::count(options.begin(), options.end(), "--tls-port") > 0;
}

std::vector<std::string> command(const std::vector<std::string>& options, std::string ca_file) {
  std::vector<std::string> all{server_program(), "--port", "0", "--exit-with-stdin"};
  if (has_tls(options)) all.insert(all.end(), {"--ca-file", ca_file});
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

Server::TemporaryFile::TemporaryFile() {
  char name[] = "/tmp/sync-desert-XXXXXX";
  const Descriptor file(mkostemp(name, O_CLOEXEC));
  if (!file.is_open()) throw std::runtime_error("no temporary file to be had");
  path = name;
}

Server::TemporaryFile::~TemporaryFile() { unlink(path.c_str()); }

Server::Server(const std::vector<std::string>& options)
    : process_(command(options, ca_file_.path), {.time_limit = std::chrono::minutes(10)}) {
  base_url_ = first_group(process_.read_line(), "^listening on (http://\\S+:\\d+)$");
  port_ = std::uint16_t(std::stoi(base_url_.substr(base_url_.rfind(':') + 1)));
  while (has_tls(options) && !tls_urls_.contains("")) {  // the last line is of the good one
    const std::string line = process_.read_line();
    const std::string url = first_group(line, "^listening on (https://\\S+:\\d+)");
    tls_urls_[line.back() == ')' ? first_group(line, "\\((.*)\\)$") : ""] = url;
  }
}

Server::~Server() {
  const Result result = process_.finish();
  CHECK(result.status == (killed_ ? 128 + SIGKILL : 0));
  CHECK(result.err == "");
}

void Server::kill() {
  killed_ = true;
  process_.signal(SIGKILL);
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
