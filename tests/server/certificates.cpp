#include "certificates.hpp"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <stdexcept>

namespace ssl = boost::asio::ssl;

namespace {

// Passes a result of OpenSSL's on, unless it is one of failure.
template <typename Result>
Result checked(Result result) {
  if (result) return result;
  throw std::runtime_error(std::string("OpenSSL: ") + ERR_reason_error_string(ERR_get_error()));
}

std::uint64_t random_number() {
  std::uint64_t number = 0;
  checked(RAND_bytes(reinterpret_cast<unsigned char*>(&number), sizeof number) == 1);
  return number >> 1;
}

void extend(X509* certificate, int kind, const char* value) {
  const std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION_free>> extension(
      checked(X509V3_EXT_conf_nid(nullptr, nullptr, kind, value)));
  checked(X509_add_ext(certificate, extension.get(), -1));
}

void sign(X509* certificate, X509* issuer, EVP_PKEY* key) {
  checked(X509_set_issuer_name(certificate, X509_get_subject_name(issuer)));
  checked(X509_sign(certificate, key, EVP_sha256()));
}

}  // namespace

Key make_key() { return Key(checked(EVP_EC_gen("P-256"))); }

Certificate make_certificate(std::string_view name, EVP_PKEY* key, const Tls& tls) {
  constexpr long a_day = 24 * 60 * 60;
  Certificate made(checked(X509_new()));
  checked(ASN1_INTEGER_set_uint64(X509_get_serialNumber(made.get()), random_number()));
  checked(X509_set_version(made.get(), X509_VERSION_3));
  checked(X509_gmtime_adj(X509_getm_notBefore(made.get()), tls.first_day * a_day));
  checked(X509_gmtime_adj(X509_getm_notAfter(made.get()), tls.last_day * a_day));
  checked(X509_set_pubkey(made.get(), key));
  if (!name.empty())
    checked(X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_UTF8,
                                       reinterpret_cast<const unsigned char*>(name.data()),
                                       int(name.size()), -1, 0));
  return made;
}

std::span<const Tls> tls_faults() {
  static constexpr Tls all[] = {
      {.fault = "expired", .first_day = -30, .last_day = -1},
      {.fault = "not valid yet", .first_day = 1},
      {.fault = "wrong host", .hosts = "DNS:example.com,IP:127.9.9.9"},
      {.fault = "self-signed", .signed_by = Tls::itself},
      {.fault = "unknown authority", .signed_by = Tls::a_stranger},
      {.fault = "not for servers", .use = "clientAuth"},
      {.fault = "TLS 1.1", .newest_version = TLS1_1_VERSION},
  };
  return all;
}

Authority::Authority() : key_(make_key()) {
  const std::string name = "Authority " + std::to_string(random_number());
  certificate_ = make_certificate(name, key_.get());
  extend(certificate_.get(), NID_basic_constraints, "critical,CA:TRUE");
  extend(certificate_.get(), NID_key_usage, "critical,keyCertSign");
  sign(certificate_.get(), certificate_.get(), key_.get());
}

std::string Authority::pem() const {
  const std::unique_ptr<BIO, Free<BIO_free_all>> text(checked(BIO_new(BIO_s_mem())));
  checked(PEM_write_bio_X509(text.get(), certificate_.get()));
  const char* start = nullptr;
  const long size = BIO_get_mem_data(text.get(), &start);
  return std::string(start, std::size_t(size));
}

void Authority::certify(X509* certificate) const {
  sign(certificate, certificate_.get(), key_.get());
}

ssl::context Authority::context(const Tls& tls) const {
  const Key key = make_key();
  const Certificate certificate = make_certificate("localhost", key.get(), tls);
  extend(certificate.get(), NID_subject_alt_name, tls.hosts);
  extend(certificate.get(), NID_ext_key_usage, tls.use);
  if (tls.signed_by == Tls::authority) {
    certify(certificate.get());
  } else {
    const Authority stranger;
    X509* const issuer = (tls.signed_by == Tls::itself ? certificate : stranger.certificate_).get();
    sign(certificate.get(), issuer, (tls.signed_by == Tls::itself ? key : stranger.key_).get());
  }

  ssl::context context(ssl::context::tls_server);
  SSL_CTX* const handle = context.native_handle();
  checked(SSL_CTX_use_certificate(handle, certificate.get()));
  checked(SSL_CTX_use_PrivateKey(handle, key.get()));
  if (tls.newest_version != 0) {
    checked(SSL_CTX_set_min_proto_version(handle, tls.newest_version));
    checked(SSL_CTX_set_max_proto_version(handle, tls.newest_version));
    checked(SSL_CTX_set_cipher_list(handle, "DEFAULT@SECLEVEL=0"));  // its hashes are too weak
  }
  return context;
}
