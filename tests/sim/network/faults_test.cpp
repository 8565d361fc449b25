// Each fault that the simulator gives a node: one that MDP outlives, and one that it cannot; either
// ends in what docs/protocol.md promises.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>
#include <map>

#include "mdp/plugin/plugin_loader.hpp"
#include "mdp/runtime/node.hpp"

namespace mdp {
namespace {

using messaging::event;
using messaging::event_kind;

constexpr int messages = 40;  // one each 100 ms

struct trial {
  const char* name;
  const char* faults;  // of the simulator
  bool restarts;       // the server dies at 1 s; a new one opens at its address at 1.5 s ...
  bool comes_back;     // ... or never
  bool survives;
};

void PrintTo(const trial& t, std::ostream* out) {
  *out << t.name;
}

class node_faults : public testing::TestWithParam<trial> {};

struct ends {
  std::map<std::uint64_t, std::map<event_kind, int>> of_message;
  std::map<std::uint64_t, int> taken;  // by serial, at the server
  int ups = 0;
  int downs = 0;
  std::size_t unresolved = 0;  // what the client answers about itself at the end
};

class trial_run {
 public:
  explicit trial_run(const trial& t)
      : trial_(t),
        fabric_(plugin::create_fabric(
            "netsim",
            fmt::format(R"({{"links": {{"default": {{"rate_mbps": 100, "delay_us": 5000}}}},
                             "faults": [{}]}})",
                        t.faults),
            {MDP_PLUGIN_DIR})) {
    client_ = open("client", 1, {});
    server_ = open("server", 2, {});
    address_ = server_->local_address();
    peer_ = *client_->connect(address_);
  }
  ends run() {
    for (std::int64_t step = 0; step < 4000; ++step) {  // 10 ms each
      const time_point now = at_ns(step * 10'000'000);
      if (trial_.restarts && step == 100) server_.reset();
      if (trial_.comes_back && step == 150) server_ = open("server", 3, address_);
      if (step % 10 == 0 && sent_ < messages) send();
      turn(*client_, true);
      if (server_) turn(*server_, false);
      for (std::int64_t ready = 0; (ready = fabric_->advance(now)) >= 0;) {
        if (ready == 0) turn(*client_, true);
        if (ready == 1 && server_) turn(*server_, false);
      }
    }
    seen_.unresolved = client_->unresolved(peer_).size();
    return seen_;
  }

 private:
  std::unique_ptr<node> open(const char* name, std::uint64_t seed, endpoint_address at) {
    node_options o;
    o.fabric = fabric_.get();
    o.name = name;
    o.seed = seed;
    o.local = at;
    o.config.peer_timeout_ms = 3000;
    o.config.connect_timeout_ms = 2000;
    return make_node(o);
  }
  void send() {
    const auto serial = static_cast<std::uint64_t>(sent_);
    messaging::send_options o;
    o.want = messaging::confirm::delivered;
    o.context = serial;
    ASSERT_TRUE(client_->submit(peer_, std::as_bytes(std::span(&serial, 1)), o)) << serial;
    ++sent_;
  }
  void turn(node& n, bool client) {
    event out[64];
    for (std::size_t count = 1; count > 0;) {
      count = n.poll(out, never);
      for (std::size_t i = 0; i < count; ++i) see(out[i], client);
    }
  }
  void see(event& e, bool client) {
    if (client && e.kind == event_kind::peer_up) ++seen_.ups;
    if (client && e.kind == event_kind::peer_down) ++seen_.downs;
    const bool about_peers = e.kind >= event_kind::peer_up;
    if (client && !about_peers) ++seen_.of_message[e.context][e.kind];
    if (!client && e.kind == event_kind::message) {
      std::uint64_t serial = 0;
      std::memcpy(&serial, e.payload.data(), sizeof serial);
      ++seen_.taken[serial];
    }
    e.payload.reset();
  }

  trial trial_;
  std::shared_ptr<transport::fabric> fabric_;
  std::unique_ptr<node> client_;
  std::unique_ptr<node> server_;
  endpoint_address address_;
  peer_id peer_ = no_peer;
  int sent_ = 0;
  ends seen_;
};

// R-LIVE-2, R-SESS-6, R-PATH-1: no message has two ends; `delivered` says what happened; what a
// silent peer may still have is told as unresolved, for its session goes on when it is heard again.
TEST_P(node_faults, end_as_promised) {
  const trial& t = GetParam();
  const ends seen = trial_run(t).run();
  EXPECT_EQ(seen.of_message.size() + seen.unresolved, static_cast<std::size_t>(messages));
  int delivered = 0;
  for (const auto& [serial, kinds] : seen.of_message) {
    ASSERT_EQ(kinds.size(), 1u) << "message " << serial;
    EXPECT_EQ(kinds.begin()->second, 1) << "message " << serial;
    if (kinds.contains(event_kind::delivered)) {
      ++delivered;
      EXPECT_EQ(seen.taken.contains(serial), true) << "message " << serial;
    } else {
      EXPECT_TRUE(kinds.contains(event_kind::unknown)) << "message " << serial;
    }
  }
  for (const auto& [serial, times] : seen.taken) EXPECT_EQ(times, 1) << "message " << serial;
  if (t.survives) {
    EXPECT_EQ(delivered, messages);
    EXPECT_EQ(seen.downs, 0);
    EXPECT_EQ(seen.ups, 1);
  } else {
    EXPECT_GE(delivered, 5) << "before the fault";
    EXPECT_LT(delivered, messages);
    EXPECT_GE(seen.downs, 1) << "the application is told";
    EXPECT_EQ(seen.ups, t.comes_back ? 2 : 1) << "a pinned peer that restarted is up again";
  }
}

INSTANTIATE_TEST_SUITE_P(
    faults, node_faults,
    testing::Values(
        trial{"partition_heals",
              R"({"kind": "partition", "at_us": 1e6, "for_us": 2e6, "nodes": ["server"]})", false,
              false, true},
        trial{"partition_lasts", R"({"kind": "partition", "at_us": 1e6, "nodes": ["server"]})",
              false, false, false},
        trial{"pause_ends",
              R"({"kind": "pause", "at_us": 1e6, "for_us": 2e6, "nodes": ["server"]})", false,
              false, true},
        trial{"pause_lasts", R"({"kind": "pause", "at_us": 1e6, "nodes": ["server"]})", false,
              false, false},
        trial{"rebind_of_the_sender", R"({"kind": "rebind", "at_us": 1e6, "nodes": ["client"]})",
              false, false, true},
        trial{"clock_steps_a_second",
              R"({"kind": "clock_step", "at_us": 1e6, "nodes": ["client"], "step_us": 1e6})", false,
              false, true},
        trial{"clock_runs_fast",
              R"({"kind": "clock_skew", "at_us": 0, "nodes": ["server"], "skew_ppm": 100000})",
              false, false, true},
        trial{"server_restarts", "", true, true, false},
        trial{"server_crashes", "", true, false, false}),
    [](const auto& about) { return about.param.name; });

}  // namespace
}  // namespace mdp
