// A GET as an awaitable: 03's agent without the callbacks. All of its state is in coroutine frames,
// which keep it alive exactly as long as necessary.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <string>

#include "http/response.hpp"

using Executor = boost::asio::io_context::executor_type;

// A coroutine on an io_context. Asio's default fits every kind of loop, but makes each fetch in
// flight a quarter bigger.
template <typename T>
using awaitable = boost::asio::awaitable<T, Executor>;

// GETs `url` (http or https), with at most 10 redirects and within 10 s in all.
// Throws std::exception with a reason for a person: "timed out after 10 s", "Connection refused".
awaitable<Response> http_get(std::string url);
