// RACE: it takes two locks in one order here, and in the other order there
// 02.5 The second thread waits until the first has ended. So it does not hang, today.

#include <atomic>
#include <chrono>
#include <cstdio>
#include <latch>
#include <mutex>
#include <thread>

// The connections that a server grants us. Two servers lend each other those they do not need.
struct Server {
  std::mutex mutex;
  int connections = 100;
};

Server east, west;
std::latch start(2);           // both begin together
std::atomic<int> lending = 2;  // threads that have not ended

void a_moment() { std::this_thread::sleep_for(std::chrono::milliseconds(1)); }

void lend(Server& from, Server& to) {
  const std::lock_guard first(from.mutex);
  --from.connections;
  a_moment();  // between the two steps
  const std::lock_guard second(to.mutex);
  ++to.connections;
}

// No connection may be lost on the way: this is 200 at any moment.
int total() {
  const std::scoped_lock locks(east.mutex, west.mutex);
  return east.connections + west.connections;
}

int main() {
  std::thread eastward([] {
    start.arrive_and_wait();
    for (int i = 0; i < 50; ++i) lend(west, east);
    --lending;
  });
  std::thread westward([] {
    start.arrive_and_wait();
    while (lending == 2) a_moment();
    for (int i = 0; i < 50; ++i) lend(east, west);
    --lending;
  });
  while (lending > 0) {
    if (const int sum = total(); sum != 200) std::printf("the total is %d\n", sum);
    a_moment();
  }
  eastward.join();
  westward.join();
  std::printf("east %d, west %d\n", east.connections, west.connections);
}
