// A link that delivers as a recording says: mahimahi's packet-delivery traces (Netravali et al.
// 2015). Plain values; integers only.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace mdp::netsim {

// Milliseconds, never falling, the last above 0: at each the link can carry 1,504 bytes. After the
// last it begins anew.
using delivery_trace = std::vector<std::uint32_t>;

// What one opportunity carries, and what each packet takes of it besides its payload: with the
// headers of IP and UDP and the tunnel's, an Ethernet packet's payload of 1,472 bytes fills one.
inline constexpr std::uint32_t delivery_bytes = 1504;
inline constexpr std::uint32_t delivery_overhead_bytes = 32;
inline constexpr std::size_t deliveries_max = 100'000;
inline constexpr std::uint32_t delivery_ms_max = 3'600'000;

// Its mean rate, bit/s, at least 1. `trace` is not empty.
[[nodiscard]] std::uint64_t mean_rate_bps(const delivery_trace& trace) noexcept;

// Where a link is in its trace. What an opportunity has left is for packets that wait by then; an
// opportunity that finds none is gone.
class delivery_process {
 public:
  // A packet of so many bytes of payload that follows all others: when its last byte is carried.
  [[nodiscard]] std::int64_t send(const delivery_trace& trace, std::int64_t now,
                                  std::uint32_t bytes) noexcept;

 private:
  std::uint64_t next_ = 0;     // opportunity, counted through all rounds of the trace
  std::int64_t last_ns_ = -1;  // when the one before it came
  std::uint32_t left_ = 0;     // of its bytes
};

}  // namespace mdp::netsim
