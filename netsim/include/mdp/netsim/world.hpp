// What the partitions of a network share: its nodes, links, ways and faults.
//
// A partition changes only what is its own: its nodes, the links of its nodes, the wires that leave
// its routers. Everything else stands still while partitions run side by side.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "mdp/netsim/event_heap.hpp"
#include "mdp/netsim/fault_timeline.hpp"
#include "mdp/netsim/link.hpp"
#include "mdp/netsim/nat_table.hpp"
#include "mdp/netsim/options.hpp"
#include "mdp/transport/transport.hpp"

namespace mdp::netsim {

struct node_state {
  std::string name;
  buffer::block_pool* rx_pool = nullptr;
  transport::counters* counts = nullptr;  // null: removed
  event_chain chain;
  std::int64_t idle_poll = -1;  // when it last polled in vain at a past deadline
  std::uint32_t inbox_head = no_packet;
  std::uint32_t inbox_tail = no_packet;
  std::uint32_t home = 0;  // router
  std::uint32_t partition = 0;
  std::uint16_t port = 0;
  bool ideal_down = false;
};

struct world {
  explicit world(network_options the_options);

  // Links are named by their place in `links`, which has the wires first.
  [[nodiscard]] std::uint32_t up_id(std::uint32_t node) const noexcept {
    return wire_count + node * 2;
  }
  // Slots of the event queue: the wires, then up, down and turn of each node.
  [[nodiscard]] std::uint32_t up_slot(std::uint32_t node) const noexcept {
    return wire_count + node * 3;
  }
  [[nodiscard]] std::uint32_t turn_slot(std::uint32_t node) const noexcept {
    return up_slot(node) + 2;
  }
  [[nodiscard]] event_heap::key link_key(std::uint32_t link_id, std::int64_t time) const noexcept;
  [[nodiscard]] event_heap::key turn_key(std::uint32_t node, std::int64_t time) const noexcept;
  // Wire 2t of trunk t leads forth, wire 2t + 1 back.
  [[nodiscard]] std::string wire_name(std::uint32_t number) const;
  // The router that a wire leads to.
  [[nodiscard]] std::uint32_t beyond(std::uint32_t wire) const noexcept {
    const trunk_spec& trunk = options.topology.trunks[wire / 2];
    return wire % 2 == 0 ? trunk.to : trunk.from;
  }
  // The partition that goes on with a packet for node `to` when it has come out of the link.
  [[nodiscard]] std::uint32_t partition_after(std::uint32_t link_id, std::uint32_t from,
                                              std::uint32_t to) const noexcept;
  [[nodiscard]] std::uint32_t node_count() const noexcept {
    return static_cast<std::uint32_t>(nodes.size());
  }

  network_options options;
  fault_timeline faults;
  nat_table nat;
  route_table routes;
  std::uint32_t wire_count = 0;
  transport::packet_observer* observer = nullptr;
  std::vector<node_state> nodes;
  std::vector<link> links;  // wires; then up and down of each node
  // One partition owns all until the network is divided.
  bool divided = false;
  std::vector<std::uint32_t> router_partition;
};

}  // namespace mdp::netsim
