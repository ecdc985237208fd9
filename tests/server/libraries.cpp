// Asio's and Beast's own code, compiled once, so that the other files compile in a fraction of the
// time.

#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
