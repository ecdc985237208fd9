#include "tls.hpp"

#include <fcntl.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <new>
#include <stdexcept>
#include <system_error>

namespace ssl = boost::asio::ssl;

std::string store_fault() {
  const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return "cannot read the trusted certificates: " + std::generic_category().message(errno);
  close(fd);
  return "";
}

ssl::context& tls_context() {
  static ssl::context context = [] {
    SSL_CTX* const tls = SSL_CTX_new(TLS_client_method());
    if (!tls) throw std::bad_alloc();
    ssl::context made(tls);
    SSL_CTX_set_min_proto_version(made.native_handle(), TLS1_2_VERSION);
    if (const std::string fault = store_fault(); !fault.empty()) throw std::runtime_error(fault);
    const char* const file = std::getenv("SSL_CERT_FILE");
    if (file && !std::filesystem::is_regular_file(file))  // to read a pipe has no deadline
      throw std::runtime_error("SSL_CERT_FILE is not a regular file");
    if (file)
      made.load_verify_file(file);
    else
      made.set_default_verify_paths();
    made.set_verify_mode(ssl::verify_peer);
    // A server may ask for a client certificate later, and go on without one.
    SSL_CTX_set_post_handshake_auth(made.native_handle(), 1);
    return made;
  }();
  return context;
}

SSL* new_tls() {
  SSL* const tls = SSL_new(tls_context().native_handle());
  return tls ? tls : throw std::bad_alloc();
}

void verify_host(X509_VERIFY_PARAM* check, const Url& url) {
  const std::string name = url.certified();
  X509_VERIFY_PARAM_set_hostflags(
      check, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const int set = url.has_name ? X509_VERIFY_PARAM_set1_host(check, name.data(), name.size())
                               : X509_VERIFY_PARAM_set1_ip_asc(check, name.c_str());
  if (set != 1) throw std::runtime_error("TLS cannot ask for this host");
}

void expect_host(SSL* stream, const Url& url) {
  if (!SSL_get_rbio(stream)) throw std::bad_alloc();  // Asio has not noticed
  verify_host(SSL_get0_param(stream), url);
  if (url.has_name && SSL_set_tlsext_host_name(stream, url.certified().c_str()) != 1)
    throw std::runtime_error("TLS cannot ask for this host");
}
