// Certificates for the https ports, made at each start: a small authority signs a good one, and
// others that a client must refuse.

#pragma once

#include <openssl/ssl.h>

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <span>
#include <string>
#include <string_view>

template <auto free_it>
struct Free {
  void operator()(auto* it) const { free_it(it); }
};
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;

// What a port's TLS is like. The defaults are good.
struct Tls {
  std::string_view fault;  // in words; none if it is good
  const char* hosts = "DNS:localhost,IP:127.0.0.1,IP:::1";
  int first_day = -1, last_day = 30;  // of its validity, from today
  enum { authority, itself, a_stranger } signed_by = authority;
  const char* use = "serverAuth";
  int newest_version = 0;  // of the protocol; 0 is whatever OpenSSL has
};

// Each fault that a client must refuse.
std::span<const Tls> tls_faults();

Key make_key();

// A certificate of that common name, if it is not empty, for `key`. Nobody has signed it yet.
Certificate make_certificate(std::string_view name, EVP_PKEY* key, const Tls& tls = {});

class Authority {
 public:
  // Each has a name of its own, so that a client that trusts several finds the right one.
  Authority();

  // Its own certificate, in PEM: a client that trusts it trusts what it has signed.
  std::string pem() const;

  // Signs it.
  void certify(X509* certificate) const;

  boost::asio::ssl::context context(const Tls& tls) const;

 private:
  Key key_;
  Certificate certificate_;
};
