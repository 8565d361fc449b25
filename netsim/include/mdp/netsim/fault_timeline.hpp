// What happens to nodes over time: partitions, pauses, clocks that step or run at a wrong rate,
// addresses that change, processes that end. Times are the network's. Integers only; allocates only
// when the network and its nodes are made. One owner, one thread.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace mdp::netsim {

enum class fault_kind : std::uint8_t {
  partition,   // nothing passes between these nodes and all others; what is under way arrives
  pause,       // the nodes do not run; what arrives waits for them
  clock_step,  // their clocks jump forward by step_ns
  clock_skew,  // their clocks gain skew_ppm
  rebind,      // their NAT gives them another port (RFC 4787)
  crash,       // their processes end, with all that they know; whoever opened them carries it out
  restart,     // the same, and at until_ns others begin in their place
};

struct node_fault {
  fault_kind kind = fault_kind::partition;
  std::int64_t at_ns = 0;
  std::int64_t until_ns = INT64_MAX;  // that: for good
  std::int64_t step_ns = 0;
  std::int64_t skew_ppm = 0;         // -100,000 .. 100,000
  std::vector<std::string> nodes{};  // nodes or groups of nodes
};

// Whether the fault befalls a node of this name, by itself or with its group.
[[nodiscard]] bool befalls(const node_fault& fault, const std::string& node);

inline constexpr std::size_t partitions_max = 64;

class fault_timeline {
 public:
  explicit fault_timeline(const std::vector<node_fault>& faults);

  // The next node, in order of their numbers.
  void add_node(const std::string& name, std::int64_t now);
  // When something begins or ends next; INT64_MAX: never.
  [[nodiscard]] std::int64_t next() const noexcept { return next_; }
  // Lets happen what is due at next(). `touched` gets the nodes that must look at their clocks,
  // `rebound` those whose NAT forgot them.
  void apply(std::vector<std::uint32_t>& touched, std::vector<std::uint32_t>& rebound);
  // Whether there is any fault in all the time.
  [[nodiscard]] bool any() const noexcept { return !moments_.empty(); }
  // Whether a packet from a reaches b. Only when any().
  [[nodiscard]] bool parted(std::uint32_t a, std::uint32_t b) const noexcept {
    return nodes_[a].sides != nodes_[b].sides;
  }
  // Not before this time the node runs; 0: at any. Only when any().
  [[nodiscard]] std::int64_t paused_until(std::uint32_t node) const noexcept {
    return nodes_[node].paused_until;
  }
  // What the node's clock shows, and when it will show `local`, if nothing happens to it. Neither
  // goes back. Only when any().
  [[nodiscard]] std::int64_t local_time(std::uint32_t node, std::int64_t now) const noexcept;
  [[nodiscard]] std::int64_t network_time(std::uint32_t node, std::int64_t local) const noexcept;

 private:
  struct moment {
    std::int64_t time = 0;
    std::uint32_t fault = 0;
    bool begins = true;
  };
  struct node_state {
    std::uint64_t sides = 0;  // a bit for each partition
    std::int64_t paused_until = 0;
    std::int64_t since = 0;  // the clock shows `shown` at this time, and gains `ppm` from then on
    std::int64_t shown = 0;
    std::int64_t ppm = 0;
  };
  void happen(const node_fault& fault, std::uint64_t bit, bool begins, node_state& node) const;
  void set_clock(node_state& node, std::int64_t now, std::int64_t ppm,
                 std::int64_t step_ns) const noexcept;
  void find_next() noexcept;

  std::vector<node_fault> faults_;
  std::vector<moment> moments_;  // by time, as written
  std::size_t done_ = 0;
  std::int64_t next_ = INT64_MAX;
  std::vector<std::vector<std::uint32_t>> members_;  // of each fault
  std::vector<node_state> nodes_;                    // empty when there is no fault
};

}  // namespace mdp::netsim
