// Linked into the answers to 02.6. There, eight threads win together if each looks before the first
// one sets. That moment is too short to be met by chance. If MOMENTS is a number, so many threads
// leave curl_easy_perform together, and each pauses behind a look. Otherwise nothing is changed.
// The linker puts these functions before the real ones (--wrap), but only for the learner's code.

#include <curl/curl.h>
#include <pthread.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

namespace {

const int together = [] {
  const char* const number = std::getenv("MOMENTS");
  return number ? std::atoi(number) : 0;
}();

int arrived = 0;
thread_local bool is_in_curl = false;  // libcurl's callbacks look, too, and set nothing

// ThreadSanitizer must see no order that the learner's code does not have by itself. It does not
// know of these built-in functions, but it knows condition variables.
void wait_for_the_others() {
  __atomic_add_fetch(&arrived, 1, __ATOMIC_SEQ_CST);
  for (int ms = 0; ms < 300 && __atomic_load_n(&arrived, __ATOMIC_SEQ_CST) % together != 0; ++ms)
    usleep(1000);
}

void pause_behind_a_look() {
  if (together > 0 && !is_in_curl) usleep(50'000);
}

}  // namespace

extern "C" {

CURLcode __real_curl_easy_perform(CURL* curl);
CURLcode __wrap_curl_easy_perform(CURL* curl) {
  is_in_curl = true;
  const CURLcode result = __real_curl_easy_perform(curl);
  is_in_curl = false;
  if (together > 0) wait_for_the_others();
  return result;
}

// A look under a lock ends here.
int __real_pthread_mutex_unlock(pthread_mutex_t* mutex);
int __wrap_pthread_mutex_unlock(pthread_mutex_t* mutex) {
  const int result = __real_pthread_mutex_unlock(mutex);
  pause_behind_a_look();
  return result;
}

// What an atomic's load() becomes. These are missing where there is no ThreadSanitizer.
#define LOAD(name, type)                                                  \
  [[gnu::weak]] type __real_##name(const volatile type* from, int order); \
  type __wrap_##name(const volatile type* from, int order) {              \
    const type value = __real_##name(from, order);                        \
    pause_behind_a_look();                                                \
    return value;                                                         \
  }
LOAD(__tsan_atomic8_load, std::uint8_t)
LOAD(__tsan_atomic16_load, std::uint16_t)
LOAD(__tsan_atomic32_load, std::uint32_t)
LOAD(__tsan_atomic64_load, std::uint64_t)

}  // extern "C"
