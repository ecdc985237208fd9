// Many clients of one server, each a green thread, on one OS thread. First all of them stand at a
// gate in the server, which opens once the server has seen them all: they wait at the same time, or
// for ever. Then each asks the server to sleep for 0.2 s.

#pragma once

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iterator>
#include <stdexcept>
#include <string>

#include "green/green.hpp"

inline int os_threads() {
  using Tasks = std::filesystem::directory_iterator;
  return static_cast<int>(std::distance(Tasks("/proc/self/task"), Tasks()));
}

// A Client is a connection of a blocking library. Its constructor connects, and all of it throws.
//   close_gate()  before the others come
//   pass_gate()   a query that is answered when the gate is open
//   at_gate()     how many stand there, as the server sees it
//   open_gate(n)  for n of them
//   sleep()       a query of 0.2 s
template <typename Client>
void crowd(const char* server, int count) {
  using Seconds = std::chrono::duration<double>;
  Client keeper(server);
  keeper.close_gate();
  std::exception_ptr error;
  const auto start = green::Clock::now();
  for (int i = 0; i < count; ++i)
    green::spawn([&] {
      try {
        Client client(server);
        client.pass_gate();
        client.sleep();
      } catch (...) {
        error = std::current_exception();
      }
    });
  while (!error && keeper.at_gate() < count) green::sleep_for(std::chrono::milliseconds(20));
  if (error) std::rethrow_exception(error);
  const auto opened = green::Clock::now();
  const int threads = os_threads();
  keeper.open_gate(count);
  green::join_all();  // all but this one
  if (error) std::rethrow_exception(error);
  const Seconds connecting = opened - start, sleeping = green::Clock::now() - opened;
  std::printf("%s: %d clients waited in the server at once, on %d OS thread%s.\n",
              Client::library().c_str(), count, threads, threads == 1 ? "" : "s");
  std::printf("To come so far took them %.2f s, and then %d queries of 0.2 s took %.2f s.\n",
              connecting.count(), count, sleeping.count());
  if (threads != 1) throw std::runtime_error("there is more than one OS thread");
}

// The whole program, but for the library: PROGRAM SERVER CLIENTS.
template <typename Client>
int run_crowd(int argc, char* argv[]) try {
  if (argc != 3) throw std::runtime_error("usage: PROGRAM SERVER CLIENTS");
  green::patch_all();
  green::join(green::spawn([&] { crowd<Client>(argv[1], std::atoi(argv[2])); }));
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  std::fflush(nullptr);
  std::_Exit(1);  // others may still wait
}
