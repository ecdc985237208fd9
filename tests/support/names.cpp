// A module to load into a program before all others (LD_PRELOAD). It replaces name servers: names
// that end with .test, and localhost. with its dot, mean this machine. The look-up of slow.test
// takes longer than any program waits. A name tells its addresses if it has several:
// 127-0-0-2x45.v6.test means 127.0.0.2, 45 times, and then ::1. No allocation is needed for that.

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <strings.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace {

using Function = decltype(&getaddrinfo);

bool has_end(const char* name, const char* end) {
  const auto size = std::strlen(name), its_size = std::strlen(end);
  return size >= its_size && strcasecmp(name + size - its_size, end) == 0;
}

// The address that a label means, and how often; none if it means none.
int address_of(const char* label, std::size_t size, char* address) {
  if (size >= INET_ADDRSTRLEN + 4) return 0;
  std::replace_copy(label, label + size, address, '-', '.');
  address[size] = '\0';
  if (std::strcmp(address, "v6") == 0) return std::strcpy(address, "::1"), 1;
  char* const times = std::strchr(address, 'x');
  if (times) *times = '\0';
  in_addr unused;
  return inet_pton(AF_INET, address, &unused) != 1 ? 0 : times ? std::atoi(times + 1) : 1;
}

// The addresses of all labels, as one list; empty if none means one.
int all_of(Function real, const char* name, const char* service, addrinfo hints, addrinfo** list) {
  hints.ai_flags &= ~AI_ADDRCONFIG;  // it does not count the loopback
  *list = nullptr;
  for (addrinfo** end = list; *name; name += std::strspn(name, ".")) {
    char address[INET_ADDRSTRLEN + 4];
    const std::size_t size = std::strcspn(name, ".");
    for (int times = address_of(name, size, address); times > 0; --times) {
      const int error = real(address, service, &hints, end);
      if (error == EAI_ADDRFAMILY) continue;  // a family that was not asked for
      if (error) {
        *end = nullptr;
        if (*list) freeaddrinfo(*list);
        return error;
      }
      while (*end) end = &(*end)->ai_next;
    }
    name += size;
  }
  return 0;
}

}  // namespace

extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints,
                           addrinfo** list) {
  static const auto real = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "getaddrinfo"));
  if (!name || (hints && hints->ai_flags & AI_NUMERICHOST)) return real(name, service, hints, list);
  if (strcasecmp(name, "slow.test") == 0) sleep(60);
  const bool is_here =
      strcasecmp(name, "localhost.") == 0 || has_end(name, ".test") || has_end(name, ".test.");
  if (is_here) {
    const int error = all_of(real, name, service, hints ? *hints : addrinfo{}, list);
    if (error || *list) return error;
  }
  return real(is_here ? "127.0.0.1" : name, service, hints, list);
}
