#include "mdp/netsim/world.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace mdp::netsim {
namespace {

// Order of events at one instant; each sort has numbers of its own.
enum class entity : std::uint32_t { up = 0, wire = 1, down = 2, node = 3 };

constexpr std::uint32_t kind_bit = 30;  // order of events at one instant: kind, then node
static_assert(kind_bit <= node_bits);

bool has_nat(const network_options& options) {
  return std::any_of(options.links.begin(), options.links.end(),
                     [](const auto& link) { return link.second.nat; }) ||
         std::any_of(options.faults.begin(), options.faults.end(),
                     [](const node_fault& fault) { return fault.kind == fault_kind::rebind; });
}

}  // namespace

world::world(network_options the_options)
    : options(std::move(the_options)),
      faults(options.faults),
      nat(has_nat(options)),
      routes(options.topology),
      wire_count(static_cast<std::uint32_t>(options.topology.trunks.size() * 2)),
      router_partition(options.topology.routers.size()) {
  for (std::uint32_t w = 0; w < wire_count; ++w) {
    const trunk_spec& trunk = options.topology.trunks[w / 2];
    links.emplace_back(w % 2 == 0 ? trunk.forth : trunk.back, options.seed, wire_name(w),
                       options.script_of(wire_name(w)));
  }
}

std::string world::wire_name(std::uint32_t number) const {
  const topology_spec& t = options.topology;
  const trunk_spec& trunk = t.trunks[number / 2];
  const bool forth = number % 2 == 0;
  return fmt::format("{}->{}", t.routers[forth ? trunk.from : trunk.to],
                     t.routers[forth ? trunk.to : trunk.from]);
}

event_heap::key world::link_key(std::uint32_t link_id, std::int64_t time) const noexcept {
  if (link_id < wire_count) {
    return {time, static_cast<std::uint32_t>(entity::wire) << kind_bit | link_id, link_id};
  }
  const std::uint32_t node = (link_id - wire_count) / 2;
  const std::uint32_t down = (link_id - wire_count) % 2;
  const entity kind = down != 0 ? entity::down : entity::up;
  return {time, static_cast<std::uint32_t>(kind) << kind_bit | node, up_slot(node) + down};
}

event_heap::key world::turn_key(std::uint32_t node, std::int64_t time) const noexcept {
  return {time, static_cast<std::uint32_t>(entity::node) << kind_bit | node, turn_slot(node)};
}

std::uint32_t world::partition_after(std::uint32_t link_id, std::uint32_t from,
                                     std::uint32_t to) const noexcept {
  const node_state& receiver = nodes[to];
  const bool is_wire = link_id < wire_count;
  if (!is_wire && (link_id - wire_count) % 2 != 0) return receiver.partition;
  const std::uint32_t router = is_wire ? beyond(link_id) : nodes[from].home;
  return receiver.home == router ? receiver.partition : router_partition[router];
}

}  // namespace mdp::netsim
