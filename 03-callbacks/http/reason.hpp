// The reason why there is no answer, in words for a person.

#pragma once

#include <openssl/ssl.h>

#include <boost/system/error_code.hpp>
#include <string>

// `stream` is the TLS stream that failed; null without TLS.
std::string reason(const boost::system::error_code& error, const SSL* stream = nullptr);
