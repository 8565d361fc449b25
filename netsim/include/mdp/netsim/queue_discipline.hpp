// How a link's queue decides whom it drops or marks. Plain values; without one it is DropTail.
#pragma once
#include <cstdint>

#include "mdp/netsim/decimal.hpp"

namespace mdp::netsim {

enum class discipline : std::uint8_t { drop_tail, red, codel, fq_codel };

struct queue_spec {
  discipline kind = discipline::drop_tail;
  bool ecn = true;  // ECT packets are marked instead of dropped
  // CoDel (RFC 8289) and FQ-CoDel (RFC 8290).
  std::int64_t target_ns = 5'000'000;
  std::int64_t interval_ns = 100'000'000;  // below 3 s: its square fits
  std::uint32_t flows = 1024;              // a flow is a pair of nodes
  std::uint32_t quantum_bytes = 1514;
  // RED, gentle; of the average number of packets in the queue.
  std::uint32_t min_packets = 50;
  std::uint32_t max_packets = 150;   // to 65,536
  probability max{UINT64_MAX / 10};  // at max_packets; from there it rises to 1 at twice as many
  std::uint32_t weight_shift = 9;    // the newest has a weight of 2^-shift
};

}  // namespace mdp::netsim
