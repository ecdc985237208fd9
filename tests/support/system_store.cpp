// A module to load into a program before all others (LD_PRELOAD). It makes OpenSSL find the file in
// SYSTEM_CERTIFICATE, whatever it looks for in the machine's folder of trusted certificates.

#include <dlfcn.h>
#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

// Such as /etc/ssl/certs/0a1b2c3d.0, or the file with all of them, where libcurl reads only that.
const char* in_store(const char* path) {
  const std::string_view all(path);
  const bool is_certificate = all.find("/certs/") != all.npos &&
                              (all.ends_with(".0") || all.ends_with("/ca-certificates.crt"));
  return is_certificate ? std::getenv("SYSTEM_CERTIFICATE") : path;
}

template <typename Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

int stat(const char* path, struct stat* result) noexcept {
  return next<int(const char*, struct stat*)>("stat")(in_store(path), result);
}

int lstat(const char* path, struct stat* result) noexcept {  // OpenSSL 3.5 asks this first
  return next<int(const char*, struct stat*)>("lstat")(in_store(path), result);
}

FILE* fopen(const char* path, const char* mode) {
  return next<FILE*(const char*, const char*)>("fopen")(in_store(path), mode);
}

FILE* fopen64(const char* path, const char* mode) { return fopen(path, mode); }

}  // extern "C"
