// TLS 1.2 or newer, to servers whose certificate is verified.

#pragma once

#include <openssl/ssl.h>

#include <boost/asio/ssl/context.hpp>

#include "url.hpp"

// Trusts the system's store, or what is in SSL_CERT_FILE instead. Both are read when the first
// https URL comes.
boost::asio::ssl::context& tls_context();

// Has the stream ask for the URL's host, and accept the certificate of no other. Throws
// std::runtime_error if that cannot be.
void expect_host(SSL* stream, const Url& url);
