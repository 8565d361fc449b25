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

  verdict offer(std::int64_t now, std::uint16_t bytes, std::uint32_t from = 0,
                buffer::ecn codepoint = buffer::ecn::not_ect) {
    if (under_test.manages()) settle(now);
    const std::uint32_t i = slab.allocate();
    slab[i].bytes = bytes;
    slab[i].from = from & node_mask;
    slab[i].codepoint = codepoint;
    offered_at = now;
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
  void settle(std::int64_t now) {
    for (const link::outcome& o : under_test.settle(now, slab)) {
      if (o.what != verdict::pass) gone.emplace_back(now, std::uint64_t{slab[o.index].number});
      place(o.what, o.index);
    }
  }
  void place(verdict v, std::uint32_t i) {
    if (v == verdict::waits) {
      under_test.enqueue(offered_at, slab, i);
      settle(offered_at);
    } else if (v == verdict::pass) {
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
      if (under_test.manages()) settle(arrival);
      out.emplace_back(arrival, static_cast<std::uint32_t>(slab[i].number));
      came_from.push_back(slab[i].from);
      slab.release(i);
    }
    return out;
  }

  link_spec spec;
  link under_test;
  packet_slab slab;
  std::uint32_t last = 0;
  std::int64_t last_depart = 0;
  std::int64_t offered_at = 0;
  std::vector<std::uint32_t> came_from;                      // of everything taken
  std::vector<std::pair<std::int64_t, std::uint64_t>> gone;  // dropped while they waited
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
