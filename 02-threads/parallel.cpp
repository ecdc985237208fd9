// Concurrency is not parallelism: the same two jobs, `tasks` times each, one after the other on one
// thread, and then with a thread each. Waits overlap on any machine, work only on several cores.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <thread>
#include <vector>

using Seconds = std::chrono::duration<double>;

// #region jobs
// Keeps a core busy: the Collatz steps of every number below `limit`. Returns their sum.
std::uint64_t work(std::uint64_t limit) {
  std::uint64_t steps = 0;
  for (std::uint64_t start = 1; start < limit; ++start)
    for (auto n = start; n != 1; ++steps) n = n % 2 == 0 ? n / 2 : 3 * n + 1;
  return steps;
}

// Uses no core, like a fetch that waits for its answer.
void wait(Seconds time) { std::this_thread::sleep_for(time); }
// #endregion jobs

// #region measure
// Seconds that `tasks` calls of `job` take, one after the other or on a thread each.
template <typename Job>
Seconds in_turn(unsigned tasks, Job job) {
  const auto start = std::chrono::steady_clock::now();
  for (unsigned i = 0; i < tasks; ++i) job();
  return std::chrono::steady_clock::now() - start;
}

template <typename Job>
Seconds on_threads(unsigned tasks, Job job) {
  return in_turn(1, [&] {
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < tasks; ++i) threads.emplace_back(job);
  });
}
// #endregion measure

template <typename Job>
void row(const char* name, unsigned tasks, Job job) {
  const Seconds one = in_turn(tasks, job), many = on_threads(tasks, job);
  std::printf("%-8s%14.2f s%14.2f s%13.1f x\n", name, one.count(), many.count(), one / many);
}

int main() try {
  const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
  const unsigned tasks = std::max(4u, cores);
  std::printf("%u tasks, %u core%s\n\n", tasks, cores, cores == 1 ? "" : "s");
  std::printf("%-8s%16s%16s%15s\n", "", "one thread", "a thread each", "faster");
  std::atomic<std::uint64_t> sink = 0;  // so that the work is not optimised away
  row("wait", tasks, [] { wait(Seconds(0.25)); });
  row("work", tasks, [&] { sink = work(600'000); });
} catch (const std::exception& error) {  // no more threads to be had
  std::fprintf(stderr, "parallel: %s\n", error.what());
  return 1;
}
