#include "servers.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <thread>
#include <utility>

namespace {

namespace fs = std::filesystem;
using Command = std::vector<std::string>;

constexpr uid_t nobody = 65534;

const fs::path unpacked = fs::path(BUILD_DIR) / "servers";

// A file of the servers: unpacked, or on this machine.
fs::path find(const fs::path& name) {
  for (const fs::path& root : {unpacked, fs::path("/")})
    if (fs::exists(root / name)) return root / name;
  throw Missing("/" + name.string() + " is not on this machine; ./learn test all brings it");
}

// The newest PostgreSQL's programs.
fs::path postgres_programs() {
  for (const fs::path& root : {unpacked, fs::path("/")}) {
    std::map<int, fs::path> versions;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(root / "usr/lib/postgresql", none))
      if (fs::exists(entry.path() / "bin/initdb"))
        versions[std::stoi(entry.path().filename())] = entry.path() / "bin";
    if (!versions.empty()) return versions.rbegin()->second;
  }
  throw Missing("PostgreSQL is not on this machine; ./learn test all brings it");
}

Command operator+(Command command, const Command& more) {
  command.insert(command.end(), more.begin(), more.end());
  return command;
}

// Makes root the user nobody. The first way needs no change of a file's owner, and reaches a build
// folder that only root may look into, but not all machines permit it.
const Command with_namespace{"unshare", "--user", "--map-user=65534", "--map-group=65534", "--"};
const Command with_setuid{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"};

bool namespaces() {
  static const bool permitted = run(with_namespace + Command{"true"}).status == 0;
  return permitted;
}

// The command as nobody, where this is root, with the libraries that were unpacked. The server gets
// the signal if this program ends before it.
Command as_somebody(int end_signal, const Command& command) {
  Command prefix;
  if (getuid() == 0) prefix = namespaces() ? with_namespace : with_setuid;
  prefix = prefix + Command{"setpriv", "--pdeathsig", sigabbrev_np(end_signal), "--"};
  std::string libraries;
  std::error_code none;
  for (const fs::path& lib : {unpacked / "usr/lib", unpacked / "lib"})
    for (const auto& entry : fs::directory_iterator(lib, none))
      if (entry.path().filename().string().ends_with("-linux-gnu"))
        libraries += (libraries.empty() ? "" : ":") + entry.path().string();
  if (!libraries.empty()) prefix = prefix + Command{"env", "LD_LIBRARY_PATH=" + libraries};
  return prefix + command;
}

// Runs a program that must work.
void must(const Command& command) {
  const Result result = run(as_somebody(SIGKILL, command));
  if (result.status != 0) throw std::runtime_error(command[0] + ": " + result.out + result.err);
}

// The first line in which a server says its version.
std::string version_of(const Command& command, const std::string& word) {
  const Result result = run(as_somebody(SIGKILL, command));
  std::istringstream all(result.out + result.err);
  for (std::string line; std::getline(all, line);)
    if (line.find(word) != std::string::npos) return line;
  throw Missing(command[0] + " does not run here: " + all.str());
}

std::string free_port() {
  const Descriptor fd(socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto name = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  if (bind(fd.get(), name, size) != 0 || getsockname(fd.get(), name, &size) != 0)
    throw std::runtime_error("no port");
  return std::to_string(ntohs(address.sin_port));
}

}  // namespace

Server::Server(const std::string& library) {
  const std::string remove = "rm -rf " + folder_.path().string();
  heir_.reset(popen(
      ("trap '' INT TERM HUP; cat >/dev/null; until " + remove + "; do sleep 0.1; done").c_str(),
      "we"));
  if (getuid() == 0 && !namespaces() && chown(folder_.path().c_str(), nobody, nobody) != 0)
    throw std::runtime_error("cannot give a folder to nobody");
  if (run(as_somebody(SIGKILL, {"test", "-x", BUILD_DIR})).status != 0)
    throw Missing(std::string("the user nobody, who runs the servers, cannot look into ") +
                  BUILD_DIR);
  const std::map<std::string, void (Server::*)()> servers{{"pq", &Server::postgres},
                                                          {"hiredis", &Server::redis},
                                                          {"mariadb", &Server::mariadb},
                                                          {"ssh2", &Server::sshd}};
  (this->*servers.at(library))();
}

Server::~Server() {
  if (!process_) return;
  process_->signal(end_signal_);
  process_->finish();
}

std::string Server::log() const {
  std::ifstream file(folder_.path() / "log");
  return {std::istreambuf_iterator<char>(file), {}};
}

// Whether the server said within 60 s that it is ready.
bool Server::starts(const Command& command, const std::string& ready, int end_signal) {
  const std::string log_file = folder_.path() / "log";
  const Descriptor out(open(log_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  bool ended = false;
  Process::Options options{.out = out.get(), .time_limit = std::chrono::seconds(250)};
  process_ = std::make_unique<Process>(
      Command{"sh", "-c", "exec \"$@\" 2>&1", "sh"} + as_somebody(end_signal, command), options);
  end_signal_ = end_signal;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (log().find(ready) == std::string::npos) {
    if (ended || std::chrono::steady_clock::now() > deadline) return false;
    ended = process_->has_ended();  // and then one more look at what it said
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

void Server::postgres() {
  const fs::path programs = postgres_programs();
  version_ = version_of({programs / "postgres", "--version"}, "PostgreSQL");
  const std::string data = folder_.path() / "data";
  must({programs / "initdb", "--pgdata=" + data, "--username=postgres", "--auth=trust",
        "--locale=C", "--encoding=UTF8", "--no-sync", "--no-instructions"});
  address_ = folder_.path();
  // At this signal it leaves nothing behind, not even a piece of shared memory.
  if (!starts({programs / "postgres", "-D", data, "-c", "listen_addresses=", "-k", address_, "-c",
               "max_connections=300", "-c", "fsync=off"},
              "ready to accept connections", SIGQUIT))
    throw std::runtime_error(log());
}

// The package redis-tools has the server, too: a program that looks at its own name.
void Server::redis() {
  const fs::path program = folder_.path() / "redis-server";
  fs::create_symlink(find("usr/bin/redis-check-rdb"), program);
  version_ = version_of({program, "--version"}, "v=");
  address_ = folder_.path() / "socket";
  if (!starts({program, "--port", "0", "--unixsocket", address_, "--dir", folder_.path(), "--save",
               "", "--maxclients", "300"},
              "eady to accept connections", SIGKILL))
    throw std::runtime_error(log());
}

// Without accounts it needs no tables of its own, so mariadb-install-db has nothing to do.
void Server::mariadb() {
  const fs::path program = find("usr/sbin/mariadbd"), base = program.parent_path().parent_path();
  version_ = version_of({program, "--no-defaults", "--version"}, "Ver");
  const fs::path data = folder_.path() / "data";
  must({"mkdir", data});
  address_ = folder_.path() / "socket";
  if (!starts({program, "--no-defaults", "--skip-grant-tables", "--skip-networking",
               "--basedir=" + base.string(), "--lc-messages-dir=" + (base / "share/mysql").string(),
               "--datadir=" + data.string(), "--socket=" + address_, "--max-connections=300",
               "--back-log=300", "--connect-timeout=100", "--innodb-log-file-size=4M"},
              "ready for connections", SIGKILL))
    throw std::runtime_error(log());
}

void Server::sshd() {
  const fs::path program = find("usr/sbin/sshd"), keygen = find("usr/bin/ssh-keygen");
  version_ = version_of({program, "-V"}, "OpenSSH");
  address_ = folder_.path();
  for (const char* key : {"host_key", "key"})
    must({keygen, "-q", "-t", "ecdsa", "-m", "PEM", "-N", "", "-f", folder_.path() / key});
  const auto config = [&](const std::string& port) {
    std::string lines = "ListenAddress 127.0.0.1\nPort " + port + "\nHostKey " + address_ +
                        "/host_key\nAuthorizedKeysFile " + address_ +
                        "/key.pub\nStrictModes no\nUsePAM no\nPidFile none\nMaxStartups 300\n";
    // Newer versions are three programs.
    for (const auto& [option, name] :
         {std::pair{"SshdSessionPath ", "usr/lib/openssh/sshd-session"},
          {"SshdAuthPath ", "usr/lib/openssh/sshd-auth"}})
      if (fs::exists(program.parent_path().parent_path().parent_path() / name))
        lines += option + find(name).string() + "\n";
    return lines;
  };
  for (int attempt = 0; attempt < 10; ++attempt) {
    const std::string port = free_port();  // sshd cannot choose one; another program may take it
    folder_.write("port", port);
    folder_.write("config", config(port));
    if (starts({"env", std::string("LD_PRELOAD=") + SOMEBODY, program, "-D", "-e", "-f",
                folder_.path() / "config"},
               "Server listening", SIGKILL))
      return;
    if (log().find("Address already in use") == std::string::npos) break;
  }
  throw std::runtime_error(log());
}
