#include "inline_node.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace mdp::runtime {
namespace {

using messaging::event_kind;

duration ms(double value) {
  return duration(static_cast<std::int64_t>(value * 1e6));
}

engine::config to_engine(const node_config& c) {
  const auto u32 = [](double v) { return static_cast<std::uint32_t>(v); };
  const auto u64 = [](double v) { return static_cast<std::uint64_t>(v); };
  engine::config e;
  e.max_message_bytes = u32(c.max_message_bytes);
  e.max_packet_bytes = u32(c.max_packet_bytes);
  e.max_enqueued_messages = u32(c.max_enqueued_messages);
  e.max_peers = u32(c.max_peers);
  e.receive_window_bytes = u64(c.receive_window_bytes);
  e.receive_window_messages = u32(c.receive_window_messages);
  e.reassembly_bytes = u64(c.reassembly_bytes_max);
  e.congestion_window_bytes = u64(c.congestion_window_bytes);
  e.initial_rtt = ms(c.initial_rtt_ms);
  e.granularity = ms(c.timer_granularity_us / 1000);
  e.max_ack_delay = ms(c.max_ack_delay_ms);
  e.ack_frequency_packets = u32(c.ack_frequency_packets);
  e.pto_max = ms(c.pto_max_ms);
  e.heartbeat_after = ms(c.heartbeat_after_ms);
  e.heartbeat_period = ms(c.heartbeat_period_ms);
  e.peer_timeout = ms(c.peer_timeout_ms);
  e.connect_timeout = ms(c.connect_timeout_ms);
  return e;
}

engine::config checked(const node_options& options) {
  if (!options.fabric) throw std::runtime_error("a node needs a fabric");
  const transport::capabilities& caps = options.fabric->caps();
  engine::config e = to_engine(options.config);
  e.max_packet_bytes = std::min(e.max_packet_bytes, caps.datagram_bytes_max);
  e.rx_capacity_bytes = caps.rx_capacity_bytes;
  if (e.max_packet_bytes < wire::hello_bytes_min)
    throw std::runtime_error(
        fmt::format("max_packet_bytes: this transport carries {} bytes, the protocol needs {}",
                    e.max_packet_bytes, wire::hello_bytes_min));
  if (e.receive_window_bytes < e.max_message_bytes) {
    // A message that no credit could ever admit would block its peer for good.
    e.receive_window_bytes = e.max_message_bytes;
  }
  return e;
}

buffer::block_pool_options rx_options(const node_options& options, buffer::sharing sharing) {
  const std::size_t block = std::max<std::size_t>(options.fabric->caps().rx_block_bytes, 2048);
  const auto bytes = static_cast<std::size_t>(options.config.receive_pool_bytes);
  return {block, std::max<std::size_t>(bytes / block, 64), sharing,
          !options.fabric->caps().virtual_time};
}

std::unique_ptr<random_source> make_random(std::uint64_t seed) {
  if (seed == 0) return std::make_unique<system_random>();
  return std::make_unique<seeded_random>(seed);
}

std::unique_ptr<transport::transport> open_transport(const node_options& options,
                                                     buffer::block_pool& pool) {
  transport::open_options open;
  open.local = options.local;
  open.name = options.name;
  open.rx_pool = &pool;
  return options.fabric->open(open);
}

event_kind kind_of(engine::event_kind kind) noexcept {
  switch (kind) {
    case engine::event_kind::message:
      return event_kind::message;
    case engine::event_kind::received:
      return event_kind::received;
    case engine::event_kind::delivered:
      return event_kind::delivered;
    case engine::event_kind::unknown:
      return event_kind::unknown;
    case engine::event_kind::peer_up:
      return event_kind::peer_up;
    case engine::event_kind::peer_down:
      return event_kind::peer_down;
    default:
      break;
  }
  return event_kind::unknown;
}

}  // namespace

inline_node::inline_node(const node_options& options, buffer::sharing sharing)
    : random_(make_random(options.seed)),
      settings_(checked(options)),
      blocks_({settings_.max_packet_bytes + wire::frame_head_bytes,
               static_cast<std::size_t>(options.config.max_enqueued_packets), sharing,
               !options.fabric->caps().virtual_time}),
      control_blocks_({settings_.max_packet_bytes + wire::frame_head_bytes, 512, sharing,
                       !options.fabric->caps().virtual_time}),
      rx_pool_(rx_options(options, sharing)),
      transport_(open_transport(options, rx_pool_)),
      engine_(
          settings_, engine::engine_memory{blocks_, control_blocks_, sharing},
          engine::train_limits{transport_->caps().segments_max, transport_->caps().train_bytes_max},
          *random_),
      spin_(options.spin) {}

result<peer_id, std::string> inline_node::connect(const endpoint_address& to) {
  auto peer = engine_.connect(transport_->now(), to);
  if (!peer)
    return failure(fmt::format("cannot connect to {}: max_peers is reached", to_string(to)));
  return *peer;
}

result<message_id, messaging::refusal> inline_node::submit(
    peer_id to, std::span<const std::byte> payload,
    const messaging::send_options& options) noexcept {
  engine::send_options how;
  how.wants = static_cast<std::uint8_t>(options.want);
  how.context = options.context;
  auto id = engine_.submit(transport_->now(), to, payload, how);
  if (id) return *id;
  switch (id.error()) {
    case engine::refusal::queue_full:
      return failure(messaging::refusal::queue_full);
    case engine::refusal::too_large:
      return failure(messaging::refusal::too_large);
    default:
      break;
  }
  return failure(messaging::refusal::unknown_peer);
}

void inline_node::transmit(time_point now) noexcept {
  blocked_ = false;
  for (;;) {
    if (batch_.empty()) engine_.poll_transmit(now, batch_);
    const auto pending = batch_.pending();
    if (pending.empty()) return;
    const std::size_t taken = transport_->send(pending);
    blocked_ = taken < pending.size();
    batch_.consume(taken);
    if (blocked_) return;
  }
}

std::size_t inline_node::take_events(std::span<messaging::event> out) noexcept {
  std::size_t n = 0;
  while (n < out.size()) {
    const std::size_t count =
        engine_.poll_events({chunk_.data(), std::min(chunk_.size(), out.size() - n)});
    if (count == 0) break;
    for (std::size_t i = 0; i < count; ++i, ++n) {
      engine::event& e = chunk_[i];
      if (e.kind == engine::event_kind::message && e.confirm) engine_.confirm(e.peer, e.id);
      messaging::event& to = out[n];
      to.kind = kind_of(e.kind);
      to.peer = e.peer;
      to.id = e.id;
      to.context = e.context;
      to.time = e.time;
      to.payload = std::move(e.payload);
      to.reason = e.reason;
    }
  }
  return n;
}

std::size_t inline_node::poll(std::span<messaging::event> out, time_point deadline) noexcept {
  for (;;) {
    time_point now = transport_->now();
    if (engine_.next_deadline() <= now) engine_.handle_deadline(now);
    transmit(now);
    transport::wait_limits wait;
    wait.deadline = std::min(deadline, engine_.next_deadline());
    if (blocked_) wait.deadline = std::min(wait.deadline, now + std::chrono::microseconds(100));
    if (engine_.events_pending() > 0) wait.deadline = now;
    wait.spin = spin_;
    const std::size_t count = transport_->poll(received_, wait);
    now = transport_->now();
    if (count > 0) engine_.handle_datagrams(now, {received_.data(), count});
    if (engine_.next_deadline() <= now) engine_.handle_deadline(now);
    // With something to report the caller comes back soon, and its answer shares a packet with our
    // acknowledgement. Without, what the packets call for leaves now.
    if (const std::size_t n = take_events(out); n > 0) return n;
    if (count > 0 && (now < deadline || transport_->caps().virtual_time)) continue;
    transmit(now);
    return 0;
  }
}

messaging::statistics inline_node::stats() const {
  messaging::statistics all;
  engine::for_each_stat(engine_.counts(), [&](const char* name, std::uint64_t value) {
    all.emplace_back(name, value);
  });
  return all;
}

}  // namespace mdp::runtime
