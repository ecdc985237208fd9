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
    return made;
  }();
  return context;
}

void expect_host(SSL* stream, const Url& url) {
  const std::string name = url.certified();
  const bool accepted =
      url.has_name ? SSL_set_tlsext_host_name(stream, name.c_str()) == 1 &&
                         SSL_set1_host(stream, name.c_str()) == 1
                   : X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(stream), name.c_str()) == 1;
  if (!accepted) throw std::runtime_error("TLS cannot ask for this host");
}
