// The request is always the same few lines, and so a string.

#pragma once

#include <string>

#include "url.hpp"

std::string make_request(const Url& url);
