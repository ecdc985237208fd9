// 04.3 Starvation: a computation must let the others have a turn from time to time.

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "green/green.hpp"

using namespace std::chrono_literals;

bool done = false;
int beats = 0;

// Should beat every 10 ms, as long as a green thread computes.
void heart() {
  for (; !done; ++beats) green::sleep_for(10ms);
}

bool is_prime(long number) {
  for (long divisor = 2; divisor * divisor <= number; ++divisor)
    if (number % divisor == 0) return false;
  return number > 1;
}

void count_primes(long below) {
  long count = 0;
  for (long number = 0; number < below; ++number) {
    if (number % 1000 == 0) green::yield();
    count += is_prime(number);
  }
  done = true;
  std::printf("%ld primes, %d beats\n", count, beats);
}

int main(int argc, char* argv[]) {
  green::spawn(heart);
  green::spawn(count_primes, argc > 1 ? std::atol(argv[1]) : 1'000'000);
  green::join_all();
}
