// The small local test server. routes.cpp has its answers.

#include <fcntl.h>
#include <getopt.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "certificates.hpp"
#include "exchange.hpp"
#include "server.hpp"

namespace asio = boost::asio;

namespace {

constexpr char usage[] =
    "usage: test-server [OPTION]...\n"
    "Answers each request as its path says: /delay/1, /status/404, /barrier/4 ...\n"
    "  --port N                listen on port N, default 8080; 0 takes a free one\n"
    "  --host ADDRESS          listen on this numeric address, default 127.0.0.1; may be repeated\n"
    "  --hosts N               listen on 127.0.0.1 to 127.0.0.N, for the pages of /site\n"
    "  --tls-port N            speak https on port N as well; 0 takes a free one\n"
    "  --bad-tls               also with bad certificates and old TLS, each on a free port\n"
    "  --ca-file FILE          write the certificate to trust: SSL_CERT_FILE=FILE fetch ...\n"
    "  --idle-timeout SECONDS  close a connection without a request, default 30\n"
    "  --pause SECONDS         a request after so long a pause starts a new run, default 0.5\n"
    "  --exit-with-stdin       end when standard input ends\n"
    "  --help                  print this\n"
    "\n"
    "It records requests in runs, and keeps the last 100. A run is what one program (one "
    "User-Agent)\n"
    "asks for without a pause; DELETE /stats starts new ones.\n"
    "  /               the page: the runs as they happen\n"
    "  /timeline.svg   a picture of the last run of each program, all on one scale of time;\n"
    "                  ?run=ID, ?runs=ID,ID, ?runs=all choose; &span=SECONDS is the least scale\n"
    "  /timeline.txt   the same as text; &width=COLUMNS, &ascii=1\n"
    "  /trace.json     the same for Perfetto and chrome://tracing\n"
    "  /events         what changes, as server-sent events; DELETE /events forgets all runs\n"
    "  /events.json    the same once; ?since=ID for what is new since the answer with that id\n"
    "  /stats          how many requests so far, in flight, most at once\n"
    "  /help           all routes\n"
    "\n"
    "Pages that link to each other, for a link checker. Each TOKEN is a new site:\n"
    "  /site/KIND/TOKEN/PAGE  KIND is web, crowd, uneven, stop, slow, tries or endless. The\n"
    "                         first page has no name. The pages are spread over all the\n"
    "                         addresses of plain http.\n"
    "  /site/KIND/TOKEN       what it was asked for\n";

struct Options {
  unsigned short port = 8080;
  std::vector<std::string> hosts;
  std::optional<unsigned short> tls_port;
  bool bad_tls = false;
  std::string ca_file;
  Seconds idle_timeout{30}, pause{0.5};
  bool exit_with_stdin = false;
};

// Throws std::invalid_argument. Ends the program for --help, and for an option that does not exist.
Options parse(int argc, char* argv[]) {
  Options options;
  const option known[] = {{"port", required_argument, nullptr, 'p'},
                          {"host", required_argument, nullptr, 'a'},
                          {"hosts", required_argument, nullptr, 'n'},
                          {"tls-port", required_argument, nullptr, 't'},
                          {"bad-tls", no_argument, nullptr, 'b'},
                          {"ca-file", required_argument, nullptr, 'c'},
                          {"idle-timeout", required_argument, nullptr, 'i'},
                          {"pause", required_argument, nullptr, 'r'},
                          {"exit-with-stdin", no_argument, nullptr, 'e'},
                          {"help", no_argument, nullptr, 'h'},
                          {}};
  for (int name; (name = getopt_long(argc, argv, "", known, nullptr)) != -1;) try {
      if (name == 'p') options.port = Exchange::number<unsigned short>(optarg, 0, 65535);
      if (name == 'a') options.hosts.push_back(optarg);
      if (name == 'n')
        for (int i = 1; i <= Exchange::number(optarg, 1, 250); ++i)
          options.hosts.push_back("127.0.0." + std::to_string(i));
      if (name == 't') options.tls_port = Exchange::number<unsigned short>(optarg, 0, 65535);
      if (name == 'b') options.bad_tls = true;
      if (name == 'c') options.ca_file = optarg;
      if (name == 'i') options.idle_timeout = Seconds(Exchange::number(optarg, 0.01, 86400.));
      if (name == 'r') options.pause = Seconds(Exchange::number(optarg, 0.01, 86400.));
      if (name == 'e') options.exit_with_stdin = true;
      if (name == 'h') std::exit(std::fputs(usage, stdout) < 0);
      if (name == '?') std::exit((std::fputs(usage, stderr), 2));
    } catch (const std::invalid_argument& error) {
      throw std::invalid_argument(std::string(optarg) + ": " + error.what());
    }
  if (optind < argc) throw std::invalid_argument(std::string(argv[optind]) + ": not an option");
  if (options.hosts.empty()) options.hosts.push_back("127.0.0.1");
  return options;
}

// Listens on `host`. Returns the line that tells where.
std::string listen(Server& server, const std::string& host, unsigned short& port,
                   std::optional<asio::ssl::context> tls = {}) try {
  const bool is_tls = tls.has_value(), is_v6 = host.find(':') != host.npos;
  port = server.listen(host, port, std::move(tls));
  return std::string("listening on ") + (is_tls ? "https://" : "http://") +
         (is_v6 ? '[' + host + ']' : host) + ':' + std::to_string(port);
} catch (const boost::system::system_error& error) {
  throw std::runtime_error("cannot listen on " + host + " port " + std::to_string(port) + ": " +
                           error.code().message());
}

// Listens on all hosts, and then prints where the server can be reached. Throws
// std::runtime_error.
void listen(Server& server, Options options) {
  std::string lines;
  for (const auto& host : options.hosts) lines += listen(server, host, options.port) + '\n';
  if (options.tls_port || options.bad_tls || !options.ca_file.empty()) {
    const Authority authority;
    if (!options.ca_file.empty() &&
        !(std::ofstream(options.ca_file) << authority.pem() << std::flush))
      throw std::runtime_error("cannot write the certificate to " + options.ca_file);
    for (const auto& host : options.hosts) {
      for (const Tls& bad : options.bad_tls ? tls_faults() : std::span<const Tls>()) {
        unsigned short port = 0;
        lines += listen(server, host, port, authority.context(bad)) + " (" +
                 std::string(bad.fault) + ")\n";
      }
      if (options.tls_port)
        lines += listen(server, host, *options.tls_port, authority.context({})) + '\n';
    }
  }
  if (std::fputs(lines.c_str(), stdout) < 0 || std::fflush(stdout) != 0)
    throw std::runtime_error("cannot say where it listens: stdout is closed");
}

// Stops `io` when standard input ends.
void watch(asio::posix::stream_descriptor& input, asio::io_context& io) {
  static char ignored[256];
  input.async_read_some(asio::buffer(ignored), [&](boost::system::error_code error, std::size_t) {
    error ? io.stop() : watch(input, io);
  });
}

}  // namespace

int main(int argc, char* argv[]) try {
  // If stdin or stdout is closed, no socket may take its place.
  for (int fd = 0; fd != -1 && fd <= STDERR_FILENO;) fd = open("/dev/null", O_RDONLY);
  const Options options = parse(argc, argv);
  std::signal(SIGPIPE, SIG_IGN);
  Server server(options.idle_timeout, options.pause);
  asio::io_context& io = server.io();
  asio::signal_set signals(io, SIGINT, SIGTERM);
  signals.async_wait([&](auto, auto) { io.stop(); });
  listen(server, options);

  asio::posix::stream_descriptor input(io);
  if (options.exit_with_stdin) {
    boost::system::error_code error;  // a file cannot be waited for; it has ended already
    input.assign(dup(STDIN_FILENO), error);
    if (error) return 0;
    watch(input, io);
  }
  io.run();
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "test-server: %s\n", error.what());
  return 2;
}
