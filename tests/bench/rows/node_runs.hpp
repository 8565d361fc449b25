// What two or more messengers move over a transport plugin on loopback: the numerators of the
// table of rows. The threads, the cpus, the window and the meaning of a rate's fields are those of
// the raw programs (tests/bench/raw/raw_bench.hpp). A plugin that this machine cannot run, or a
// refusal of the system, is a note.
#pragma once
#include <string>

#include "tests/bench/raw/raw_bench.hpp"

namespace mdp::bench {

using raw_bench::options;
using raw_bench::rate;

struct messenger_kind {
  std::string plugin = "socket";
  bool reliable = true;             // false: the raw messenger, bare datagrams
  std::size_t packet_bytes = 1472;  // largest packet: 1472 is an MTU of 1500
  bool zero_copy = false;           // one_way(): by node::submit_zero_copy()
};

// A sender that is never out of messages, and a receiver; both spin.
[[nodiscard]] rate one_way(const messenger_kind& kind, const options& o);
// The same each way at once; per_second is the sum.
[[nodiscard]] rate both_ways(const messenger_kind& kind, const options& o);
// `senders` nodes take turns on one thread, each with at most 64 messages a turn; one receiver.
[[nodiscard]] rate many_to_one(const messenger_kind& kind, const options& o, std::size_t senders);
// options::outstanding requests under way, each answered by a message of the same size. With
// options::spin false both sides sleep when nothing has come.
[[nodiscard]] rate round_trips(const messenger_kind& kind, const options& o);

}  // namespace mdp::bench
