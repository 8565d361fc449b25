// One engine with its memory and its application, and what the network between engines does.
#pragma once
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>
#include "engine/endpoint.hpp"

namespace mdp::test {

struct network_options {
  duration delay = std::chrono::milliseconds(5);
  duration jitter{};  // uniform, reorders
  double loss = 0;
  double duplicate = 0;
  double corrupt = 0;
  std::uint64_t seed = 1;
  std::uint64_t bytes_per_second = 0;    // 0: no limit
  duration queue_max = duration::max();  // a packet that would wait longer for the rate is dropped
  std::size_t mtu = 65507;               // larger packets vanish
  double mark = 0;                       // congestion marks on packets that allow them
};

// What a node works in.
struct node_memory {
  std::size_t blocks = 4096;
  std::size_t control = 256;
  std::size_t rx = 256;
};

// What one side's application has seen.
struct application {
  std::vector<std::pair<std::uint64_t, std::string>> messages;  // id, payload
  std::vector<std::uint64_t> received, delivered, unknown;
  std::vector<std::pair<engine::event_kind, std::uint64_t>> others;  // the rest: kind, context
  std::vector<std::string> downs;
  int ups = 0;
  bool confirms = true;
  bool polls = true;
  // Asked for each message that wants it, if set, instead of `confirms`.
  std::function<bool(const engine::event&)> judge;
};

struct engine_node {
  engine_node(std::uint32_t index, const engine::config& config, std::uint64_t seed,
              const node_memory& memory)
      : number(index),
        settings(config),
        random(seed),
        blocks({settings.max_packet_bytes + 64, memory.blocks, buffer::sharing::one_thread, false}),
        control(
            {settings.max_packet_bytes + 64, memory.control, buffer::sharing::one_thread, false}),
        rx({65536, memory.rx, buffer::sharing::one_thread, false}),
        address(simulated_address(number)) {
    restart();
  }
  // The process ended and began again: all but the configuration and the address is forgotten.
  void restart() {
    engine.reset();
    engine = std::make_unique<engine::endpoint>(
        settings, engine::engine_memory{blocks, control, buffer::sharing::one_thread},
        engine::train_limits{16, 65507}, random);
  }
  // Every block has come home, but for those that a living engine may keep.
  [[nodiscard]] bool all_blocks_home() const {
    return blocks.available() == blocks.block_count() && rx.available() == rx.block_count() &&
           control.available() == control.block_count();
  }

  std::uint32_t number;
  engine::config settings;
  seeded_random random;
  buffer::block_pool blocks, control, rx;
  endpoint_address address;
  std::unique_ptr<engine::endpoint> engine;
  application app;
  std::uint64_t deadlines_run = 0;  // calls of handle_deadline
};

}  // namespace mdp::test
