// Given to you: how to get a page.

#pragma once

#include <string>

#include "http_get.hpp"
#include "page.hpp"

// Returns the page at `url`, once it is there in full. Throws std::exception if the server does not
// answer. There is no deadline; it can be cancelled at each of its steps.
awaitable<Page> get(std::string url);
