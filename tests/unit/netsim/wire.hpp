// One link and the packets in it.
#pragma once
#include <gtest/gtest.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "mdp/netsim/link.hpp"

namespace mdp::netsim::test {

struct wire {
  explicit wire(const link_spec& s, std::uint64_t seed = 1)
      : spec(s), under_test(spec, seed, "a/up") {}

  verdict offer(std::int64_t now, std::uint16_t bytes) {
    const std::uint32_t i = slab.allocate();
    slab[i].bytes = bytes;
    const verdict v = under_test.offer(now, slab[i], slab);
    last = static_cast<std::uint32_t>(slab[i].number);
    last_depart = slab[i].depart;
    const bool twice = under_test.duplicates();
    place(v, i);
    if (twice) {
      const std::uint32_t copy = slab.duplicate(i);
      place(under_test.offer_copy(now, slab[copy], slab), copy);
    }
    return v;
  }
  void place(verdict v, std::uint32_t i) {
    if (v == verdict::pass) {
      under_test.insert(slab, i);
    } else {
      slab.release(i);
    }
  }
  // Removes what has come out by `now`.
  std::vector<std::pair<std::int64_t, std::uint32_t>> take(std::int64_t now) {
    std::vector<std::pair<std::int64_t, std::uint32_t>> out;
    while (under_test.next_arrival(slab) <= now && under_test.next_arrival(slab) != no_event) {
      const std::int64_t arrival = under_test.next_arrival(slab);
      const std::uint32_t i = under_test.take(slab);
      EXPECT_EQ(slab[i].arrive, arrival);
      out.emplace_back(arrival, static_cast<std::uint32_t>(slab[i].number));
      slab.release(i);
    }
    return out;
  }

  link_spec spec;
  link under_test;
  packet_slab slab;
  std::uint32_t last = 0;
  std::int64_t last_depart = 0;
};

inline constexpr std::int64_t forever = no_event - 1;

inline link_spec rated(std::uint64_t rate_bps) {
  link_spec s;
  s.rate_bps = rate_bps;
  s.delay_ns = 0;
  s.queue_packets = 0;
  return s;
}

}  // namespace mdp::netsim::test
