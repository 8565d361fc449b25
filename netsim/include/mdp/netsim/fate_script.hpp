// Fates that were not drawn but written down: what becomes of single packets of a link. They repeat
// a failure without its generator, and change one event of a run to see what follows. Plain values;
// nothing allocates after the specification was read.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace mdp::netsim {

enum class scripted_action : std::uint8_t {
  pass,       // neither lost nor duplicated, damaged or held back
  drop,       // lost
  duplicate,  // goes twice
  damage,     // handed over damaged, as the link's corrupt_kind says
  hold,       // held back by hold_ns more
};

struct scripted_fate {
  std::uint64_t packet = 0;  // its number on the link, from 0
  scripted_action action = scripted_action::drop;
  std::int64_t hold_ns = 0;
};

// Of one link, ascending by packet; several for one packet add up in this order.
struct fate_script {
  bool only = false;  // nothing else is lost, duplicated, damaged or held back
  std::vector<scripted_fate> fates{};
};

}  // namespace mdp::netsim
