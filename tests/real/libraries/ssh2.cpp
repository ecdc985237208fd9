// libssh2, unchanged. The server is its folder, with the files `port` and `key`. The gate is a lock
// of a file, for which commands on the server wait.

#include <arpa/inet.h>
#include <fcntl.h>
#include <libssh2.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>

#include "crowd.hpp"

class Client {
 public:
  static std::string library() { return std::string("libssh2 ") + LIBSSH2_VERSION; }
  explicit Client(const std::string& server) : folder_(server) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    in_port_t port = 0;
    std::ifstream(folder_ + "/port") >> port;
    address.sin_port = htons(port);
    if (connect(socket_.fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      throw std::runtime_error("no connection to sshd");
    check(session_ ? libssh2_session_handshake(session_.get(), socket_.fd) : -1);
    const std::string key = folder_ + "/key", public_key = key + ".pub";
    check(libssh2_userauth_publickey_fromfile(session_.get(), "somebody", public_key.c_str(),
                                              key.c_str(), ""));
  }

  void close_gate() {
    run(": >" + folder_ + "/gate; : >" + folder_ + "/waiting");
    gate_.fd = open((folder_ + "/gate").c_str(), O_RDONLY | O_CLOEXEC);
    if (flock(gate_.fd, LOCK_EX | LOCK_NB) != 0) throw std::runtime_error("no lock");
  }
  void pass_gate() {
    run("echo >>" + folder_ + "/waiting; exec flock --shared " + folder_ + "/gate true");
  }
  int at_gate() { return std::stoi(run("wc -l <" + folder_ + "/waiting")); }
  void open_gate(int) { flock(gate_.fd, LOCK_UN); }
  void sleep() { run("exec sleep 0.2"); }

 private:
  // What the command printed on the server.
  std::string run(const std::string& command) {
    const std::unique_ptr<LIBSSH2_CHANNEL, decltype(&libssh2_channel_free)> channel(
        libssh2_channel_open_session(session_.get()), libssh2_channel_free);
    check(channel ? libssh2_channel_exec(channel.get(), command.c_str()) : -1);
    std::string out;
    char buffer[256];
    for (ssize_t size; (size = libssh2_channel_read(channel.get(), buffer, sizeof buffer)) != 0;) {
      check(static_cast<int>(size));
      out.append(buffer, size);
    }
    check(libssh2_channel_close(channel.get()));
    check(libssh2_channel_wait_closed(channel.get()));
    if (libssh2_channel_get_exit_status(channel.get()) != 0)
      throw std::runtime_error("failed on the server: " + command);
    return out;
  }

  void check(int result) const {
    if (result >= 0) return;
    char* message = nullptr;
    if (session_) libssh2_session_last_error(session_.get(), &message, nullptr, 0);
    throw std::runtime_error(message ? message : "no memory");
  }

  struct Fd {
    int fd = -1;
    ~Fd() {
      if (fd >= 0) close(fd);
    }
  };
  struct Free {
    void operator()(LIBSSH2_SESSION* session) const {
      libssh2_session_disconnect(session, "bye");
      libssh2_session_free(session);
    }
  };
  std::string folder_;
  Fd gate_, socket_{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  std::unique_ptr<LIBSSH2_SESSION, Free> session_{libssh2_session_init()};
};

int main(int argc, char* argv[]) {
  if (libssh2_init(0) != 0) return 1;
  return run_crowd<Client>(argc, argv);
}
