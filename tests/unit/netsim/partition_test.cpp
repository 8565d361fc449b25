// A network cut into partitions, on one thread or several, is the same network: every fact of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "mdp/base/thread_crew.hpp"
#include "mdp/netsim/cut.hpp"
#include "mdp/netsim/options.hpp"
#include "tests/unit/netsim/world.hpp"

namespace mdp::netsim::test {
namespace {

using transport::fabric_facts;

constexpr std::size_t node_count = 48;

const std::string links = R"("links": {
    "default": {"rate_mbps": 33.3, "delay_us": 900, "jitter_us": 250, "loss_pct": 1.5,
                "queue_packets": 20, "down": {"rate_mbps": 30, "delay_us": 100}},
    "wild": {"rate_mbps": 20, "delay_us": 1500, "jitter_us": 3000, "reorder": true, "loss_pct": 3,
             "duplicate_pct": 2, "corrupt_pct": 1, "queue_bytes": 30000},
    "trunk": {"rate_mbps": 200, "delay_us": 3000, "jitter_us": 500, "queue_packets": 60,
              "loss": {"model": "gilbert_elliott", "to_bad_pct": 1, "to_good_pct": 25,
                       "bad_loss_pct": 100},
              "down": {"rate_mbps": 100, "delay_us": 4000, "queue_packets": 30}}},
  "nodes": {"node-3": "wild", "node-17": "wild", "node-40": "wild"})";

const std::string faults = R"(, "faults": [
    {"at_us": 100000, "for_us": 50000, "kind": "partition", "nodes": ["node-1", "node-20"]},
    {"at_us": 120000, "for_us": 50000, "kind": "pause", "nodes": ["node-5"]},
    {"at_us": 80000, "kind": "clock_skew", "skew_ppm": 20000, "nodes": ["node-30"]}])";

struct shape {
  const char* name;
  std::string topology;
  const char* more = "";
};

std::vector<shape> shapes() {
  return {{"star", "", ""},
          {"dumbbell", R"("topology": {"shape": "dumbbell", "trunk": "trunk"}, )"},
          {"tree", R"("topology": {"shape": "tree", "routers": 13, "branches": 3,
                       "trunk": "trunk"}, )"},
          {"mesh", R"("topology": {"shape": "mesh", "routers": 9, "trunk": "trunk"}, )"},
          {"tree with faults", R"("topology": {"shape": "tree", "routers": 13, "branches": 3,
                                  "trunk": "trunk"}, )",
           faults.c_str()}};
}

std::string options_of(const shape& s) {
  return R"({"seed": 7, )" + s.topology + links + s.more + "}";
}

// Nodes with pools of their own that chatter at seeded times.
class chatter final : public transport::turns {
 public:
  chatter(const std::string& options, unsigned threads, std::uint32_t partitions)
      : net(make_fabric(options.c_str())), workers(threads) {
    net->divide({partitions, node_count});
    for (std::size_t i = 0; i < node_count; ++i) {
      seats.push_back(std::make_unique<seat>(i));
      seats[i]->node = net->open({{}, "", &seats[i]->pool});
    }
    for (auto& s : seats) addresses.push_back(s->node->local_address());
    for (auto& s : seats) static_cast<void>(s->node->poll(s->out, {.deadline = at_ns(1)}));
  }
  void run_to(std::int64_t ms) { net->run(at_ns(ms * 1'000'000), *this, &workers); }

  void take_turn(std::int64_t number) noexcept override {
    seat& s = *seats[static_cast<std::size_t>(number)];
    if (std::this_thread::get_id() != home) ++turns_elsewhere;
    const auto wait = static_cast<std::int64_t>(s.random.next() % 500'000);
    const std::size_t n = s.node->poll(s.out, {.deadline = s.node->now() + duration(wait)});
    for (std::size_t i = 0; i < n; ++i) {
      s.received += s.out[i].data.size() + std::to_integer<std::size_t>(*s.out[i].data.data());
      s.out[i] = {};
    }
    if (n > 0) return;  // who answered everything would flood a network without delay
    for (std::uint64_t burst = s.random.next() % 4; burst > 0; --burst) send(s);
  }
  bool go_on() noexcept override { return ++asked != stop_at; }

  // What must not depend on the cut.
  [[nodiscard]] fabric_facts facts() const {
    fabric_facts all = net->facts();
    std::erase_if(all, [](const auto& f) {
      return f.first == "partitions" || f.first == "threads" || f.first == "window_ns";
    });
    for (const auto& s : seats) {
      all.emplace_back("received", std::to_string(s->received));
      if (!s->node) continue;
      const transport::counters& c = s->node->counts();
      all.emplace_back("counts", std::to_string(c.rx_datagrams) + "/" +
                                     std::to_string(c.tx_datagrams) + "/" +
                                     std::to_string(c.path_errors));
    }
    return all;
  }
  [[nodiscard]] std::string fact(const std::string& name) const {
    for (const auto& [key, value] : net->facts())
      if (key == name) return value;
    return "absent";
  }

  struct seat {
    explicit seat(std::size_t i)
        : pool({.block_bytes = 2048, .block_count = 512, .prefault = false}), random(i) {}
    buffer::block_pool pool;
    seeded_random random;
    std::unique_ptr<transport::transport> node;
    std::array<buffer::rx_datagrams, 8> out;
    std::uint64_t received = 0;
  };
  std::unique_ptr<transport::fabric> net;
  thread_crew workers;
  std::vector<std::unique_ptr<seat>> seats;
  std::vector<endpoint_address> addresses;
  std::thread::id home = std::this_thread::get_id();
  std::atomic<std::uint64_t> turns_elsewhere{0};
  std::uint64_t asked = 0;
  std::uint64_t stop_at = 0;

 private:
  void send(seat& s) {
    const buffer::slice whole = buffer::slice::acquire(s.pool);
    if (!whole) return;
    const auto bytes = static_cast<std::uint32_t>(40 + s.random.next() % 1400);
    const std::array parts{whole.subslice(0, 30), whole.subslice(100, bytes - 30)};
    const std::size_t to = s.random.next() % node_count;
    whole.data()[0] = static_cast<std::byte>(to);
    const buffer::tx_datagrams item{addresses[to], parts, bytes};
    static_cast<void>(s.node->send({&item, 1}));
  }
};

// In three pieces; between them node 11 closes.
std::unique_ptr<chatter> run_cut(const shape& s, unsigned threads, std::uint32_t partitions) {
  auto c = std::make_unique<chatter>(options_of(s), threads, partitions);
  c->run_to(60);
  c->seats[11]->node.reset();
  c->run_to(61);
  c->run_to(200);
  return c;
}

TEST(Partitions, ChangeNothingWhateverTheThreads) {
  std::uint64_t elsewhere = 0;
  for (const shape& s : shapes()) {
    const auto whole = run_cut(s, 1, 1);
    const fabric_facts expected = whole->facts();
    ASSERT_NE(whole->fact("packets_dropped_queue"), "0") << s.name;
    ASSERT_NE(whole->fact("packets_dropped_closed"), "0") << s.name;
    for (const std::uint32_t partitions : {2u, 3u, 8u}) {
      for (const unsigned threads : {1u, 2u, 3u}) {
        const auto cut = run_cut(s, threads, partitions);
        EXPECT_EQ(cut->facts(), expected) << s.name << ", " << partitions << " on " << threads;
        EXPECT_EQ(cut->fact("partitions"), std::to_string(partitions));
        EXPECT_GT(std::stoll(cut->fact("window_ns")), 0);
        if (threads == 1) {
          EXPECT_EQ(cut->turns_elsewhere, 0u);
        }
        elsewhere += cut->turns_elsewhere;
      }
    }
  }
  EXPECT_GT(elsewhere, 1000u) << "the other threads had nothing to do";
}

// The order of turns too: an observer of one sees that of the other.
TEST(Partitions, RunInTurnAsOneDoes) {
  for (const shape& s : shapes()) {
    chatter whole(options_of(s), 1, 1);
    chatter cut(options_of(s), 1, 8);
    for (int i = 0; i < 5000; ++i) {
      const std::int64_t turn = whole.net->advance(at_ns(1'000'000'000));
      ASSERT_EQ(cut.net->advance(at_ns(1'000'000'000)), turn) << s.name << ", turn " << i;
      const auto node = static_cast<std::size_t>(turn);
      ASSERT_EQ(cut.seats[node]->node->now(), whole.seats[node]->node->now());
      whole.take_turn(turn);
      cut.take_turn(turn);
    }
    EXPECT_EQ(cut.facts(), whole.facts()) << s.name;
  }
}

TEST(Partitions, StopWhenToldTo) {
  chatter c(options_of(shapes()[0]), 2, 8);
  c.stop_at = 5;
  c.run_to(1000);
  EXPECT_EQ(c.asked, 5u);
  EXPECT_LT(c.seats[0]->node->now(), at_ns(20'000'000));
}

TEST(Partitions, AreOneWhereTheCutWouldShow) {
  chatter nat(R"({"links": {"default": {"delay_us": 100, "nat_timeout_us": 1000}}})", 2, 8);
  EXPECT_THAT(nat.fact("one_thread_because"), ::testing::HasSubstr("NAT"));
  EXPECT_EQ(nat.fact("partitions"), "absent");
  chatter at_once(R"({"links": {"default": {"delay_us": 0}}})", 2, 8);
  at_once.run_to(1);
  EXPECT_THAT(at_once.fact("one_thread_because"), ::testing::HasSubstr("no delay"));
  chatter late(R"({"links": {"default": {"delay_us": 100, "rate_mbps": 10,
                   "queue": {"discipline": "codel"}}}})",
               2, 8);
  late.run_to(1);
  EXPECT_THAT(late.fact("one_thread_because"), ::testing::HasSubstr("decides late"));
}

TEST(Cut, LeavesTrunksWithoutDelayWhole) {
  const auto options = parse_network_options(R"({"links": {"default": {"delay_us": 100},
      "near": {"delay_us": 0}, "far": {"delay_us": 5000}},
      "topology": {"shape": "graph", "trunks": [
        {"from": "a", "to": "b", "link": "near"}, {"from": "b", "to": "c", "link": "far"},
        {"from": "c", "to": "d", "link": "near"}, {"from": "d", "to": "e", "link": "near"}]}})");
  const auto cut = cut_at_trunks(options.topology, 2);
  EXPECT_EQ(cut[0], cut[1]);
  EXPECT_EQ(cut[2], cut[3]);
  EXPECT_EQ(cut[3], cut[4]);
  EXPECT_NE(cut[0], cut[2]);
}

TEST(Cut, SharesRoutersEvenly) {
  const auto options = parse_network_options(R"({"links": {"default": {"delay_us": 1000}},
      "topology": {"shape": "tree", "routers": 127, "branches": 2, "trunk": "default"}})");
  std::array<int, 8> load{};
  for (const std::uint32_t p : cut_at_trunks(options.topology, 8)) ++load.at(p);
  for (const int routers : load) EXPECT_NEAR(routers, 16, 4);
}

TEST(Cut, KnowsTheLeastDelayOfALink) {
  const auto least = [](const std::string& link) {
    const auto options = parse_network_options((R"({"links": {"default": )" + link + "}}").c_str());
    return least_delay_ns(options.links.at("default").up);
  };
  EXPECT_EQ(least(R"({"delay_us": 900, "jitter_us": 100})"), 900'000);
  const std::int64_t normal =
      least(R"({"delay_us": 900, "jitter_us": 100, "jitter_shape": "normal", "reorder": true})");
  EXPECT_LT(normal, 600'000);
  EXPECT_GT(normal, 400'000);
  EXPECT_EQ(least(R"({"delay_us": 900, "jitter_us": 900, "jitter_shape": "normal"})"), 0);
  EXPECT_EQ(least(R"({"delay_us": 900, "changes": [{"at_us": 5000, "delay_us": 30}]})"), 30'000);
}

}  // namespace
}  // namespace mdp::netsim::test
