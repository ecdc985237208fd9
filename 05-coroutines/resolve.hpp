// Names to addresses, without ever blocking the loop.

#pragma once

#include "http/names.hpp"
#include "http_get.hpp"

// The endpoints of a host that is not known(). Throws std::runtime_error: "could not resolve host:
// ...".
awaitable<Endpoints> resolve(Url url);
