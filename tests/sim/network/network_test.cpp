// Whole nodes in the simulator plugin: what the protocol promises over lossy links, told by the
// simulator's own counts.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include <fmt/format.h>

#include "mdp/plugin/plugin_loader.hpp"
#include "mdp/runtime/node.hpp"

namespace mdp {
namespace {

using messaging::event;
using messaging::event_kind;

struct outcome {
  std::uint64_t delivered = 0;
  std::uint64_t arrived = 0;
  std::int64_t finished_ns = 0;
  std::string down;
  std::map<std::string, std::string> facts;
  std::map<std::string, std::uint64_t> stats;
};

outcome transfer(const std::string& link, std::uint64_t seed, int messages, std::size_t bytes,
                 double window) {
  const auto fabric = plugin::create_fabric(
      "netsim",
      R"({"seed": )" + std::to_string(seed) + R"(, "links": {"default": {)" + link + "}}}",
      {MDP_PLUGIN_DIR});
  node_options o;
  o.fabric = fabric.get();
  o.config.congestion_window_bytes = window;
  o.config.pmtu_discovery = 0;  // the link is known
  std::unique_ptr<messaging::messenger> nodes[2];
  for (auto& n : nodes) {
    ++o.seed;
    n = make_node(o);
  }
  const peer_id peer = *nodes[0]->connect(nodes[1]->local_address());
  const std::vector<std::byte> payload(bytes);
  outcome result;
  int sent = 0;
  bool up = false;
  std::vector<event> events(64);
  const auto turn = [&](std::size_t i) {
    for (bool any = true; any;) {
      any = false;
      // In session only: what is framed before suits the smallest packets.
      while (i == 0 && up && sent < messages &&
             nodes[0]->submit(peer, payload, {messaging::confirm::delivered, 0}))
        ++sent, any = true;
      const std::size_t n = nodes[i]->poll(events, never);
      any = any || n > 0;
      for (std::size_t e = 0; e < n; ++e) {
        up = up || (i == 0 && events[e].kind == event_kind::peer_up);
        result.delivered += events[e].kind == event_kind::delivered;
        result.arrived += events[e].kind == event_kind::message;
        if (events[e].kind == event_kind::peer_down) result.down = events[e].reason;
        events[e].payload.reset();
      }
    }
  };
  turn(0);
  turn(1);
  while (result.delivered < static_cast<std::uint64_t>(messages)) {
    const std::int64_t ready = fabric->advance(at_ns(3'600'000'000'000));
    if (ready < 0) break;
    turn(static_cast<std::size_t>(ready));
  }
  result.finished_ns = ns_of(nodes[0]->now());
  for (const auto& [k, v] : fabric->facts()) result.facts[k] = v;
  for (const auto& [k, v] : nodes[0]->stats()) result.stats[k] = v;
  return result;
}

TEST(network, every_message_arrives_over_every_loss) {
  for (const char* loss : {"0", "0.1", "1", "5", "20"}) {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
      const auto r =
          transfer(std::string(R"("delay_us": 5000, "rate_mbps": 100, "loss_pct": )") + loss, seed,
                   300, 1200, 1e6);
      ASSERT_EQ(r.delivered, 300u) << "loss " << loss << " seed " << seed << ": " << r.down;
      ASSERT_EQ(r.arrived, 300u) << "loss " << loss << " seed " << seed;
    }
  }
}

TEST(network, the_same_seed_repeats_to_the_digest) {
  const char* link = R"("delay_us": 25000, "rate_mbps": 100, "loss_pct": 1)";
  const auto first = transfer(link, 42, 2000, 1200, 1e6);
  const auto again = transfer(link, 42, 2000, 1200, 1e6);
  const auto other = transfer(link, 43, 2000, 1200, 1e6);
  EXPECT_EQ(first.facts.at("digest"), again.facts.at("digest"));
  EXPECT_EQ(first.finished_ns, again.finished_ns);
  EXPECT_NE(first.facts.at("digest"), other.facts.at("digest"));
}

TEST(network, a_clean_link_is_filled) {
  // 100 Mb/s, 10 ms there and back: 125 kB in flight fill it.
  const auto r = transfer(R"("delay_us": 5000, "rate_mbps": 100)", 1, 20000, 1400, 4e5);
  ASSERT_EQ(r.delivered, 20000u);
  const double goodput = 20000 * 1400 * 8 / (static_cast<double>(r.finished_ns) / 1e9);
  EXPECT_GE(goodput, 0.95e8 * 1400 / 1472);
  EXPECT_EQ(r.stats.at("packets_lost"), 0u);
  EXPECT_EQ(r.facts.at("packets_dropped_queue"), "0");
}

TEST(network, what_is_lost_is_retransmitted_and_little_else) {
  const auto r =
      transfer(R"("delay_us": 5000, "rate_mbps": 100, "loss_pct": 1)", 7, 20000, 1400, 4e5);
  ASSERT_EQ(r.delivered, 20000u);
  const std::uint64_t dropped = std::stoull(r.facts.at("packets_dropped_loss"));
  const std::uint64_t retransmitted = r.stats.at("packets_retransmitted");
  EXPECT_GT(dropped, 100u);
  EXPECT_LE(retransmitted, dropped * 12 / 10) << "spurious: " << r.stats.at("packets_spurious");
}

// Goodput at 100 Mb/s for loss, round-trip time and window: reviewed as a diff. Virtual time makes
// it exact; MDP_UPDATE_GOLDEN=1 writes the file anew.
TEST(network, goodput_is_as_recorded) {
  std::string table =
      "# Mb/s of payload, 4 MB in messages of 1,200 bytes, 100 Mb/s, loss each way, seed 1\n"
      "#  loss %   rtt ms   64 kB window   1 MB window\n";
  for (const char* loss : {"0", "0.1", "1", "5", "20"}) {
    for (const double rtt_ms : {0.1, 10.0, 100.0, 300.0}) {
      table += fmt::format("{:>9} {:>8}", loss, rtt_ms);
      for (const double window : {65536.0, 1048576.0}) {
        const int messages = 3333;
        const auto r = transfer(fmt::format(R"("delay_us": {}, "rate_mbps": 100, "loss_pct": {})",
                                            static_cast<int>(rtt_ms * 500), loss),
                                1, messages, 1200, window);
        ASSERT_EQ(r.delivered, static_cast<std::uint64_t>(messages)) << r.down;
        table +=
            fmt::format(" {:>14.2f}", messages * 1200 * 8e3 / static_cast<double>(r.finished_ns));
      }
      table += '\n';
    }
  }
  const char* path = MDP_SOURCE_DIR "/tests/golden/goodput.txt";
  if (std::getenv("MDP_UPDATE_GOLDEN")) std::ofstream(path) << table;
  std::stringstream recorded;
  recorded << std::ifstream(path).rdbuf();
  EXPECT_EQ(table, recorded.str());
}

}  // namespace
}  // namespace mdp
