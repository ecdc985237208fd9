// PostgreSQL's libpq, unchanged. The server is the folder of its socket. The gate is a lock.

#include <libpq-fe.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "crowd.hpp"

class Client {
 public:
  static std::string library() {
    const int version = PQlibVersion();
    return "libpq " + std::to_string(version / 10'000) + "." + std::to_string(version % 10'000);
  }
  explicit Client(const std::string& server)
      : connection_(PQconnectdb(("host=" + server + " user=postgres dbname=postgres").c_str())) {
    if (PQstatus(connection_.get()) != CONNECTION_OK)
      throw std::runtime_error(PQerrorMessage(connection_.get()));
  }

  void close_gate() { query("select pg_advisory_lock(1)"); }
  void pass_gate() { query("select pg_advisory_lock_shared(1)"); }
  int at_gate() {
    return std::stoi(query("select count(*) from pg_stat_activity where wait_event = 'advisory'"));
  }
  void open_gate(int) { query("select pg_advisory_unlock(1)"); }
  void sleep() { query("select pg_sleep(0.2)"); }

 private:
  std::string query(const char* sql) {
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(connection_.get(), sql),
                                                               PQclear);
    if (PQresultStatus(result.get()) != PGRES_TUPLES_OK)
      throw std::runtime_error(PQerrorMessage(connection_.get()));
    return PQgetvalue(result.get(), 0, 0);
  }

  struct Finish {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };
  std::unique_ptr<PGconn, Finish> connection_;
};

int main(int argc, char* argv[]) { return run_crowd<Client>(argc, argv); }
