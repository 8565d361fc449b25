// Engines over the simulated network, each a bulk sender or a receiver: what a congestion
// controller does with a link, in virtual time. Engines are configured directly.
#pragma once
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "engine/endpoint.hpp"
#include "mdp/netsim/fabric.hpp"

namespace mdp::test {

// The largest message that travels in one packet of 1,472 bytes.
inline constexpr std::size_t flow_message_bytes = 1440;

// Engines that only the controller and the path slow down.
inline engine::config flow_config(engine::congestion_kind kind) {
  engine::config c;
  c.congestion_control = kind;
  c.max_message_bytes = 1u << 20;
  c.receive_window_bytes = 64u << 20;
  c.receive_window_messages = 65536;
  return c;
}

struct flow_node {
  flow_node(transport::fabric& fabric, const std::string& name, const engine::config& settings,
            std::uint64_t seed, std::size_t packets)
      : random(seed),
        blocks({settings.max_packet_bytes + 64, packets, buffer::sharing::one_thread, false}),
        control({settings.max_packet_bytes + 64, 4096, buffer::sharing::one_thread, false}),
        rx({2048, packets, buffer::sharing::one_thread, false}) {
    transport::open_options open;
    open.name = name;
    open.rx_pool = &rx;
    wire = fabric.open(open);
    engine = std::make_unique<engine::endpoint>(
        settings, engine::engine_memory{blocks, control, buffer::sharing::one_thread},
        engine::train_limits{wire->caps().segments_max, wire->caps().train_bytes_max}, random);
  }

  // Submits as long as the queue takes it, until `limit` messages are submitted.
  void fill() {
    static const std::array<std::byte, flow_message_bytes> payload{};
    const std::span<const std::byte> bytes(payload.data(), message_bytes);
    // In session only: what is framed before suits the smallest packets.
    const auto peer = engine->info(to);
    while (sending && peer && peer->active && submitted < limit &&
           engine->submit(wire->now(), to, bytes, {engine::want_received, 0}))
      ++submitted;
  }
  void transmit() {
    for (;;) {
      if (batch.empty()) engine->poll_transmit(wire->now(), batch);
      if (batch.empty()) return;
      batch.consume(wire->send(batch.pending()));
    }
  }
  bool take_events() {
    const std::size_t n = engine->poll_events(events);
    for (std::size_t i = 0; i < n; ++i) {
      if (events[i].kind == engine::event_kind::message) {
        ++messages;
        bytes_received += events[i].payload.size();
        last_message = wire->now();
      }
      if (events[i].kind == engine::event_kind::received) ++confirmed;
      if (events[i].kind == engine::event_kind::peer_down) ++downs;
      events[i].payload.reset();
    }
    return n > 0;
  }
  // Holds back what has come until `batch_period` has passed since the last turn. True: not yet.
  bool hold_back() {
    for (;;) {
      const std::size_t n = wire->poll(received, {next_turn});
      if (n == 0) break;
      for (std::size_t i = 0; i < n; ++i) held.push_back(std::move(received[i]));
    }
    if (wire->now() < next_turn) return true;
    engine->handle_datagrams(wire->now(), held);
    held.clear();
    next_turn = wire->now() + batch_period;
    return false;
  }
  void turn() {
    if (batch_period > duration::zero() && hold_back()) return;
    for (bool any = true; any;) {
      any = false;
      if (engine->next_deadline() <= wire->now()) engine->handle_deadline(wire->now());
      while (take_events()) any = true;
      fill();
      transmit();
      const std::size_t n = wire->poll(received, {engine->next_deadline()});
      for (std::size_t i = 0; deaf && i < n; ++i) received[i].data.reset();
      if (n > 0 && !deaf) engine->handle_datagrams(wire->now(), {received.data(), n});
      any = any || n > 0;
    }
  }

  seeded_random random;
  buffer::block_pool blocks, control, rx;
  std::unique_ptr<transport::transport> wire;
  std::unique_ptr<engine::endpoint> engine;
  buffer::tx_batch batch;
  std::array<buffer::rx_datagrams, 64> received;
  std::array<engine::event, 64> events;
  peer_id to{};
  bool sending = false;
  bool deaf = false;  // what comes is thrown away
  std::size_t message_bytes = flow_message_bytes;
  std::uint64_t limit = UINT64_MAX, submitted = 0, confirmed = 0, messages = 0, bytes_received = 0;
  duration batch_period{};  // above zero: what comes is looked at only so often
  time_point next_turn{};
  std::vector<buffer::rx_datagrams> held;
  int downs = 0;
  time_point last_message{};
};

class flow_network {
 public:
  // `links`: the value of the simulator's option "links"; `nodes`: of "nodes".
  explicit flow_network(const std::string& links, const std::string& nodes = "{}",
                        std::uint64_t seed = 1)
      : fabric_(netsim::make_fabric((R"({"seed": )" + std::to_string(seed) + R"(, "links": )" +
                                     links + R"(, "nodes": )" + nodes + "}")
                                        .c_str())) {}

  flow_node& add(const std::string& name, const engine::config& settings,
                 std::size_t packets = 8192) {
    nodes_.push_back(
        std::make_unique<flow_node>(*fabric_, name, settings, nodes_.size() + 1, packets));
    return *nodes_.back();
  }
  // Opens a session; bulk data flows from now on.
  void start(flow_node& from, const flow_node& to) {
    from.to = *from.engine->connect(from.wire->now(), to.wire->local_address());
    from.sending = true;
    from.turn();
  }
  void run_until(time_point limit) {
    for (auto& n : nodes_) n->turn();
    for (;;) {
      const std::int64_t ready = fabric_->advance(limit);
      if (ready < 0) return;
      nodes_[static_cast<std::size_t>(ready)]->turn();
    }
  }
  void run_for(duration span) { run_until(now() + span); }
  [[nodiscard]] time_point now() const { return nodes_.front()->wire->now(); }
  [[nodiscard]] std::uint64_t fact(const std::string& name) const {
    for (const auto& [key, value] : fabric_->facts())
      if (key == name) return std::stoull(value);
    return 0;
  }

 private:
  std::unique_ptr<transport::fabric> fabric_;
  std::vector<std::unique_ptr<flow_node>> nodes_;
};

// Mb/s of payload that `to` took in `span`, from now on.
inline double goodput_mbps(flow_network& net, const flow_node& to, duration span) {
  const std::uint64_t before = to.bytes_received;
  net.run_for(span);
  return static_cast<double>(to.bytes_received - before) * 8e3 / static_cast<double>(span.count());
}

}  // namespace mdp::test
