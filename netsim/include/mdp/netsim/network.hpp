// The simulated network: virtual clock, event queue, nodes on routers, trunks between routers.
//
// Node n is the n-th one added. A packet goes up its sender's link to its router, over trunks to
// the receiver's router, and down the receiver's link; an ideal down link costs no event. Order of
// events at one instant: up links, trunks, down links, then nodes, each by number. Ownership:
// shares payload slices with the senders until delivery or remove_node(). Node counters are the
// caller's and must live until remove_node(). One thread, but request_wake() may come from any.
// Errors: only add_node() throws.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "mdp/netsim/event_heap.hpp"
#include "mdp/netsim/fault_timeline.hpp"
#include "mdp/netsim/link.hpp"
#include "mdp/netsim/nat_table.hpp"
#include "mdp/netsim/options.hpp"
#include "mdp/transport/transport.hpp"

namespace mdp::netsim {

// A node that polls without result at a deadline that is past may do so again only so much later,
// and one without receive blocks looks for them this often: virtual time always moves.
inline constexpr std::int64_t retry_ns = 1000;

struct network_totals {
  std::uint64_t events = 0;
  std::uint64_t sent = 0;
  std::uint64_t delivered = 0;
  std::uint64_t lost = 0;
  std::uint64_t queue_full = 0;
  std::uint64_t too_large = 0;
  std::uint64_t closed = 0;
  std::uint64_t no_carrier = 0;
  std::uint64_t duplicated = 0;  // copies made by links: not in `sent`
  std::uint64_t corrupted = 0;   // handed over damaged
};

class network {
 public:
  explicit network(network_options options);

  // The new node's number. An empty name becomes "node-<number>", one in use gets "#2", "#3", ...
  [[nodiscard]] std::uint32_t add_node(const std::string& name, std::uint16_t port,
                                       buffer::block_pool& rx_pool, transport::counters& counts);
  // Opens a node anew that was removed, at its address: it knows nothing of what was before.
  void reopen_node(std::uint32_t node, buffer::block_pool& rx_pool, transport::counters& counts);
  [[nodiscard]] bool removed(std::uint32_t node) const noexcept {
    return nodes_[node].counts == nullptr;
  }
  // Lets go of everything that the node has under way or waiting; packets to it are dropped from
  // now on.
  void remove_node(std::uint32_t node) noexcept;

  void send(std::uint32_t node, const buffer::tx_datagrams& item) noexcept;
  // Takes what has arrived and registers the node's next wake-up, by its own clock.
  [[nodiscard]] std::size_t receive(std::uint32_t node, std::span<buffer::rx_datagrams> out,
                                    std::int64_t deadline) noexcept;
  // Runs up to and including `limit`, or until a node becomes runnable: its number; -1: none.
  [[nodiscard]] std::int64_t advance(std::int64_t limit) noexcept;
  void request_wake(std::uint32_t node) noexcept;

  // Before the first node: `observer` is told every event from now on, and must outlive the
  // network.
  void observe(transport::packet_observer& observer);

  [[nodiscard]] std::int64_t now() const noexcept { return now_; }
  // What the node's own clock shows.
  [[nodiscard]] std::int64_t local_now(std::uint32_t node) const noexcept {
    return faults_.any() ? faults_.local_time(node, now_) : now_;
  }
  [[nodiscard]] std::uint64_t digest() const noexcept;
  [[nodiscard]] const network_totals& totals() const noexcept { return totals_; }
  [[nodiscard]] const network_options& options() const noexcept { return options_; }
  [[nodiscard]] std::uint32_t node_count() const noexcept {
    return static_cast<std::uint32_t>(nodes_.size());
  }
  [[nodiscard]] const std::string& node_name(std::uint32_t node) const { return nodes_[node].name; }
  [[nodiscard]] std::uint16_t node_port(std::uint32_t node) const { return nodes_[node].port; }
  [[nodiscard]] const link& up_link(std::uint32_t node) const { return links_[up_id(node)]; }
  [[nodiscard]] const link& down_link(std::uint32_t node) const { return links_[up_id(node) + 1]; }
  // Wire 2t of trunk t leads forth, wire 2t + 1 back.
  [[nodiscard]] std::uint32_t wire_count() const noexcept { return wire_count_; }
  [[nodiscard]] const link& wire(std::uint32_t number) const { return links_[number]; }
  [[nodiscard]] std::string wire_name(std::uint32_t number) const;
  // Packets in links and inboxes.
  [[nodiscard]] std::uint32_t packets_under_way() const noexcept { return slab_.live(); }

 private:
  struct node_state {
    std::string name;
    buffer::block_pool* rx_pool = nullptr;
    transport::counters* counts = nullptr;  // null: removed
    event_chain chain;
    std::int64_t idle_poll = -1;  // when it last polled in vain at a past deadline
    std::uint32_t inbox_head = no_packet;
    std::uint32_t inbox_tail = no_packet;
    std::uint32_t under_way = 0;  // packets it sent that the slab still holds
    std::uint32_t home = 0;       // router
    std::uint16_t port = 0;
    bool ideal_down = false;
  };
  // Position of the parts of one datagram within the gather list of its item.
  struct part_cursor {
    std::size_t part = 0;
    std::uint32_t offset = 0;
  };
  // Order of events at one instant; each sort has numbers of its own.
  enum class entity : std::uint32_t { up = 0, wire = 1, down = 2, node = 3 };

  // Links are named by their place in links_, which has the wires first.
  [[nodiscard]] std::uint32_t up_id(std::uint32_t node) const noexcept {
    return wire_count_ + node * 2;
  }
  // Slots of the event queue: the wires, then up, down and turn of each node.
  [[nodiscard]] std::uint32_t up_slot(std::uint32_t node) const noexcept {
    return wire_count_ + node * 3;
  }
  [[nodiscard]] std::uint32_t turn_slot(std::uint32_t node) const noexcept {
    return up_slot(node) + 2;
  }
  [[nodiscard]] event_heap::key link_key(std::uint32_t link_id, std::int64_t time) const noexcept;
  void schedule_turn(std::uint32_t node, std::int64_t time) noexcept;
  void wake_at(std::uint32_t node, std::int64_t time) noexcept;
  void take_wake_requests() noexcept;
  void end_turn() noexcept;
  void apply_faults();
  [[nodiscard]] bool defer_turn(std::uint32_t node) noexcept;
  [[nodiscard]] std::uint16_t seen_port(std::uint32_t node, std::uint32_t mapping) const noexcept;
  [[nodiscard]] bool reaches(std::uint32_t to, std::uint16_t port,
                             std::uint32_t& mapping) const noexcept;
  struct recipient {
    std::uint32_t node = 0;
    std::uint32_t mapping = 0;
  };
  void send_one(std::uint32_t node, recipient to, const buffer::tx_datagrams& item,
                std::uint32_t bytes, part_cursor& cursor);
  void enter(std::uint32_t link_id, std::uint32_t index) noexcept;
  void settle(std::uint32_t link_id) noexcept;
  void place(std::uint32_t link_id, std::uint32_t index, verdict v) noexcept;
  void spoil(const packet& p, std::span<std::byte> bytes) noexcept;
  void run_link(std::uint32_t link_id) noexcept;
  void leave(std::uint32_t link_id, std::uint32_t index) noexcept;
  void reach_router(std::uint32_t router, std::uint32_t index) noexcept;
  void reach_node(std::uint32_t index) noexcept;
  void count_drop(verdict v) noexcept;
  void release(std::uint32_t index) noexcept;
  [[nodiscard]] bool hand_over(node_state& n, std::uint32_t index,
                               buffer::rx_datagrams& out) noexcept;
  [[nodiscard]] buffer::slice copy_into(buffer::block_pool& pool, const packet& p) noexcept;
  void index_senders();
  void announce_node(std::uint32_t node);
  void tell(const transport::packet_event& event, std::uint32_t index);
  // What all events of a packet have in common, at this instant.
  [[nodiscard]] transport::packet_event event_of(std::uint32_t place, std::uint32_t index,
                                                 transport::packet_fate fate,
                                                 std::uint64_t chain) const;
  void tell_settled(std::uint32_t link_id, std::uint32_t index, verdict v);
  void tell_offer(std::uint32_t link_id, std::uint32_t index, verdict v, bool copy);
  void tell_arrival(std::uint32_t place, std::uint32_t index, transport::packet_fate fate,
                    std::uint64_t chain);
  void tell_wake_up(std::uint32_t node);

  network_options options_;
  fault_timeline faults_;
  nat_table nat_;
  std::vector<std::uint32_t> touched_;
  std::vector<std::uint32_t> rebound_;
  transport::packet_observer* observer_ = nullptr;
  std::vector<node_state> nodes_;
  route_table routes_;
  std::uint32_t wire_count_ = 0;
  std::vector<link> links_;  // wires; then up and down of each node
  packet_slab slab_;
  event_heap heap_;
  std::int64_t now_ = 0;
  static constexpr std::uint32_t nobody = 0xffffffffu;
  std::uint32_t running_ = nobody;  // heap slot of the node that advance() returned last
  network_totals totals_;
  std::unordered_map<std::uint64_t, std::uint32_t>
      names_;  // hash of a name -> how often it was taken
  // Packets grouped by sender, valid while nothing was sent since: closing many nodes stays linear.
  std::vector<std::uint32_t> by_sender_;
  std::vector<std::uint32_t> by_sender_start_;
  std::uint64_t by_sender_stamp_ = UINT64_MAX;

  std::atomic<bool> wake_requested_{false};
  std::mutex wake_mutex_;
  std::vector<std::uint32_t> wake_requests_;
};

}  // namespace mdp::netsim
