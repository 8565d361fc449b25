// What the tests of a node's calls share: two sources, one suite, instantiated in api_test.cpp.
#pragma once
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/support/node_world.hpp"

namespace mdp::test {

using messaging::event;
using messaging::event_kind;

inline std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

inline std::string text(const event& e) {
  return {reinterpret_cast<const char*>(e.payload.data()), e.payload.size()};
}

// An address at which nobody answers.
inline endpoint_address nobody(const node_variant& v) {
  return std::string(v.plugin) == "netsim" ? simulated_address(4000)
                                           : *parse_endpoint_address("127.0.0.1:9");
}

class node_api : public testing::TestWithParam<node_variant> {
 protected:
  void SetUp() override {
    try {
      world_ = std::make_unique<node_world>(GetParam());
    } catch (const plugin::plugin_error& e) {
      GTEST_SKIP() << "SKIPPED: " << e.what();
    }
  }
  static node_options with(node_config config, confirm_mode mode = confirm_mode::automatic) {
    node_options o;
    o.config = config;
    o.confirm = mode;
    return o;
  }
  // A peer of `a` that is up.
  peer_id connected(node& a, node& b) {
    const auto peer = a.connect(b.local_address());
    EXPECT_TRUE(peer) << peer.error();
    EXPECT_TRUE(world_->run_until([&] { return up(a, *peer); }));
    return *peer;
  }
  bool up(const node& n, peer_id peer) {
    for (const event& e : world_->events_of(n))
      if (e.kind == event_kind::peer_up && e.peer == peer) return true;
    return false;
  }
  // What arrived at `n`, in order.
  std::vector<std::string> texts(const node& n) {
    std::vector<std::string> all;
    for (const event& e : world_->events_of(n))
      if (e.kind == event_kind::message) all.push_back(text(e));
    return all;
  }
  std::unique_ptr<node_world> world_;
};

}  // namespace mdp::test
