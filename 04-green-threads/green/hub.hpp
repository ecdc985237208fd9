// What green.cpp and wait.cpp use of each other.

#pragma once

#include <boost/asio/io_context.hpp>

#include "green.hpp"

namespace green::detail {

boost::asio::io_context& loop();
// Makes the loop watch the fds that green threads wait for. Throws boost::system::system_error.
void watch_fds(boost::asio::io_context& loop);

bool is_owner();   // is this the green threads' OS thread?
Green* current();  // the green thread that runs now, or null
// Waits for wake() or the deadline. Returns whether it was wake().
bool suspend(TimePoint deadline);
void wake(Green& green);

}  // namespace green::detail
