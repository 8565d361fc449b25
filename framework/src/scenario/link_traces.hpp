// Delivery traces of simulated links: from files into the scenario, which is whole by itself then.
#pragma once
#include "mdp/scenario/json_value.hpp"

namespace mdp::scenario {

// Replaces each link's `trace_file` by `deliveries_ms`. The file has a whole number of milliseconds
// a line, never falling (mahimahi); a relative path begins at the file that names it. Throws
// scenario_error: unreadable, no number, falling, too long; with the line.
void read_link_traces(json_value& document);

}  // namespace mdp::scenario
