// A datagram under way, and the slab that all of a network live in. Payloads are the sender's
// slices, held by reference: a packet costs 64 bytes whatever its size. Packets are named by index
// and chained by `next`; one packet is in one list (a link's, an inbox) at a time. One owner, one
// thread. Allocates only when more packets are under way than ever before.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "mdp/buffer/datagram.hpp"
#include "mdp/netsim/damage.hpp"
#include "mdp/netsim/nat_table.hpp"

namespace mdp::netsim {

inline constexpr std::uint32_t no_packet = 0xffffffffu;
inline constexpr std::uint32_t no_gather = 0xffffffffu;

// A link numbers its packets from 0 to below this: more than a year at 100,000 a second.
inline constexpr unsigned packet_number_bits = 42;
inline constexpr std::uint64_t packet_numbers = std::uint64_t{1} << packet_number_bits;

inline constexpr unsigned node_bits = 32 - mapping_bits;
inline constexpr std::uint32_t node_mask = (1u << node_bits) - 1;

struct packet {
  buffer::slice data;       // the whole datagram, or its first part when `gather` names the rest
  std::int64_t depart = 0;  // when its last bit leaves the link's queue
  std::int64_t arrive = 0;  // when it comes out of the link
  std::uint32_t from : node_bits = 0;
  std::uint32_t from_mapping : mapping_bits = 0;  // by which it left its sender's NAT
  std::uint32_t to : node_bits = 0;
  std::uint32_t to_mapping : mapping_bits = 0;  // that it was sent to
  std::uint32_t next = no_packet;
  std::uint32_t gather = no_gather;
  std::uint64_t number : packet_number_bits = 0;  // on the link it was last on
  std::uint64_t bytes : 16 = 0;
  buffer::ecn codepoint : 2 = buffer::ecn::not_ect;
  bool dead : 1 = false;      // its sender closed: the payload is gone
  std::uint8_t harm : 3 = 0;  // enum damage; done when the packet is handed over
};
static_assert(sizeof(packet) == 64);

class packet_slab {
 public:
  [[nodiscard]] packet& operator[](std::uint32_t i) noexcept { return packets_[i]; }
  [[nodiscard]] const packet& operator[](std::uint32_t i) const noexcept { return packets_[i]; }

  // A packet with an empty payload; invalidates references to packets.
  [[nodiscard]] std::uint32_t allocate() {
    ++allocations_;
    ++live_;
    if (free_ == no_packet) {
      packets_.emplace_back();
      return static_cast<std::uint32_t>(packets_.size() - 1);
    }
    const std::uint32_t i = free_;
    free_ = packets_[i].next;
    packets_[i].next = no_packet;
    packets_[i].dead = false;
    packets_[i].harm = 0;
    packets_[i].from_mapping = 0;
    packets_[i].to_mapping = 0;
    return i;
  }
  // A second packet like packet `i`, which shares its payload; invalidates references to packets.
  [[nodiscard]] std::uint32_t duplicate(std::uint32_t i) {
    const std::uint32_t copy = allocate();
    const std::vector<buffer::slice> rest(more_parts(packets_[i]).begin(),
                                          more_parts(packets_[i]).end());
    packets_[copy] = packets_[i];
    packets_[copy].gather = no_gather;
    packets_[copy].next = no_packet;
    for (const buffer::slice& part : rest) add_part(copy, part);
    return copy;
  }
  void release(std::uint32_t i) noexcept {
    drop_payload(i);
    packets_[i].dead = true;
    packets_[i].next = free_;
    free_ = i;
    --live_;
  }
  void drop_payload(std::uint32_t i) noexcept {
    packet& p = packets_[i];
    p.data.reset();
    if (p.gather == no_gather) return;
    gathers_[p.gather].clear();
    free_gathers_.push_back(p.gather);
    p.gather = no_gather;
  }
  // Appends a part to the datagram.
  void add_part(std::uint32_t i, buffer::slice part) {
    packet& p = packets_[i];
    if (!p.data) {
      p.data = std::move(part);
      return;
    }
    if (p.gather == no_gather) {
      if (free_gathers_.empty()) {
        free_gathers_.push_back(static_cast<std::uint32_t>(gathers_.size()));
        gathers_.emplace_back();
      }
      p.gather = free_gathers_.back();
      free_gathers_.pop_back();
    }
    gathers_[p.gather].push_back(std::move(part));
  }
  [[nodiscard]] std::span<const buffer::slice> more_parts(const packet& p) const noexcept {
    if (p.gather == no_gather) return {};
    return gathers_[p.gather];
  }

  [[nodiscard]] std::uint32_t size() const noexcept {
    return static_cast<std::uint32_t>(packets_.size());
  }
  [[nodiscard]] std::uint32_t live() const noexcept { return live_; }
  // Counts allocate(): unchanged means that no index names another packet than before.
  [[nodiscard]] std::uint64_t allocations() const noexcept { return allocations_; }

 private:
  std::vector<packet> packets_;
  std::vector<std::vector<buffer::slice>> gathers_;
  std::vector<std::uint32_t> free_gathers_;
  std::uint32_t free_ = no_packet;
  std::uint32_t live_ = 0;
  std::uint64_t allocations_ = 0;
};

}  // namespace mdp::netsim
