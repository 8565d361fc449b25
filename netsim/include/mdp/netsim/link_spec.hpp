// What one direction of a wire is like. Plain values.
#pragma once
#include <cstdint>
#include <memory>

#include "mdp/netsim/decimal.hpp"
#include "mdp/netsim/distribution.hpp"
#include "mdp/netsim/packet.hpp"

namespace mdp::netsim {

inline constexpr std::uint32_t default_mtu_bytes = 1472;  // UDP payload of an Ethernet packet
inline constexpr std::uint32_t mtu_bytes_max = 65507;

struct link_models;

struct link_spec {
  std::uint64_t rate_bps = 0;  // 0: unlimited, nothing ever queues
  std::int64_t delay_ns = 1000;
  std::int64_t jitter_ns = 0;  // the scale of what is added to the delay
  jitter_shape shape = jitter_shape::uniform;
  bool reorder = false;  // jitter may change the order; else a packet waits for its elder
  std::uint32_t queue_packets = 1000;  // waiting or being serialised; 0: no limit
  std::uint64_t queue_bytes = 0;       // the same in bytes; 0: no limit
  std::uint32_t mark_packets = 0;      // so many in the queue: ECT becomes CE (RFC 3168); 0: never
  probability loss{};
  std::uint32_t mtu_bytes = default_mtu_bytes;  // of datagram payload
  std::shared_ptr<const link_models> models{};  // null: none

  // Passes everything at once: needs no link at all.
  [[nodiscard]] bool ideal() const noexcept {
    return rate_bps == 0 && delay_ns == 0 && jitter_ns == 0 && !loss.possible() &&
           models == nullptr;
  }
  // Packets may come out in another order than they went in.
  [[nodiscard]] bool overtakes() const noexcept;
};

}  // namespace mdp::netsim
