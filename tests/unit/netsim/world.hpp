// A simulated network with nodes that share one pool, or have their own: what most tests need.
#pragma once
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "mdp/netsim/fabric.hpp"

namespace mdp::netsim::test {

struct world {
  explicit world(const std::string& options_json, std::size_t blocks = 256)
      : pool({.block_bytes = 2048, .block_count = blocks, .prefault = false}),
        net(make_fabric(options_json.c_str())) {}

  std::size_t open(const std::string& name, buffer::block_pool* rx_pool = nullptr) {
    nodes.push_back(net->open({{}, name, rx_pool != nullptr ? rx_pool : &pool}));
    return nodes.size() - 1;
  }
  // Sends one datagram of `bytes` bytes whose first byte is `mark`.
  void send(std::size_t from, std::size_t to, std::uint32_t bytes, std::uint8_t mark = 0) {
    buffer::slice whole = buffer::slice::acquire(pool);
    ASSERT_TRUE(whole);
    whole.data()[0] = std::byte{mark};
    const buffer::slice part = whole.subslice(0, bytes);
    const buffer::tx_datagrams item{nodes[to]->local_address(), {&part, 1}, bytes};
    ASSERT_EQ(nodes[from]->send({&item, 1}), 1u);
  }
  // Takes everything that has arrived; the node then sleeps until the next arrival.
  std::vector<buffer::rx_datagrams> take(std::size_t node) {
    std::vector<buffer::rx_datagrams> all;
    std::array<buffer::rx_datagrams, 8> some;
    for (;;) {
      const std::size_t n = nodes[node]->poll(some, {.deadline = never});
      for (std::size_t i = 0; i < n; ++i) all.push_back(std::move(some[i]));
      if (n < some.size()) return all;
    }
  }
  [[nodiscard]] std::string fact(const std::string& name) const {
    for (const auto& [key, value] : net->facts()) {
      if (key == name) return value;
    }
    return "absent";
  }

  buffer::block_pool pool;
  std::unique_ptr<transport::fabric> net;
  std::vector<std::unique_ptr<transport::transport>> nodes;
};

}  // namespace mdp::netsim::test
