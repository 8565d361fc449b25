// Queues that decide when a packet leaves: CoDel (RFC 8289) and, with a queue for each flow,
// FQ-CoDel (RFC 8290). In integers. Packets wait chained in the slab; `depart` holds the time at
// which they came. One owner, one thread; allocates when it is made and where a flow begins.
#pragma once
#include <cstdint>
#include <deque>
#include <vector>

#include "mdp/netsim/packet.hpp"
#include "mdp/netsim/queue_discipline.hpp"

namespace mdp::netsim {

// The state of RFC 8289, section 5, over one queue.
class codel {
 public:
  struct fifo {
    std::uint32_t head = no_packet;
    std::uint32_t tail = no_packet;
    std::uint32_t packets = 0;
    std::uint64_t bytes = 0;
    void push(packet_slab& slab, std::uint32_t index) noexcept;
    [[nodiscard]] std::uint32_t pop(packet_slab& slab) noexcept;
  };
  fifo waiting;

  // The packet that leaves at `now`, or none; what is dropped before it is appended.
  [[nodiscard]] std::uint32_t take(std::int64_t now, const queue_spec& spec, packet_slab& slab,
                                   std::vector<std::uint32_t>& dropped);
  // Packets that left with a mark in place of being dropped.
  [[nodiscard]] std::uint64_t marked() const noexcept { return marked_; }

 private:
  struct head {
    std::uint32_t index = no_packet;
    bool may_drop = false;
  };
  [[nodiscard]] head next(std::int64_t now, const queue_spec& spec, packet_slab& slab) noexcept;

  std::int64_t first_above_ = 0;
  std::int64_t drop_next_ = 0;
  std::uint32_t count_ = 0;
  std::uint32_t last_count_ = 0;
  std::uint64_t marked_ = 0;
  bool dropping_ = false;
};

// time + interval / sqrt(count), exact to a nanosecond.
[[nodiscard]] std::int64_t codel_next(std::int64_t time, std::int64_t interval_ns,
                                      std::uint32_t count) noexcept;
// ECT becomes CE. False: the packet cannot be marked.
[[nodiscard]] bool set_congestion_mark(packet& p) noexcept;

class managed_queue {
 public:
  // `salt` moves flows between the places of the table.
  managed_queue(const queue_spec& spec, std::uint64_t salt);
  // A packet comes at `now`.
  void push(std::int64_t now, std::uint32_t index, packet_slab& slab);
  // The packet that leaves at `now`, or none; what is dropped meanwhile is appended.
  [[nodiscard]] std::uint32_t take(std::int64_t now, packet_slab& slab,
                                   std::vector<std::uint32_t>& dropped);
  // The head of the longest flow: who goes when there is no room.
  [[nodiscard]] std::uint32_t evict(packet_slab& slab) noexcept;
  [[nodiscard]] std::uint32_t packets() const noexcept { return packets_; }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::uint64_t marked() const noexcept { return marked_; }

 private:
  struct flow {
    codel queue;
    std::int64_t deficit = 0;
    bool active = false;
  };
  void account(packet_slab& slab, std::uint32_t index) noexcept;

  queue_spec spec_;
  std::uint64_t salt_;
  std::vector<flow> flows_;
  std::deque<std::uint32_t> fresh_;  // of flows that have just begun
  std::deque<std::uint32_t> old_;
  std::uint32_t packets_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t marked_ = 0;
};

}  // namespace mdp::netsim
