// real-libraries LIBRARY [PROGRAM]: starts the server of a library, and 200 clients of it in one
// program, all on one OS thread. Ends with 77 where the server or the library is not here.

#include <chrono>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>

#include "process.hpp"
#include "servers.hpp"

int main(int argc, char* argv[]) try {
  if (argc < 2) throw std::runtime_error("usage: real-libraries LIBRARY [PROGRAM]");
  if (argc < 3)
    throw Missing(std::string(argv[1]) + " was not there when cmake looked; ./learn test all " +
                  "installs it");
  const Server server(argv[1]);
  std::printf("%s\n", server.version().c_str());
  const Result result =
      run({argv[2], server.address(), "200"}, {.time_limit = std::chrono::seconds(120)});
  std::printf("%s%s", result.out.c_str(), result.err.c_str());
  if (result.timed_out) std::printf("It hangs: %s does not cooperate.\n", argv[1]);
  if (result.status != 0) std::printf("The server said:\n%s", server.log().c_str());
  return result.status == 0 ? 0 : 1;
} catch (const Missing& what) {
  std::printf("SKIP: %s\n", what.what());
  return 77;
} catch (const std::exception& error) {
  std::printf("%s\n", error.what());
  return 1;
}
