// On which threads a node does its work. The code is the same in every layout; what differs is who
// runs it. docs/threads.md says what to choose when, with figures.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mdp/base/result.hpp"

namespace mdp {

enum class thread_layout : std::uint8_t {
  inline_,   // protocol and I/O inside poll(), on the caller's thread
  single,    // both on one thread of the node's own
  pair,      // one that receives; one for the protocol, which also sends
  pipeline,  // one that receives, one for the protocol, one that sends
  sharded,   // several as of `single`: each owns a share of the peers and a socket of its own
};

// What a thread of a node does when it has nothing to do.
enum class idle_strategy : std::uint8_t {
  park,   // sleeps in the transport until something comes (after node_options::spin)
  yield,  // looks again after giving way to other threads: a core's time, less of its heat
  spin,   // looks again at once: lowest latency, one core each
};

inline constexpr unsigned shards_max = 64;

struct thread_plan {
  thread_layout layout = thread_layout::inline_;
  unsigned shards = 1;  // `sharded` only: 1 .. shards_max
  idle_strategy idle = idle_strategy::park;
  // Where the node's threads run, one after the other, from the front again when there are more of
  // them; empty: anywhere. Order: protocol, receiver, sender; `sharded`: the shards. `inline` has
  // no threads.
  std::vector<int> cpus;

  friend bool operator==(const thread_plan&, const thread_plan&) = default;
};

// "inline", "single", "pair", "pipeline", "sharded:4"; the rest of the plan has its defaults. The
// error is one sentence fit for a user.
[[nodiscard]] result<thread_plan, std::string> parse_thread_plan(std::string_view text);
// As parse_thread_plan() takes it: the layout alone.
[[nodiscard]] std::string to_string(const thread_plan& plan);

// "park", "yield", "spin".
[[nodiscard]] result<idle_strategy, std::string> parse_idle_strategy(std::string_view text);
[[nodiscard]] const char* to_string(idle_strategy s) noexcept;

}  // namespace mdp
