// The request always has the same few lines, so it is a string.

#pragma once

#include <string>

#include "url.hpp"

std::string make_request(const Url& url);
