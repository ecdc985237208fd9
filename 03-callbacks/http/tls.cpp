#include "tls.hpp"

#include <openssl/x509v3.h>

#include <cstdlib>
#include <stdexcept>

namespace ssl = boost::asio::ssl;

ssl::context& tls_context() {
  static ssl::context context = [] {
    ssl::context made(ssl::context::tls_client);
    SSL_CTX_set_min_proto_version(made.native_handle(), TLS1_2_VERSION);
    if (const char* file = std::getenv("SSL_CERT_FILE"))
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

void verify_host(X509_VERIFY_PARAM* check, const Url& url) {
  const std::string name = url.certified();
  X509_VERIFY_PARAM_set_hostflags(
      check, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const int set = url.has_name ? X509_VERIFY_PARAM_set1_host(check, name.data(), name.size())
                               : X509_VERIFY_PARAM_set1_ip_asc(check, name.c_str());
  if (set != 1) throw std::runtime_error("TLS cannot ask for this host");
}

void expect_host(SSL* stream, const Url& url) {
  verify_host(SSL_get0_param(stream), url);
  if (url.has_name && SSL_set_tlsext_host_name(stream, url.certified().c_str()) != 1)
    throw std::runtime_error("TLS cannot ask for this host");
}
