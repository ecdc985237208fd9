// Given: how to get a page, and how to learn of Ctrl-C.

#pragma once

#include <string>

#include "deferred.hpp"
#include "page.hpp"
#include "reactor.hpp"

// Fires with the page at `url`, once it is there in full. Fails if the server does not answer. It
// does neither before it has returned. There is no deadline; cancelling it closes the connection.
Deferred<Page> get(Reactor& reactor, const std::string& url);

// Fires when the user presses Ctrl-C, which no longer ends the program.
Deferred<void> interrupted(Reactor& reactor);
