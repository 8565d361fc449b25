// Congestion control behind one interface: acknowledgements and losses in, a window and a pacing
// rate out. Implementations keep no clock and no pointers, and compute in integers, so that the
// same input gives the same output on every compiler. Rules: docs/protocol.md R-CC-*.
#pragma once
#include <algorithm>
#include <cstdint>
#include <memory>

#include "engine/config.hpp"
#include "mdp/base/time.hpp"

namespace mdp::engine::congestion {

// What one ACK frame brought. Bytes are of whole packets.
struct ack_event {
  time_point now{};
  std::uint64_t bytes = 0;      // newly acknowledged
  std::uint64_t in_flight = 0;  // before this ACK
  std::uint64_t delivered = 0;  // acknowledged in the whole session
  std::uint64_t lost = 0;       // declared lost in the whole session
  std::uint64_t rate = 0;       // delivery-rate sample, bytes/s; 0: none
  duration rtt{};               // sample without the peer's delay; 0: none
  duration smoothed{};          // round-trip time
  bool app_limited = false;     // the newest packet was sent while there was nothing more to send
  bool in_recovery = false;     // the newest packet was sent before the last loss event
  bool round_start = false;     // the first ACK of a packet sent after the last round start
};

class controller {
 public:
  explicit controller(std::uint32_t packet_bytes) noexcept : packet_(packet_bytes) {}
  virtual ~controller() = default;
  // The path carries larger, or only smaller, packets from here on (RFC 9002 section 7.2).
  void set_packet_bytes(std::uint32_t bytes) noexcept { packet_ = bytes; }
  virtual void on_acked(const ack_event& e) noexcept = 0;
  // Once a round trip, however many packets are lost (RFC 9002 section 7.3.1).
  virtual void on_loss_event(time_point now, std::uint64_t in_flight) noexcept = 0;
  // All losses of the last event were acknowledged after all: undoes what it did.
  virtual void on_spurious() noexcept = 0;
  // Nothing was acknowledged for several probe time-outs (RFC 9002 section 7.6).
  virtual void on_persistent_congestion() noexcept = 0;
  // Bytes that may be in flight.
  [[nodiscard]] virtual std::uint64_t window_bytes() const noexcept = 0;
  // Bytes a second; 0: unpaced.
  [[nodiscard]] virtual std::uint64_t pacing_rate() const noexcept = 0;

 protected:
  std::uint32_t packet_;  // bytes of a full one
};

// Never fails; `packet_bytes` is the largest packet that the path is known to carry.
[[nodiscard]] std::unique_ptr<controller> make_controller(congestion_kind kind,
                                                          const config& settings,
                                                          std::uint32_t packet_bytes);

// The rate that spreads `window` over a round trip, times percent / 100; 0 without a round trip.
[[nodiscard]] constexpr std::uint64_t rate_of(std::uint64_t window, duration rtt,
                                              std::uint64_t percent) noexcept {
  constexpr std::uint64_t window_max = std::uint64_t{1} << 33;  // keeps the product in 64 bits
  if (rtt <= duration::zero()) return 0;
  const std::uint64_t per_percent = std::min(window, window_max) * percent / 100;
  return per_percent * 1'000'000'000 / static_cast<std::uint64_t>(rtt.count());
}

// a * b / c without overflow of the product for a, b < 2^48 and a result below 2^64.
[[nodiscard]] constexpr std::uint64_t scale(std::uint64_t a, std::uint64_t b,
                                            std::uint64_t c) noexcept {
  return a / c * b + a % c * (b / c) + a % c * (b % c) / c;
}

}  // namespace mdp::engine::congestion
