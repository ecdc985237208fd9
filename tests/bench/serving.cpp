#include "serving.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "fetching.hpp"
#include "folder.hpp"
#include "process.hpp"
#include "socket.hpp"

namespace fs = std::filesystem;

namespace {

constexpr std::size_t body = 100;  // bytes of an answer, of either

std::string version(const std::vector<std::string>& command, const std::string& before) {
  const Result result = run(command);
  const std::string said = result.out + result.err;
  const auto at = said.find(before);
  if (at == said.npos)
    throw std::runtime_error(command[0] + " is not installed: ./learn bench --install-peers");
  const auto start = std::min(said.find_first_of("0123456789", at), said.size());
  return said.substr(start, said.find_first_not_of("0123456789.", start) - start);
}

// A port that was free a moment ago.
std::uint16_t free_port() { return RefusedPort().port(); }

std::vector<std::string> nginx(const Folder& folder, std::uint16_t port) {
  const std::string at = folder.path().string() + '/';
  folder.write("file", std::string(body, 'x'));
  std::ostringstream conf;
  conf << "daemon off;\nworker_processes 1;\npid " << at << "pid;\nerror_log stderr;\n";
  if (geteuid() == 0) conf << "user root;\n";
  conf << "events { worker_connections 1024; }\nhttp {\n  access_log off;\n"
       << "  keepalive_requests 100000000;\n  open_file_cache max=10;\n";
  for (const char* kind : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"})
    conf << "  " << kind << "_temp_path " << at << kind << ";\n";
  conf << "  server { listen 127.0.0.1:" << port << "; root " << at << "; }\n}\n";
  return {"nginx", "-e", "stderr", "-c", folder.write("nginx.conf", conf.str())};
}

void wait_for(std::uint16_t port) {
  for (int tries = 0;; ++tries) try {
      Socket connected(port);
      return;
    } catch (const std::exception&) {
      if (tries > 500) throw std::runtime_error("nginx does not answer");
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
}

// Requests per second over 64 connections, for two seconds.
std::int64_t requests_per_second(const std::string& url) {
  const Result result = run({"wrk", "-t1", "-c64", "-d2s", url});
  const std::string name = "Requests/sec:";
  const auto at = result.out.find(name);
  if (at == result.out.npos || result.out.find("Non-2xx") != result.out.npos ||
      result.out.find("Socket errors") != result.out.npos)
    throw std::runtime_error("wrk " + url + ": " + result.out + result.err);
  return std::int64_t(std::stod(result.out.substr(at + name.size())));
}

}  // namespace

Serving measure_serving(int rounds) {
  Serving all;
  all.about.versions["nginx"] = version({"nginx", "-v"}, "nginx/");
  all.about.versions["wrk"] = version({"wrk", "-v"}, "wrk ");
  const Folder folder;
  const auto port = free_port();
  Process other(nginx(folder, port));
  Process ours({BUILD_DIR "/tests/server/test-server", "--port", "0", "--exit-with-stdin"});
  const std::string line = ours.read_line();
  const std::string base = line.substr(std::min(line.find("http://"), line.size()));
  wait_for(port);

  std::vector<std::int64_t> of_ours, of_other;
  for (int round = -1; round < rounds; ++round) {
    of_ours.push_back(requests_per_second(base + "/bytes/" + std::to_string(body)));
    of_other.push_back(requests_per_second("http://127.0.0.1:" + std::to_string(port) + "/file"));
  }
  of_ours.erase(of_ours.begin());  // to warm up
  of_other.erase(of_other.begin());
  other.signal(SIGTERM);
  other.finish();
  all.rounds = rounds;
  all.test_server = spread(of_ours);
  all.nginx = spread(of_other);
  return all;
}
