#include "endpoint.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace mdp::engine {
endpoint::endpoint(const config& settings, const engine_memory& memory, const train_limits& trains,
                   random_source& random)
    : settings_(settings),
      random_(random),
      instance_(random.next()),
      buffers_(settings.reassembly_bytes, memory.sharing),
      bodies_(memory.bodies_max > 0
                  ? memory.bodies_max
                  : memory.blocks.block_count() + memory.control_blocks.block_count()),
      shared_{settings_,        counts_,
              events_,          bodies_,
              memory.blocks,    memory.control_blocks,
              buffers_,         std::max(trains.segments_max, 1u),
              trains.bytes_max, random,
              half_open_},
      addresses_(siphash_key{random.next(), random.next()}),
      blacklist_(siphash_key{random.next(), random.next()}),
      replies_(settings.node_key, siphash_key{random.next(), random.next()},
               settings.resets_per_second, counts_),
      cookies_(siphash_key{instance_, ~instance_}) {
  settings_.max_peers = std::min(settings_.max_peers, slot_mask);
}

peer* endpoint::lookup(std::uint32_t id) noexcept {
  const std::uint32_t slot = id & slot_mask;
  if (slot >= peers_.size()) return nullptr;
  peer* p = peers_[slot].get();
  return p->id() == id && p->state() != peer_state::free ? p : nullptr;
}

peer* endpoint::find_address(const endpoint_address& address) const noexcept {
  const std::uint32_t slot = addresses_.find(address);
  return slot == address_map::absent ? nullptr : peers_[slot].get();
}

peer* endpoint::add_peer(time_point now, const endpoint_address& address, bool pinned) {
  if (used_ >= settings_.max_peers) {
    ++counts_.rejected_peer_limit;
    return nullptr;
  }
  if (free_slots_.empty()) {
    const auto slot = static_cast<std::uint32_t>(peers_.size());
    peers_.push_back(std::make_unique<peer>(shared_, slot | 1u << 20));
    free_slots_.push_back(slot);
    timers_.resize(peers_.size());
    reported_.push_back(0);
    changed_.push_back(false);
  }
  // The slot that was left the longest ago: generations come round as late as can be.
  const std::uint32_t slot = free_slots_.front();
  free_slots_.pop_front();
  ++used_;
  peer& p = *peers_[slot];
  p.open(now, address, pinned);
  addresses_.insert(address, slot);
  return &p;
}

void endpoint::remove_peer(peer& p) noexcept {
  const std::uint32_t slot = p.id() & slot_mask;
  addresses_.erase(p.address(), slot);
  cookies_.remember(p.address(), p.shake.next_cookie);
  timers_.set(slot, never);
  note_change(p);
  p.close();
  free_slots_.push_back(slot);
  --used_;
}

void endpoint::mark_ready(peer& p) {
  if (p.in_ready_list) return;
  p.in_ready_list = true;
  ready_.push_back(p.id() & slot_mask);
}

void endpoint::rearm(peer& p) noexcept {
  // Lazy: an armed timer that is early fires once for nothing; moving it at every packet costs
  // more.
  const std::uint32_t slot = p.id() & slot_mask;
  const time_point deadline = p.next_deadline();
  if (deadline < timers_.deadline_of(slot)) timers_.set(slot, deadline);
}

result<message_id, refusal> endpoint::submit(time_point now, peer_id to,
                                             const payload_parts& payload,
                                             const send_options& options) noexcept {
  peer* p = lookup(to.value);
  if (!p) return failure(refusal::unknown_peer);
  auto id = p->submit(now, payload, options);
  if (!id) return id;
  mark_ready(*p);
  if (p->next_timeout() != never) rearm(*p);
  return id;
}

bool endpoint::set_congestion(peer_id id, congestion_kind kind) {
  peer* p = lookup(id.value);
  if (p) p->set_congestion(kind);
  return p != nullptr;
}

result<void, refusal> endpoint::cancel(time_point now, peer_id to, message_id id) noexcept {
  peer* p = lookup(to.value);
  if (!p) return failure(refusal::unknown_peer);
  auto done = p->cancel(now, id);
  if (done) mark_ready(*p);
  return done;
}

message_state endpoint::state(peer_id to, message_id id) noexcept {
  peer* p = lookup(to.value);
  return p ? p->state(id.value) : message_state::never;
}

void endpoint::answer(peer_id from, message_id id, wire::outcome_kind kind) noexcept {
  peer* p = lookup(from.value);
  if (!p || (p->state() != peer_state::established && !p->shake.early_taken)) return;
  p->confirm(id.value, kind);
  mark_ready(*p);
}

std::size_t endpoint::poll_events(std::span<event> out) noexcept {
  std::size_t n = 0;
  for (; n < out.size() && !events_.empty(); ++n) {
    out[n] = std::move(events_.front());
    events_.pop_front();
    if (out[n].kind != event_kind::message) continue;
    peer* p = lookup(out[n].peer.value);
    if (!p || p->session() != out[n].session) {
      out[n].confirm = false;  // its session is gone: nobody waits for an answer
    } else {
      const std::uint64_t head = out[n].channel > 0 ? wire::channel_head_bytes : 0;
      if (p->on_released(out[n].payload.size() + head)) mark_ready(*p);
    }
  }
  return n;
}

bool endpoint::idle() const noexcept {
  return std::all_of(peers_.begin(), peers_.end(),
                     [](const auto& p) { return p->state() == peer_state::free || p->idle(); });
}

bool endpoint::transmit(time_point now, peer& p, buffer::tx_batch& batch) noexcept {
  if (p.shake.due() && !send_handshake(now, p, batch)) return true;
  return p.transmit(now, batch);
}

void endpoint::poll_transmit(time_point now, buffer::tx_batch& batch) noexcept {
  if (replies_.pending()) replies_.flush(shared_.control_blocks, batch);
  for (std::size_t turns = ready_.size(); turns > 0 && !batch.full(); --turns) {
    peer& p = *peers_[ready_.front()];
    ready_.pop_front();
    p.in_ready_list = false;
    if (p.state() == peer_state::free) continue;
    const bool more = transmit(now, p, batch);
    rearm(p);
    if (more) mark_ready(p);  // behind the others: nobody starves
  }
}

void endpoint::handle_deadline(time_point now) noexcept {
  // Each peer at most once a call: a deadline that does not move cannot loop.
  for (std::size_t turns = peers_.size(); turns > 0 && timers_.next() <= now; --turns) {
    peer& p = *peers_[timers_.next_slot()];
    timers_.set(p.id() & slot_mask, never);
    if (!on_deadline(now, p)) continue;
    if (p.wants_transmit()) mark_ready(p);
    rearm(p);
  }
}

void endpoint::handle_datagrams(time_point now, std::span<buffer::rx_datagrams> batch) noexcept {
  for (buffer::rx_datagrams& item : batch) {
    const std::uint32_t size = item.data.size();
    const bool marked = item.codepoint == buffer::ecn::ce;
    const std::uint32_t step = item.segment_bytes > 0 ? item.segment_bytes : size;
    if (!blacklist_.empty() && blacklist_.find(item.from) != address_map::absent) {
      counts_.rejected_blacklisted += step > 0 ? (size + step - 1) / step : 1;
    } else if (step >= size) {
      handle_packet(now, item.from, item.data, marked);
    } else {
      for (std::uint32_t at = 0; at < size; at += step)
        handle_packet(now, item.from, item.data.subslice(at, std::min(step, size - at)), marked);
    }
    item.data.reset();
  }
}

}  // namespace mdp::engine
