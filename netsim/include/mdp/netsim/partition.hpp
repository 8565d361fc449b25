// The share of a network that runs on one thread at a time: its events, its clock, its packets.
//
// A packet goes up its sender's link to its router, over trunks to the receiver's router, and down
// the receiver's link; an ideal down link costs no event. Order of events at one instant: up links,
// trunks, down links, then nodes, each by number. What comes out of a link in another partition is
// put into an outbox as soon as it is known when; the link keeps the packet too, for its queue.
// request_wake() may come from any thread. Allocates only when more packets are under way than ever
// before.
#pragma once
#include <atomic>
#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

#include "mdp/netsim/crossing.hpp"
#include "mdp/netsim/world.hpp"

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

  network_totals& operator+=(const network_totals& other) noexcept;
};

class partition {
 public:
  // `payload_bytes`: of the largest datagram that may come from another partition.
  partition(world& shared, std::uint32_t number, std::uint32_t partitions,
            std::uint32_t payload_bytes);

  // The clock. It never goes back.
  [[nodiscard]] std::int64_t now() const noexcept { return now_; }
  void set_now(std::int64_t time) noexcept { now_ = time > now_ ? time : now_; }

  // The next event: `time` is no_event when there is none.
  [[nodiscard]] event_heap::key next() const noexcept {
    if (!arrivals_.empty()) return earlier_of_both();
    return heap_.empty() ? event_heap::key{.time = no_event} : heap_.top();
  }
  // Runs that; the number of the node that became runnable, or -1.
  [[nodiscard]] std::int64_t run(const event_heap::key& event) noexcept;
  // Runs all events before `end`, or until a node becomes runnable: its number; -1: none did.
  [[nodiscard]] std::int64_t run_before(std::int64_t end) noexcept;
  // What the node that ran last did not do for itself.
  void end_turn() noexcept;

  // Room for the events of one node more; of another partition's too.
  void add_slots(std::size_t slots) { heap_.resize(slots); }
  // Nodes of this partition. Times are the network's.
  void send(std::uint32_t node, const buffer::tx_datagrams& item) noexcept;
  [[nodiscard]] std::size_t receive(std::uint32_t node, std::span<buffer::rx_datagrams> out,
                                    std::int64_t deadline) noexcept;
  void close_node(std::uint32_t node) noexcept;
  // Lets go of the payloads of a node that has closed, of any partition.
  void orphan(std::uint32_t node) noexcept;
  void wake_at(std::uint32_t node, std::int64_t time) noexcept;
  void request_wake(std::uint32_t node) noexcept;
  void take_wake_requests() noexcept {
    if (wake_requested_.load(std::memory_order_acquire)) take_requests();
  }

  // What crosses. Two sets of outboxes: one is filled while others read the other.
  [[nodiscard]] outbox& outbox_to(unsigned set, std::uint32_t other) noexcept {
    return outboxes_[set][other];
  }
  void fill(unsigned set) noexcept { filled_ = set; }
  void take_in(const outbox& from);
  // Datagrams that found their receiver closed, by sender, where that is another partition's.
  [[nodiscard]] std::vector<std::uint32_t>& path_errors() noexcept { return path_errors_; }

  [[nodiscard]] const network_totals& totals() const noexcept { return totals_; }

 private:
  // Position of the parts of one datagram within the gather list of its item.
  struct part_cursor {
    std::size_t part = 0;
    std::uint32_t offset = 0;
  };
  struct recipient {
    std::uint32_t node = 0;
    std::uint32_t mapping = 0;
  };
  [[nodiscard]] event_heap::key earlier_of_both() const noexcept;
  void schedule_turn(std::uint32_t node, std::int64_t time) noexcept;
  void take_requests() noexcept;
  [[nodiscard]] bool defer_turn(std::uint32_t node) noexcept;
  [[nodiscard]] std::uint16_t seen_port(std::uint32_t node, std::uint32_t mapping) const noexcept;
  [[nodiscard]] bool reaches(std::uint32_t to, std::uint16_t port,
                             std::uint32_t& mapping) const noexcept;
  void send_one(std::uint32_t node, recipient to, const buffer::tx_datagrams& item,
                std::uint32_t bytes, part_cursor& cursor);
  void enter(std::uint32_t link_id, std::uint32_t index) noexcept;
  void settle(std::uint32_t link_id) noexcept;
  void place(std::uint32_t link_id, std::uint32_t index, verdict v) noexcept;
  [[nodiscard]] std::uint32_t next_owner(std::uint32_t link_id, const packet& p) const noexcept {
    return world_.divided ? world_.partition_after(link_id, p.from, p.to) : number_;
  }
  void spoil(const packet& p, std::span<std::byte> bytes) noexcept;
  void run_link(std::uint32_t link_id) noexcept;
  void run_arrivals() noexcept;
  void leave(std::uint32_t link_id, std::uint32_t index) noexcept;
  void come_out(std::uint32_t link_id, std::uint32_t index) noexcept;
  void reach_router(std::uint32_t router, std::uint32_t index) noexcept;
  void reach_node(std::uint32_t index) noexcept;
  void count_path_error(std::uint32_t sender) noexcept;
  void count_drop(verdict v) noexcept;
  [[nodiscard]] bool hand_over(node_state& n, std::uint32_t index,
                               buffer::rx_datagrams& out) noexcept;
  [[nodiscard]] buffer::slice copy_into(buffer::block_pool& pool, const packet& p) noexcept;
  void index_senders();
  // Valid while nothing was sent since, and no node added.
  [[nodiscard]] std::uint64_t senders_stamp() const noexcept;
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

  world& world_;
  std::uint32_t number_;
  payload_store store_;  // outlives the packets
  packet_slab slab_;
  event_heap heap_;
  arrivals arrivals_;
  std::int64_t now_ = 0;
  static constexpr std::uint32_t nobody = 0xffffffffu;
  static constexpr std::uint32_t from_elsewhere = 0xffffffffu;  // the slot of an arrival
  std::uint32_t running_ = nobody;                              // heap slot of the node that runs
  network_totals totals_;
  unsigned filled_ = 0;
  std::vector<outbox> outboxes_[2];  // by receiving partition
  std::vector<std::uint32_t> path_errors_;
  // Packets grouped by sender: closing many nodes stays linear.
  std::vector<std::uint32_t> by_sender_;
  std::vector<std::uint32_t> by_sender_start_;
  std::uint64_t by_sender_stamp_ = UINT64_MAX;

  std::atomic<bool> wake_requested_{false};
  std::mutex wake_mutex_;
  std::vector<std::uint32_t> wake_requests_;
};

}  // namespace mdp::netsim
