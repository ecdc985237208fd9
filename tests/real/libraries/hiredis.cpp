// hiredis, a client of Redis, unchanged. The server is its socket. The gate is a list of tickets.

#include <hiredis/hiredis.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "crowd.hpp"

class Client {
 public:
  static std::string library() {
    return "hiredis " + std::to_string(HIREDIS_MAJOR) + "." + std::to_string(HIREDIS_MINOR) + "." +
           std::to_string(HIREDIS_PATCH);
  }
  explicit Client(const char* server) : connection_(redisConnectUnix(server)) {
    if (!connection_ || connection_->err) throw std::runtime_error(error());
  }

  void close_gate() {}  // there are no tickets
  void pass_gate() { command("BLPOP tickets 0"); }
  int at_gate() {
    const std::string label = "blocked_clients:", info = command("INFO clients");
    return std::stoi(info.substr(info.find(label) + label.size()));
  }
  void open_gate(int count) {
    for (int i = 0; i < count; ++i) command("LPUSH tickets one");
  }
  void sleep() { command("BLPOP nothing 0.2"); }

 private:
  std::string command(const char* text) {
    const std::unique_ptr<void, decltype(&freeReplyObject)> owner(
        redisCommand(connection_.get(), text), freeReplyObject);
    const auto reply = static_cast<redisReply*>(owner.get());
    if (!reply) throw std::runtime_error(error());
    const std::string words(reply->str ? reply->str : "", reply->len);
    if (reply->type == REDIS_REPLY_ERROR) throw std::runtime_error(words);
    return words;
  }
  const char* error() const { return connection_ ? connection_->errstr : "no memory"; }

  struct Free {
    void operator()(redisContext* connection) const { redisFree(connection); }
  };
  std::unique_ptr<redisContext, Free> connection_;
};

int main(int argc, char* argv[]) { return run_crowd<Client>(argc, argv); }
