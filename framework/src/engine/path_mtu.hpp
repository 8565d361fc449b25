// How large packets may be on the way to a peer: Datagram Packetization Layer Path MTU Discovery
// (RFC 8899). A pure machine: its owner sends the probes and tells what became of them, and of all
// other packets. Sizes are bytes of whole packets (UDP payload). Rules: docs/protocol.md R-PMTU-*.
// One owner, no threads; never allocates, never fails.
#pragma once
#include <array>
#include <cstdint>

#include "mdp/base/time.hpp"

namespace mdp::engine {

class path_mtu {
 public:
  static constexpr std::uint32_t base_bytes = 1200;  // every path carries it (MIN_PLPMTU)
  static constexpr std::uint32_t probes_max = 3;     // MAX_PROBES of one size
  static constexpr std::uint32_t resolution = 32;    // the search ends when it knows it so closely

  // A new path, which carries packets of `least_bytes` (>= base_bytes; less if max_bytes is): they
  // are never smaller. `max_bytes`: none may be larger; >= base_bytes. Without `discover` the size
  // is max_bytes from the start and stays.
  void start(std::uint32_t least_bytes, std::uint32_t max_bytes, bool discover,
             duration raise_interval) noexcept;

  // The largest packet that the path is known to carry (PLPMTU).
  [[nodiscard]] std::uint32_t packet_bytes() const noexcept { return current_; }
  // Size of the probe to send now; 0: none.
  [[nodiscard]] std::uint32_t probe_wanted() const noexcept { return probing_ ? 0 : next_size(); }
  // A probe of the size wanted left; it counts as lost at `expiry` if nothing is heard of it.
  void on_probe_sent(time_point expiry) noexcept;
  [[nodiscard]] bool probing() const noexcept { return probing_; }
  // A probe arrived. True: packets may be larger now.
  bool on_probe_acked(time_point now, std::uint32_t bytes) noexcept;
  void on_probe_lost(time_point now, std::uint32_t bytes) noexcept;
  // When on_deadline() has something to do; `never`: nothing.
  [[nodiscard]] time_point deadline() const noexcept { return deadline_; }
  void on_deadline(time_point now) noexcept;

  // What became of packets that are no probes. After a batch of these, end_of_round().
  void on_acked(std::uint32_t bytes) noexcept;
  void on_lost(std::uint32_t bytes) noexcept;
  // True: a black hole. Large packets no longer pass, though smaller ones do: packets may be only
  // the least now, and the search begins anew.
  bool end_of_round(time_point now) noexcept;
  // The path may cease to carry what it does now.
  [[nodiscard]] bool may_shrink() const noexcept { return discover_ && current_ > least_; }
  // Large packets were lost lately and none has passed since: a small one would tell more.
  [[nodiscard]] bool suspicious() const noexcept { return evidence_count_ > 0; }

 private:
  [[nodiscard]] std::uint32_t next_size() const noexcept;
  void end_search_if_done(time_point now) noexcept;

  std::uint32_t current_ = base_bytes;
  std::uint32_t least_ = base_bytes;
  std::uint32_t max_ = base_bytes;
  std::uint32_t failed_ = 0;  // the least size that did not pass; 0: none
  std::uint32_t probe_bytes_ = 0;
  time_point deadline_ = never;  // of the probe, or of the next search
  duration raise_interval_{};
  // Rounds whose lost packets were all larger than what was acknowledged: the least size of each,
  // forgotten as soon as a packet of that size passes.
  std::array<std::uint16_t, 8> evidence_{};
  std::uint16_t round_lost_ = 0;   // least size lost in this round; 0: none
  std::uint16_t round_acked_ = 0;  // largest size acknowledged in this round
  std::uint8_t evidence_count_ = 0;
  std::uint8_t tries_ = 0;
  bool probing_ = false;
  bool discover_ = false;
};

}  // namespace mdp::engine
