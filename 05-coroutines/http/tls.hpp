// TLS 1.2 or newer, to servers whose certificate is verified.

#pragma once

#include <openssl/ssl.h>

#include <boost/asio/ssl/context.hpp>
#include <string>

#include "url.hpp"

// Trusts the system's store, or SSL_CERT_FILE instead. They are read at the first https URL.
boost::asio::ssl::context& tls_context();

// Why OpenSSL cannot read the store, if there is no file descriptor for that; otherwise empty.
// OpenSSL itself would only say that it does not know who issued a certificate.
std::string store_fault();

// Returns what an ssl::stream needs, and owns then. Asio would go on with a null pointer if there
// is no memory for it; this throws std::bad_alloc.
SSL* new_tls();

// Makes a handshake accept only a certificate of the URL's host. It is as strict as RFC 9525: no
// common name, an address only as an address, `*` only for the whole first label.
// Throws std::runtime_error if that is impossible.
void verify_host(X509_VERIFY_PARAM* check, const Url& url);

// The same for a stream, which also tells the server the host's name.
void expect_host(SSL* stream, const Url& url);
