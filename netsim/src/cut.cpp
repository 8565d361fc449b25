#include "mdp/netsim/cut.hpp"

#include <algorithm>
#include <numeric>

#include "mdp/netsim/link_models.hpp"

namespace mdp::netsim {
namespace {

// Routers that stay together.
class clusters {
 public:
  explicit clusters(std::size_t routers) : parent_(routers), size_(routers, 1) {
    std::iota(parent_.begin(), parent_.end(), 0u);
  }
  [[nodiscard]] std::uint32_t of(std::uint32_t router) noexcept {
    while (parent_[router] != router) router = parent_[router] = parent_[parent_[router]];
    return router;
  }
  // Unless the two together are too many.
  void join(std::uint32_t a, std::uint32_t b, std::uint32_t routers_max) noexcept {
    a = of(a);
    b = of(b);
    if (a == b || size_[a] + size_[b] > routers_max) return;
    if (b < a) std::swap(a, b);
    parent_[b] = a;
    size_[a] += size_[b];
  }
  [[nodiscard]] std::uint32_t size(std::uint32_t cluster) const noexcept { return size_[cluster]; }

 private:
  std::vector<std::uint32_t> parent_;
  std::vector<std::uint32_t> size_;
};

std::int64_t least_delay_ns(const trunk_spec& trunk) {
  return std::min(least_delay_ns(trunk.forth), least_delay_ns(trunk.back));
}

// The shortest trunks first; of equals the last named, which in a tree is the farthest from its
// root: a router takes its leaves before its parent takes it.
std::vector<std::uint32_t> by_delay(const topology_spec& topology) {
  std::vector<std::uint32_t> trunks(topology.trunks.size());
  std::iota(trunks.rbegin(), trunks.rend(), 0u);
  std::stable_sort(trunks.begin(), trunks.end(), [&](std::uint32_t a, std::uint32_t b) {
    return least_delay_ns(topology.trunks[a]) < least_delay_ns(topology.trunks[b]);
  });
  return trunks;
}

}  // namespace

std::int64_t least_delay_ns(const link_spec& link) {
  std::int64_t delay = link.delay_ns;
  std::int64_t jitter = link.jitter_ns;
  if (link.models != nullptr) {
    if (link.models->queue.kind >= discipline::codel || link.models->early.possible()) return 0;
    for (const link_change& c : link.models->changes) {
      if (c.delay_ns) delay = std::min(delay, *c.delay_ns);
      if (c.jitter_ns) jitter = std::max(jitter, *c.jitter_ns);
    }
  }
  return std::max<std::int64_t>(0,
                                delay + std::min<std::int64_t>(0, sample(link.shape, 0, jitter)));
}

std::vector<std::uint32_t> cut_at_trunks(const topology_spec& topology, std::uint32_t partitions) {
  const auto routers = static_cast<std::uint32_t>(topology.routers.size());
  clusters joined(routers);
  const std::uint32_t share = (routers + partitions - 1) / partitions;
  for (const std::uint32_t t : by_delay(topology)) {
    const trunk_spec& trunk = topology.trunks[t];
    joined.join(trunk.from, trunk.to, least_delay_ns(trunk) == 0 ? routers : share);
  }
  // The biggest first, each into the emptiest partition.
  std::vector<std::uint32_t> heads;
  for (std::uint32_t r = 0; r < routers; ++r) {
    if (joined.of(r) == r) heads.push_back(r);
  }
  std::stable_sort(heads.begin(), heads.end(), [&](std::uint32_t a, std::uint32_t b) {
    return joined.size(a) > joined.size(b);
  });
  std::vector<std::uint32_t> load(partitions);
  std::vector<std::uint32_t> of_head(routers);
  for (const std::uint32_t head : heads) {
    const auto emptiest = std::min_element(load.begin(), load.end());
    of_head[head] = static_cast<std::uint32_t>(emptiest - load.begin());
    *emptiest += joined.size(head);
  }
  std::vector<std::uint32_t> out(routers);
  for (std::uint32_t r = 0; r < routers; ++r) out[r] = of_head[joined.of(r)];
  return out;
}

}  // namespace mdp::netsim
