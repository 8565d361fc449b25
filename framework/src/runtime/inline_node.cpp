#include "inline_node.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "port_set.hpp"

namespace mdp::runtime {
namespace {

engine::config checked(const node_options& options) {
  if (!options.fabric) throw std::runtime_error("a node needs a fabric");
  const transport::capabilities& caps = options.fabric->caps();
  engine::config e = to_engine(options.config);
  e.node_key = options.node_key;
  e.max_packet_bytes = std::min(e.max_packet_bytes, caps.datagram_bytes_max);
  e.rx_capacity_bytes = caps.rx_capacity_bytes;
  if (options.config.min_packet_bytes > options.config.max_packet_bytes)
    throw std::runtime_error("min_packet_bytes: it is more than max_packet_bytes");
  if (e.max_packet_bytes < wire::hello_bytes_min)
    throw std::runtime_error(
        fmt::format("max_packet_bytes: this transport carries {} bytes, the protocol needs {}",
                    e.max_packet_bytes, wire::hello_bytes_min));
  // No larger than what can ever be queued here (in packets that every path carries) or put
  // together again: message_bytes_max() tells, and larger ones are too_large instead of queue_full
  // for ever.
  const double packet_payload = wire::hello_bytes_min - wire::header_bytes - 64;
  const double queue_bytes = options.config.max_enqueued_packets * packet_payload;
  const double bound = std::min(queue_bytes, options.config.reassembly_bytes_max / 4);
  e.max_message_bytes = static_cast<std::uint32_t>(std::min<double>(e.max_message_bytes, bound));
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
                                                     buffer::block_pool& pool,
                                                     const port_share& share) {
  transport::open_options open;
  open.local = options.local;
  open.name = options.name;
  open.rx_pool = &pool;
  open.sharers = static_cast<std::uint16_t>(share.count);
  if (options.more_locals.empty()) return options.fabric->open(open);
  std::vector<endpoint_address> locals{options.local};
  locals.insert(locals.end(), options.more_locals.begin(), options.more_locals.end());
  return std::make_unique<port_set>(*options.fabric, open, locals);
}

std::vector<endpoint_address> addresses_of(const transport::transport& t) {
  if (const auto* several = dynamic_cast<const port_set*>(&t)) return several->local_addresses();
  return {t.local_address()};
}

}  // namespace

inline_node::inline_node(const node_options& options, buffer::sharing sharing, port_share share)
    : random_(make_random(options.seed)),
      settings_(checked(options)),
      blocks_({settings_.max_packet_bytes + wire::frame_head_bytes,
               static_cast<std::size_t>(options.config.max_enqueued_packets), sharing,
               !options.fabric->caps().virtual_time}),
      control_blocks_({settings_.max_packet_bytes + wire::frame_head_bytes, 512, sharing,
                       !options.fabric->caps().virtual_time}),
      rx_pool_(rx_options(options, sharing)),
      transport_(open_transport(options, rx_pool_, share)),
      locals_(addresses_of(*transport_)),
      engine_(
          settings_, engine::engine_memory{blocks_, control_blocks_, sharing},
          engine::train_limits{transport_->caps().segments_max, transport_->caps().train_bytes_max},
          *random_),
      spin_(options.spin),
      share_(share),
      confirm_(options.confirm) {}

result<peer_id, std::string> inline_node::connect(const endpoint_address& to) {
  if (closing_) return failure(std::string("cannot connect: the node was shut down"));
  auto peer = engine_.connect(transport_->now(), through_port(to));
  if (!peer)
    return failure(fmt::format("cannot connect to {}: {}", to_string(to),
                               peer.error() == engine::refusal::blacklisted
                                   ? "it is blacklisted"
                                   : "max_peers is reached"));
  return *peer;
}

endpoint_address inline_node::through_port(endpoint_address to) const noexcept {
  const auto fits = [&](const endpoint_address& local) { return local.family == to.family; };
  if (to.local < locals_.size() && fits(locals_[to.local])) return to;
  const auto first = std::find_if(locals_.begin(), locals_.end(), fits);
  to.local = first == locals_.end() ? 0 : first->local;
  return to;
}

result<message_id, messaging::refusal> inline_node::submit(
    peer_id to, std::span<const std::byte> payload,
    const messaging::send_options& options) noexcept {
  return submit_parts(to, {{&payload, 1}, payload.size(), nullptr}, options);
}

result<message_id, messaging::refusal> inline_node::submit_zero_copy(
    peer_id to, const buffer::slice& payload, const messaging::send_options& options) noexcept {
  const std::span<const std::byte> bytes = payload.bytes();
  return submit_parts(to, {{&bytes, 1}, bytes.size(), &payload}, options);
}

result<message_id, messaging::refusal> inline_node::submit_parts(
    peer_id to, const engine::payload_parts& payload,
    const messaging::send_options& options) noexcept {
  if (closing_) return failure(messaging::refusal::closed);
  // The clock costs as much as all the rest of a small message: it is read for time-outs only.
  const bool timed =
      (options.lifetime + options.received_timeout + options.delivered_timeout).count() != 0;
  auto id = engine_.submit(timed ? transport_->now() : turn_, to, payload, to_engine(options));
  if (!id) return failure(from_engine(id.error()));
  return message_number{engine_.find(to)->session(), id->value}.id();
}

id_set& inline_node::unanswered(peer_id from) {
  const std::size_t slot = slot_of(from);
  if (slot >= unanswered_.size()) unanswered_.resize(slot + 1);
  return unanswered_[slot];
}

result<void, messaging::refusal> inline_node::answer(peer_id from, message_id id,
                                                     bool accepted) noexcept {
  if (confirm_ == confirm_mode::automatic) return failure(messaging::refusal::not_supported);
  const engine::peer* peer = engine_.find(from);
  if (!peer) return failure(messaging::refusal::unknown_peer);
  const message_number message = message_number::of(id);
  id_set& open = unanswered(from);
  if (message.session != peer->session() || !open.find(id.value))
    return failure(messaging::refusal::unknown_message);
  open.erase(id.value);
  tell(from, message_id{message.number}, accepted);
  return {};
}

void inline_node::tell(peer_id from, message_id number, bool accepted) noexcept {
  if (accepted) {
    engine_.confirm(from, number);
  } else {
    engine_.reject(from, number);
  }
}

void inline_node::forget_unanswered(peer_id from) noexcept {
  if (slot_of(from) < unanswered_.size()) unanswered_[slot_of(from)].clear();
}

void inline_node::take_message(const engine::event& e, message_id id) noexcept {
  if (!e.confirm) return;
  const engine::peer* peer = engine_.find(e.peer);
  if (!peer || peer->session() != e.session) return;  // nobody waits for the answer any more
  if (confirm_ == confirm_mode::automatic) {
    tell(e.peer, e.id, true);
  } else {
    unanswered(e.peer).insert(id.value, true);
  }
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

std::size_t inline_node::keep_ours(std::size_t count) noexcept {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < count; ++i) {
    buffer::rx_datagrams& one = received_[i];
    if (transport::sharer_of(one.from, share_.count) != share_.index) {
      one.data.reset();
    } else if (kept++ != i) {
      received_[kept - 1] = std::move(one);
    }
  }
  return kept;
}

std::size_t inline_node::take_events(std::span<messaging::event> out) noexcept {
  std::size_t n = 0;
  while (n < out.size()) {
    const std::size_t count =
        engine_.poll_events({chunk_.data(), std::min(chunk_.size(), out.size() - n)});
    if (count == 0) break;
    for (std::size_t i = 0; i < count; ++i, ++n) {
      engine::event& e = chunk_[i];
      const message_id id = message_number{e.session, e.id.value}.id();
      if (e.kind == engine::event_kind::message) take_message(e, id);
      if (e.kind == engine::event_kind::peer_down) forget_unanswered(e.peer);
      messaging::event& to = out[n];
      to.kind = from_engine(e.kind);
      to.confirm = e.confirm;
      to.channel = e.channel;
      to.peer = e.peer;
      to.id = id;
      to.context = e.context;
      to.time = e.time;
      to.payload = std::move(e.payload);
      to.reason = e.reason;
    }
  }
  return n;
}

std::size_t inline_node::turn(time_point deadline, bool reports) noexcept {
  time_point now = transport_->now();
  if (engine_.next_deadline() <= now) engine_.handle_deadline(now);
  transmit(now);
  transport::wait_limits wait;
  wait.deadline = std::min(deadline, engine_.next_deadline());
  if (blocked_) wait.deadline = std::min(wait.deadline, now + std::chrono::microseconds(100));
  if (reports && engine_.events_pending() > 0) wait.deadline = now;
  wait.spin = spin_;
  const std::size_t count = transport_->poll(received_, wait);
  turn_ = now = transport_->now();
  const std::size_t ours = share_.count == 1 ? count : keep_ours(count);
  if (ours > 0) engine_.handle_datagrams(now, {received_.data(), ours});
  if (engine_.next_deadline() <= now) engine_.handle_deadline(now);
  return count;
}

std::size_t inline_node::poll(std::span<messaging::event> out, time_point deadline) noexcept {
  if (over_) return take_events(out);
  for (;;) {
    const std::size_t count = turn(deadline, !out.empty());
    // With something to report the caller comes back soon, and its answer shares a packet with our
    // acknowledgement. Without, what the packets call for leaves now.
    if (const std::size_t n = take_events(out); n > 0) return n;
    if (count > 0 && (turn_ < deadline || transport_->caps().virtual_time)) continue;
    transmit(turn_);
    return 0;
  }
}

result<void, messaging::refusal> inline_node::wait_writable(peer_id to, std::size_t bytes,
                                                            time_point deadline) noexcept {
  if (bytes > settings_.max_message_bytes) return failure(messaging::refusal::too_large);
  for (;;) {
    if (!engine_.find(to)) return failure(messaging::refusal::unknown_peer);
    if (engine_.writable(to, bytes)) return {};
    if (transport_->caps().virtual_time || transport_->now() >= deadline)
      return failure(messaging::refusal::queue_full);
    // Only what comes, or a timer, makes room: each turn ends with either.
    static_cast<void>(turn(deadline, false));
  }
}

bool inline_node::shutdown(time_point deadline) noexcept {
  if (over_) return true;
  closing_ = true;
  while (!idle() && !transport_->caps().virtual_time && transport_->now() < deadline)
    static_cast<void>(turn(deadline, false));
  transmit(transport_->now());
  const bool clean = engine_.idle();  // an acknowledgement may still wait for room to leave
  engine_.close(transport_->now());
  over_ = true;
  return clean;
}

messaging::statistics inline_node::stats() const {
  messaging::statistics all;
  engine::for_each_stat(engine_.counts(), [&](const char* name, std::uint64_t value) {
    all.emplace_back(name, value);
  });
  return all;
}

}  // namespace mdp::runtime
