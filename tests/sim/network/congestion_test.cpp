// What each congestion controller makes of a link: figures of the simulator in virtual time.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

#include "tests/support/flow_network.hpp"

namespace mdp::test {
namespace {

using namespace std::chrono_literals;
using engine::congestion_kind;

constexpr std::pair<congestion_kind, const char*> controllers[] = {
    {congestion_kind::fixed, "fixed"},
    {congestion_kind::cubic, "cubic"},
    {congestion_kind::swift, "swift"},
    {congestion_kind::bbr, "bbr"},
    {congestion_kind::ledbat, "ledbat"}};

struct path {
  double mbps = 100;
  double rtt_ms = 50;
  std::string loss = "0";
  std::uint32_t queue_packets = 1000;
  std::string more;  // keys of the link
};

std::string link_of(const path& p) {
  return fmt::format(
      R"({{"rate_mbps": {}, "delay_us": {}, "loss_pct": {}, "queue_packets": {}{}}})", p.mbps,
      p.rtt_ms * 500, p.loss, p.queue_packets, p.more);
}

// A lone flow's goodput after `warm_up`.
double lone_flow(congestion_kind kind, const path& p, duration warm_up, duration measure,
                 std::uint64_t seed = 1) {
  flow_network net(R"({"default": )" + link_of(p) + "}", "{}", seed);
  const auto packets = static_cast<std::size_t>(p.mbps * p.rtt_ms / 8 * 3 + 8192);
  flow_node& from = net.add("from", flow_config(kind), packets);
  flow_node& to = net.add("to", flow_config(kind), packets);
  net.start(from, to);
  net.run_for(warm_up);
  const double result = goodput_mbps(net, to, measure);
  if (std::getenv("MDP_SHOW")) {
    const auto& s = from.engine->counts();
    fmt::print(
        "  {} Mb/s loss {} rtt {}: {:.2f} Mb/s, lost {} events {} undone {} spurious {} "
        "window {} rate {} dropped {} acks {} sent {}\n",
        p.mbps, p.loss, p.rtt_ms, result, s.packets_lost, s.loss_events, s.loss_events_undone,
        s.packets_spurious, from.engine->find(from.to)->flowing()->regulator.window_bytes(),
        from.engine->find(from.to)->flowing()->regulator.pacing_rate(),
        net.fact("packets_dropped_queue"), to.engine->counts().acks_sent, s.packets_sent);
  }
  return result;
}

// Goodput for loss and round-trip time: reviewed as a diff. Virtual time makes it exact;
// MDP_UPDATE_GOLDEN=1 writes the file anew.
TEST(congestion, goodput_is_as_recorded) {
  std::string table =
      "# Mb/s of payload, two digits, at 100 Mb/s, loss each way, queue of 1,000 packets;\n"
      "# messages of 1,440 bytes, from 2 s to 12 s; `fixed` has a window of 1 MB; seed 1\n"
      "#  loss %   rtt ms     fixed     cubic     swift       bbr    ledbat\n";
  for (const char* loss : {"0", "0.1", "1", "5", "20"}) {
    for (const double rtt_ms : {0.1, 10.0, 100.0, 300.0}) {
      table += fmt::format("{:>9} {:>8}", loss, rtt_ms);
      for (const auto& [kind, name] : controllers)
        table += fmt::format(" {:>9.2g}", lone_flow(kind, {100, rtt_ms, loss, 1000, ""}, 2s, 10s));
      table += '\n';
    }
  }
  const char* file = MDP_SOURCE_DIR "/tests/golden/congestion.txt";
  if (std::getenv("MDP_UPDATE_GOLDEN")) std::ofstream(file) << table;
  std::stringstream recorded;
  recorded << std::ifstream(file).rdbuf();
  EXPECT_EQ(table, recorded.str());
}

// R-CC-6
TEST(congestion, bbr_keeps_the_link_at_one_percent_loss) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed)
    EXPECT_GE(lone_flow(congestion_kind::bbr, {100, 50, "1", 1000, ""}, 3s, 20s, seed), 90)
        << "seed " << seed;
}

// R-CC-6
TEST(congestion, bbr_rides_over_the_loss_of_the_path) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    EXPECT_GE(lone_flow(congestion_kind::bbr, {100, 100, "5", 1000, ""}, 3s, 20s, seed), 90)
        << "seed " << seed;
    EXPECT_GE(lone_flow(congestion_kind::bbr, {1000, 10, "5", 2000, ""}, 2s, 5s, seed), 900)
        << "seed " << seed;
  }
}

// R-CC-1
TEST(congestion, a_lone_flow_fills_a_long_fat_path) {
  for (const auto kind : {congestion_kind::cubic, congestion_kind::bbr})
    EXPECT_GE(lone_flow(kind, {1000, 100, "0", 8500, ""}, 5s, 10s), 950 * 1440 / 1472.0);
}

// R-CC-8
TEST(congestion, swift_keeps_the_queue_of_a_local_network_short) {
  flow_network net(R"({"default": {"rate_mbps": 10000, "delay_us": 25, "queue_packets": 2000}})");
  flow_node& from = net.add("from", flow_config(congestion_kind::swift));
  flow_node& to = net.add("to", flow_config(congestion_kind::swift));
  net.start(from, to);
  net.run_for(20ms);
  EXPECT_GE(goodput_mbps(net, to, 100ms), 9500);
  EXPECT_LE(from.engine->find(from.to)->rtt().smoothed(), 50us + 200us);
  EXPECT_EQ(net.fact("packets_dropped_queue"), 0u);
}

// R-PACE-3, R-CC-9
TEST(congestion, acknowledgements_batched_beyond_a_short_round_trip_cost_nothing) {
  // 20 us there and back; the receiver looks at what has come every 200 us.
  for (const auto& [kind, name] : controllers) {
    flow_network net(R"({"default": {"rate_mbps": 10000, "delay_us": 10, "queue_packets": 0}})");
    flow_node& from = net.add("from", flow_config(kind));
    flow_node& to = net.add("to", flow_config(kind));
    to.batch_period = 200us;
    net.start(from, to);
    net.run_for(200ms);
    EXPECT_GT(to.messages, 1000u) << name;
    EXPECT_EQ(from.engine->counts().packets_lost, 0u) << name;
    EXPECT_EQ(from.engine->counts().packets_retransmitted, 0u) << name;
    if (std::getenv("MDP_SHOW")) fmt::print("  {}: {} messages\n", name, to.messages);
  }
}

// R-PACE-1, R-CC-5
TEST(congestion, a_blackout_ends_without_a_storm) {
  for (const auto& [kind, name] : controllers) {
    if (kind == congestion_kind::fixed) continue;  // it has no pace
    engine::config c = flow_config(kind);
    c.peer_timeout = 300s;
    flow_network net(
        R"({"default": {"rate_mbps": 100, "delay_us": 10000, "queue_packets": 1000}})");
    flow_node& from = net.add("from", c);
    flow_node& to = net.add("to", c);
    net.start(from, to);
    net.run_for(3s);
    to.deaf = true;
    net.run_for(60s);
    std::uint64_t sent = from.engine->counts().packets_sent;
    to.deaf = false;
    for (int i = 0; i < 350; ++i) {  // the probe time-out's cap, and some
      net.run_for(10ms);
      const std::uint64_t now_sent = from.engine->counts().packets_sent;
      // Never more in 10 ms than 2.77 times what the link carries, and a burst.
      EXPECT_LE(now_sent - sent, 85u * 277 / 100 + 30) << name;
      sent = now_sent;
    }
    EXPECT_EQ(from.downs, 0) << name;
    EXPECT_GE(goodput_mbps(net, to, 5s), 80) << name;
  }
}

// R-LOSS-1, R-LOSS-7
TEST(congestion, reordering_at_line_rate_costs_little) {
  // A packet lasts 11.8 us on the wire: jitter of that much lets one overtake another.
  for (const auto kind : {congestion_kind::fixed, congestion_kind::cubic}) {
    for (const int displacement : {1, 3, 10, 30, 100, 300, 1000}) {
      const double jitter_us = displacement * 11.8;
      engine::config c = flow_config(kind);
      c.congestion_window_bytes = 8u << 20;
      flow_network net(fmt::format(
          R"({{"default": {{"rate_mbps": 1000, "delay_us": 10000, "jitter_us": {:.1f},
                            "reorder": true, "queue_packets": 8000}}}})",
          jitter_us));
      flow_node& from = net.add("from", c, 16384);
      flow_node& to = net.add("to", c, 16384);
      net.start(from, to);
      net.run_for(1s);
      EXPECT_GE(goodput_mbps(net, to, 2s), 900 * 1440 / 1472.0) << displacement;
      const auto& s = from.engine->counts();
      EXPECT_LE(s.packets_spurious * 100, s.packets_sent) << displacement;
    }
  }
}

// RFC 9438, section 5.1: when the path loses exactly one of 1/p packets, the mean window at a round
// trip of T seconds is 1.054 (T / p)^(3/4) packets: 187 for 0.1 s and 1e-4, which is 21.71 Mb/s
// with TCP's 1,448 bytes. R-CC-3
TEST(congestion, cubic_has_the_window_of_its_response_function) {
  flow_network net(
      R"({"from": {"delay_us": 50000, "loss": {"model": "periodic", "every": 10000}},
          "to": {"delay_us": 50000}})",
      R"({"from": "from", "to": "to"})");
  flow_node& from = net.add("from", flow_config(congestion_kind::cubic), 16384);
  flow_node& to = net.add("to", flow_config(congestion_kind::cubic), 16384);
  net.start(from, to);
  net.run_for(100s);
  const double expected = 1.054 * std::pow(0.1 / 1e-4, 0.75) * flow_message_bytes * 8 / 0.1 / 1e6;
  const double reached = goodput_mbps(net, to, 3000s);
  if (std::getenv("MDP_SHOW")) fmt::print("  {:.2f} of {:.2f} Mb/s\n", reached, expected);
  EXPECT_NEAR(reached, expected, 0.1 * expected);
}

double jain(const std::vector<double>& shares) {
  double sum = 0, squares = 0;
  for (const double s : shares) sum += s, squares += s * s;
  return sum * sum / (static_cast<double>(shares.size()) * squares);
}

// Two flows into one receiver whose link is the bottleneck; the second begins later.
std::vector<double> two_flows(congestion_kind first, congestion_kind second, duration lead,
                              duration warm_up, duration measure, int queue,
                              std::uint64_t* lost_permille = nullptr) {
  flow_network net(fmt::format(
                       R"({{"default": {{"delay_us": 1000, "queue_packets": 0}},
          "sink": {{"delay_us": 10000, "queue_packets": 0,
                   "down": {{"rate_mbps": 50, "delay_us": 9000, "queue_packets": {}}}}}}})",
                       queue),
                   R"({"sink": "sink"})");
  flow_node& a = net.add("a", flow_config(first));
  flow_node& b = net.add("b", flow_config(second));
  flow_node& sink = net.add("sink", flow_config(first));
  net.start(a, sink);
  net.run_for(lead);
  net.start(b, sink);
  net.run_for(warm_up);
  const std::uint64_t before_a = a.confirmed, before_b = b.confirmed;
  const auto lost = [&] {
    return a.engine->counts().packets_lost + b.engine->counts().packets_lost;
  };
  const auto sent = [&] {
    return a.engine->counts().packets_sent + b.engine->counts().packets_sent;
  };
  const std::uint64_t lost_before = lost(), sent_before = sent();
  net.run_for(measure);
  const double per = flow_message_bytes * 8e3 / static_cast<double>(measure.count());
  std::vector<double> r{static_cast<double>(a.confirmed - before_a) * per,
                        static_cast<double>(b.confirmed - before_b) * per};
  const std::uint64_t permille = (lost() - lost_before) * 1000 / (sent() - sent_before);
  if (lost_permille) *lost_permille = permille;
  if (std::getenv("MDP_SHOW"))
    fmt::print("  {:.2f} {:.2f}, {} permille lost\n", r[0], r[1], permille);
  return r;
}

// R-CC-3
TEST(congestion, two_cubic_flows_are_fair) {
  EXPECT_GE(jain(two_flows(congestion_kind::cubic, congestion_kind::cubic, 3s, 20s, 40s, 200)),
            0.95);
}

// R-CC-6: what is lost because a queue is short is not taken for loss of the path.
TEST(congestion, bbr_flows_lose_little_at_a_short_queue) {
  for (const int queue : {20, 60, 200}) {
    std::uint64_t lost_permille = 0;
    const auto shares =
        two_flows(congestion_kind::bbr, congestion_kind::bbr, 3s, 20s, 40s, queue, &lost_permille);
    EXPECT_GE(jain(shares), 0.8) << queue;
    EXPECT_GE(shares[0] + shares[1], 42) << queue;
    EXPECT_LE(lost_permille, 50u) << queue;
  }
}

// R-CC-7
TEST(congestion, ledbat_yields_to_cubic) {
  const auto shares = two_flows(congestion_kind::ledbat, congestion_kind::cubic, 5s, 5s, 20s, 600);
  EXPECT_LE(shares[0], 0.1 * (shares[0] + shares[1]));
  EXPECT_GE(shares[0] + shares[1], 45);
}

}  // namespace
}  // namespace mdp::test
