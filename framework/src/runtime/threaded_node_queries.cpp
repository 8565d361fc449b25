// The rare calls of a node with a thread of its own: each is carried out on that thread.
#include <algorithm>

#include "threaded_node.hpp"

namespace mdp::runtime {

using messaging::refusal;

result<peer_id, std::string> threaded_node::connect(const endpoint_address& to) {
  auto peer = ask([&] { return node_->connect(to); });
  if (peer) learn(*peer);
  return peer;
}

threaded_node::waiting_submission* threaded_node::find_deferred(peer_id to,
                                                                std::uint64_t sequence) noexcept {
  if (slot_of(to) >= deferred_.size()) return nullptr;
  ring<waiting_submission>& queue = deferred_[slot_of(to)];
  for (std::size_t i = 0; i < queue.size(); ++i)
    if (queue[i].sequence == sequence && queue[i].to == to) return &queue[i];
  return nullptr;
}

result<void, refusal> threaded_node::cancel_now(peer_id to, std::uint64_t sequence) {
  if (waiting_submission* s = find_deferred(to, sequence)) {
    if (s->cancelled) return failure(refusal::unknown_message);
    s->cancelled = true;
    report(*s, messaging::event_kind::cancelled);
    return {};
  }
  const auto id =
      slot_of(to) < numbering_.size() ? numbering_[slot_of(to)].id_of(sequence) : std::nullopt;
  if (!id) return failure(refusal::unknown_message);
  return node_->cancel(to, *id);
}

result<void, refusal> threaded_node::cancel(peer_id to, message_id id) noexcept {
  if (!knows(to)) return failure(refusal::unknown_peer);
  return ask([&] { return cancel_now(to, id.value); });
}

message_state threaded_node::state_now(peer_id to, std::uint64_t sequence) noexcept {
  if (!knows(to) || sequence >= known_[slot_of(to)].next_sequence) return message_state::none;
  if (const waiting_submission* s = find_deferred(to, sequence))
    return s->cancelled ? message_state::cancelled : message_state::queued;
  const auto id =
      slot_of(to) < numbering_.size() ? numbering_[slot_of(to)].id_of(sequence) : std::nullopt;
  if (!id) return message_state::settled;  // with its session
  message_state state = message_state::settled;
  static_cast<void>(node_->states(to, {&*id, 1}, {&state, 1}));
  return state;
}

std::size_t threaded_node::states(peer_id to, std::span<const message_id> ids,
                                  std::span<message_state> out) noexcept {
  const std::size_t count = std::min(ids.size(), out.size());
  on_io_thread([&] {
    for (std::size_t i = 0; i < count; ++i) out[i] = state_now(to, ids[i].value);
  });
  return count;
}

std::vector<message_status> threaded_node::unresolved(peer_id to) {
  return ask([&] {
    std::vector<message_status> all = node_->unresolved(to);
    const std::size_t slot = slot_of(to);
    for (message_status& m : all) m.id = message_id{numbering_[slot].sequence_of(m.id)};
    if (slot >= deferred_.size()) return all;
    for (std::size_t i = 0; i < deferred_[slot].size(); ++i) {
      const waiting_submission& s = deferred_[slot][i];
      if (s.to == to && !s.cancelled)
        all.push_back({message_id{s.sequence}, message_state::queued});
    }
    return all;
  });
}

bool threaded_node::idle() const noexcept {
  return ask([&] { return deferred_slots_.empty() && node_->idle(); });
}

messaging::statistics threaded_node::stats() const {
  return ask([&] { return node_->stats(); });
}

transport::counters threaded_node::transport_counts() const {
  return ask([&] { return node_->transport_counts(); });
}

}  // namespace mdp::runtime
