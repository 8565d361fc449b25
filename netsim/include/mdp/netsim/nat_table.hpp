// Nodes behind a NAT: others see a port that the NAT chose, and packets to it pass only while it is
// in use. Mapping and filtering are endpoint-independent, refreshed by what goes out (RFC 4787,
// REQ-1, REQ-6, REQ-8). A node's mappings are numbered from 0; mapping 0 has the node's own port,
// each later one the port above. One owner, one thread.
#pragma once
#include <cstdint>
#include <vector>

namespace mdp::netsim {

// A packet carries the number of a mapping in so many bits: enough unless a node is mapped anew
// three times while one packet is under way.
inline constexpr unsigned mapping_bits = 2;
inline constexpr std::uint32_t mapping_mask = (1u << mapping_bits) - 1;

class nat_table {
 public:
  // `present`: some node of this network is behind a NAT.
  explicit nat_table(bool present) : present_(present) {}

  [[nodiscard]] bool present() const noexcept { return present_; }
  // The next node, in order of their numbers; timeout_ns 0: a mapping lasts.
  void add_node(std::int64_t timeout_ns) {
    if (present_) nodes_.push_back({.timeout_ns = timeout_ns});
  }
  void rebind(std::uint32_t node) noexcept { ++nodes_[node].mapping; }
  // The node sends: the mapping that the packet leaves by.
  [[nodiscard]] std::uint32_t leave(std::uint32_t node, std::int64_t now) noexcept {
    entry& e = nodes_[node];
    if (expired(e, now)) ++e.mapping;
    e.used = now;
    return e.mapping;
  }
  // Whether a packet to this mapping passes.
  [[nodiscard]] bool passes(std::uint32_t node, std::uint32_t mapping,
                            std::int64_t now) const noexcept {
    const entry& e = nodes_[node];
    return low(e.mapping) == low(mapping) && !expired(e, now);
  }
  // The mapping now in use.
  [[nodiscard]] std::uint32_t current(std::uint32_t node) const noexcept {
    return nodes_[node].mapping;
  }
  // The newest mapping whose number ends in these bits.
  [[nodiscard]] std::uint32_t newest(std::uint32_t node, std::uint32_t bits) const noexcept {
    const std::uint32_t now = nodes_[node].mapping;
    return now - low(now - bits);
  }
  [[nodiscard]] static constexpr std::uint32_t low(std::uint32_t mapping) noexcept {
    return mapping & mapping_mask;
  }

 private:
  struct entry {
    std::int64_t timeout_ns = 0;
    std::int64_t used = 0;  // when a packet left last
    std::uint32_t mapping = 0;
  };
  [[nodiscard]] static bool expired(const entry& e, std::int64_t now) noexcept {
    return e.timeout_ns != 0 && now - e.used > e.timeout_ns;
  }

  bool present_;
  std::vector<entry> nodes_;
};

}  // namespace mdp::netsim
