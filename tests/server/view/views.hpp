// The routes that show what the server has seen. The query of a picture selects the runs:
// ?run=3, ?runs=3,4,5 or ?runs=all; without it, the last run of each User-Agent.

#pragma once

#include "exchange.hpp"
#include "routes.hpp"

namespace views {

// The page for people, page.html.
awaitable<void> page(Site& its, Exchange& exchange);

awaitable<void> timeline_svg(Site& its, Exchange& exchange);
awaitable<void> timeline_txt(Site& its, Exchange& exchange);
awaitable<void> trace_json(Site& its, Exchange& exchange);

}  // namespace views
