// A module to load into a program before all others (LD_PRELOAD), in place of name servers: the
// names that end with .test are this machine, and to look up slow.test takes longer than anybody
// waits.

#include <dlfcn.h>
#include <netdb.h>
#include <unistd.h>

#include <string>

extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints,
                           addrinfo** list) {
  static const auto real =
      reinterpret_cast<decltype(&getaddrinfo)>(dlsym(RTLD_NEXT, "getaddrinfo"));
  std::string host = name ? name : "";
  if (host == "slow.test") sleep(60);
  if (host.ends_with('.')) host.pop_back();
  return real(host.ends_with(".test") ? "127.0.0.1" : name, service, hints, list);
}
