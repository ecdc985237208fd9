// A module to load into a program before all others (LD_PRELOAD). It replaces name servers: names
// that end with .test, and localhost. with its dot, mean this machine. The look-up of slow.test
// takes longer than any program waits.

#include <dlfcn.h>
#include <netdb.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <string>

extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints,
                           addrinfo** list) {
  static const auto real =
      reinterpret_cast<decltype(&getaddrinfo)>(dlsym(RTLD_NEXT, "getaddrinfo"));
  if (!name || (hints && hints->ai_flags & AI_NUMERICHOST)) return real(name, service, hints, list);
  std::string host = name;
  std::transform(host.begin(), host.end(), host.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  if (host == "slow.test") sleep(60);
  const bool is_here = host == "localhost." || host.ends_with(".test") || host.ends_with(".test.");
  return real(is_here ? "127.0.0.1" : name, service, hints, list);
}
