// TLS 1.2 or newer, to servers whose certificate is verified.

#pragma once

#include <openssl/ssl.h>

#include <boost/asio/ssl/context.hpp>

#include "url.hpp"

// Trusts the system's store, or what is in SSL_CERT_FILE instead. Both are read when the first
// https URL comes.
boost::asio::ssl::context& tls_context();

// Has a handshake accept the certificate of the URL's host, and of no other. It is strict, as RFC
// 9525 is: no common name, an address only as an address, `*` for the whole of the first label.
// Throws std::runtime_error if that cannot be.
void verify_host(X509_VERIFY_PARAM* check, const Url& url);

// The same for a stream, which also tells the server the host's name.
void expect_host(SSL* stream, const Url& url);
