// Boost.Asio's and Boost.Beast's own code, compiled once. The other files include declarations
// only, and so compile in a fraction of the time.

#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
