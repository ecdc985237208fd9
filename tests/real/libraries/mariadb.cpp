// MariaDB's and MySQL's libmariadb, unchanged. The server is its socket. The gate is a lock.

#include <mysql.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "crowd.hpp"

class Client {
 public:
  static std::string library() { return std::string("libmariadb ") + MARIADB_PACKAGE_VERSION; }
  explicit Client(const char* server) : connection_(mysql_init(nullptr)) {
    if (!connection_) throw std::runtime_error("no memory");
    if (!mysql_real_connect(connection_.get(), nullptr, "root", nullptr, nullptr, 0, server, 0))
      throw std::runtime_error(mysql_error(connection_.get()));
  }

  void close_gate() { query("select get_lock('gate', 0)"); }
  void pass_gate() {  // one after the other, but each only for a moment
    query("select get_lock('gate', 60)");
    query("select release_lock('gate')");
  }
  int at_gate() {
    return std::stoi(
        query("select count(*) from information_schema.processlist where state = 'User lock'"));
  }
  void open_gate(int) { query("select release_lock('gate')"); }
  void sleep() { query("select sleep(0.2)"); }

 private:
  std::string query(const char* sql) {
    if (mysql_query(connection_.get(), sql) != 0)
      throw std::runtime_error(mysql_error(connection_.get()));
    const std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)> result(
        mysql_store_result(connection_.get()), mysql_free_result);
    const MYSQL_ROW row = result ? mysql_fetch_row(result.get()) : nullptr;
    if (!row) throw std::runtime_error(mysql_error(connection_.get()));
    return row[0] ? row[0] : "";
  }

  struct Close {
    void operator()(MYSQL* connection) const { mysql_close(connection); }
  };
  std::unique_ptr<MYSQL, Close> connection_;
};

int main(int argc, char* argv[]) { return run_crowd<Client>(argc, argv); }
