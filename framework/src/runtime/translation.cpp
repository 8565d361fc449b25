#include "translation.hpp"

namespace mdp::runtime {
namespace {

duration ms(double value) {
  return duration(static_cast<std::int64_t>(value * 1e6));
}

}  // namespace

engine::config to_engine(const node_config& c) noexcept {
  const auto u32 = [](double v) { return static_cast<std::uint32_t>(v); };
  const auto u64 = [](double v) { return static_cast<std::uint64_t>(v); };
  engine::config e;
  e.max_message_bytes = u32(c.max_message_bytes);
  e.min_packet_bytes = u32(c.min_packet_bytes);
  e.max_packet_bytes = u32(c.max_packet_bytes);
  e.pmtu_discovery = c.pmtu_discovery != 0;
  e.pmtu_raise = ms(c.pmtu_raise_s * 1000);
  e.max_enqueued_messages = u32(c.max_enqueued_messages);
  e.max_enqueued_bytes = u64(c.max_enqueued_bytes);
  e.max_peers = u32(c.max_peers);
  e.max_half_open = u32(c.max_half_open);
  e.zero_rtt = static_cast<engine::zero_rtt_policy>(c.zero_rtt);
  e.resets_per_second = u32(c.resets_per_second);
  e.receive_window_bytes = u64(c.receive_window_bytes);
  e.receive_window_messages = u32(c.receive_window_messages);
  e.reassembly_bytes = u64(c.reassembly_bytes_max);
  e.congestion_control = static_cast<engine::congestion_kind>(c.congestion_control);
  e.ecn = c.ecn != 0;
  e.congestion_window_bytes = u64(c.congestion_window_bytes);
  e.initial_window_packets = u32(c.initial_window_packets);
  e.swift_target = ms(c.swift_target_us / 1000);
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

engine::send_options to_engine(const messaging::send_options& o) noexcept {
  engine::send_options e;
  e.wants = static_cast<std::uint8_t>(o.want);
  e.context = o.context;
  e.priority = o.priority;
  e.channel = o.channel;
  e.idempotent = o.idempotent;
  e.lifetime = o.lifetime;
  e.received_timeout = o.received_timeout;
  e.delivered_timeout = o.delivered_timeout;
  return e;
}

bool valid(const messaging::send_options& o) noexcept {
  const bool wants_delivered = (static_cast<std::uint8_t>(o.want) &
                                static_cast<std::uint8_t>(messaging::confirm::delivered)) != 0;
  return o.priority <= 7 && o.channel <= 255 && o.lifetime >= duration{} &&
         o.received_timeout >= duration{} && o.delivered_timeout >= duration{} &&
         (o.delivered_timeout == duration{} || wants_delivered);
}

messaging::event_kind from_engine(engine::event_kind kind) noexcept {
  using from = engine::event_kind;
  using to = messaging::event_kind;
  switch (kind) {
    case from::message:
      return to::message;
    case from::received:
      return to::received;
    case from::delivered:
      return to::delivered;
    case from::rejected:
      return to::rejected;
    case from::cancelled:
      return to::cancelled;
    case from::expired:
      return to::expired;
    case from::timed_out_received:
      return to::timed_out_received;
    case from::timed_out_delivered:
      return to::timed_out_delivered;
    case from::unknown:
      return to::unknown;
    case from::peer_up:
      return to::peer_up;
    case from::peer_down:
      return to::peer_down;
    case from::peer_moved:
      return to::peer_moved;
  }
  return to::unknown;
}

messaging::refusal from_engine(engine::refusal why) noexcept {
  using from = engine::refusal;
  using to = messaging::refusal;
  switch (why) {
    case from::queue_full:
      return to::queue_full;
    case from::too_large:
      return to::too_large;
    case from::unknown_peer:
      return to::unknown_peer;
    case from::unknown_message:
      return to::unknown_message;
    case from::too_late:
      return to::too_late;
    case from::bad_option:
      return to::bad_option;
    case from::blacklisted:
      return to::blacklisted;
  }
  return to::closed;
}

message_state from_engine(engine::message_state state) noexcept {
  using from = engine::message_state;
  switch (state) {
    case from::queued:
      return message_state::queued;
    case from::sent:
      return message_state::sent;
    case from::received:
      return message_state::received;
    case from::delivered:
      return message_state::delivered;
    case from::rejected:
      return message_state::rejected;
    case from::cancelled:
      return message_state::cancelled;
    case from::expired:
      return message_state::expired;
    case from::timed_out_received:
      return message_state::timed_out_received;
    case from::timed_out_delivered:
      return message_state::timed_out_delivered;
    case from::unknown:
      return message_state::unknown;
    case from::settled:
      return message_state::settled;
    case from::never:
      return message_state::none;
  }
  return message_state::none;
}

}  // namespace mdp::runtime
