#include "reason.hpp"

#include <openssl/x509.h>

#include <boost/asio/ssl/error.hpp>
#include <boost/beast/http/error.hpp>

#include "tls.hpp"

namespace http = boost::beast::http;

std::string reason(const boost::system::error_code& error, const SSL* stream) {
  const long fault = stream ? SSL_get_verify_result(stream) : X509_V_OK;
  if (fault == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY && !store_fault().empty())
    return store_fault();
  if (fault != X509_V_OK)
    return std::string("certificate verify failed: ") + X509_verify_cert_error_string(fault);
  if (error == http::error::end_of_stream) return "the server closed without an answer";
  if (error == http::error::partial_message || error == boost::asio::ssl::error::stream_truncated)
    return "the server closed within its answer";
  return error.message();
}
