// What a shard is asked about messages on their way, and its end.
#include "shard.hpp"

namespace mdp::runtime {

using messaging::refusal;

waiting_message* shard::find_waiting(peer_id to, std::uint64_t sequence) noexcept {
  if (slot_of(to) >= lanes_.size()) return nullptr;
  ring<waiting_message>& waiting = lanes_[slot_of(to)].waiting;
  for (std::size_t i = 0; i < waiting.size(); ++i)
    if (waiting[i].sequence == sequence && waiting[i].to == to) return &waiting[i];
  return nullptr;
}

result<void, refusal> shard::cancel(peer_id to, std::uint64_t sequence) {
  if (!place_of(to)) return failure(refusal::unknown_peer);
  if (waiting_message* m = find_waiting(to, sequence)) {
    if (m->cancelled) return failure(refusal::unknown_message);
    m->cancelled = true;
    report(*m, messaging::event_kind::cancelled);
    return {};
  }
  const auto id = lane_of(to).numbers.id_of(sequence);
  if (!id) return failure(refusal::unknown_message);
  return node_->cancel(to, *id);
}

message_state shard::state(peer_id to, std::uint64_t sequence) noexcept {
  const place_of_peer* const peer = place_of(to);
  if (!peer || sequence >= peer->next_sequence.load(std::memory_order_relaxed))
    return message_state::none;
  if (const waiting_message* m = find_waiting(to, sequence))
    return m->cancelled ? message_state::cancelled : message_state::queued;
  lane& l = lane_of(to);
  if (sequence >= l.expected) return message_state::queued;  // another thread's, on its way to us
  const auto id = l.numbers.id_of(sequence);
  if (!id) return message_state::settled;  // with its session
  message_state state = message_state::settled;
  static_cast<void>(node_->states(to, {&*id, 1}, {&state, 1}));
  return state;
}

std::vector<message_status> shard::unresolved(peer_id to) {
  std::vector<message_status> all = node_->unresolved(to);
  lane& l = lane_of(to);
  for (message_status& m : all) m.id = message_id{l.numbers.sequence_of(m.id)};
  for (std::size_t i = 0; i < l.waiting.size(); ++i) {
    const waiting_message& m = l.waiting[i];
    if (m.to == to && !m.cancelled) all.push_back({message_id{m.sequence}, message_state::queued});
  }
  return all;
}

bool shard::idle() const noexcept {
  return stalled_.empty() && submissions_.size_approx() == 0 && node_->idle();
}

bool shard::finish() noexcept {
  // A thread that was let in before the door closed is about to put its message into the queue.
  for (std::size_t slot = 0; slot < slots_; ++slot) {
    const auto queued = [&] { return slot < lanes_.size() ? lanes_[slot].waiting.size() : 0; };
    while (places_[slot].waiting.load(std::memory_order_seq_cst) > queued())
      static_cast<void>(take_submissions());
  }
  const bool taken = stalled_.empty();
  for (const std::size_t slot : stalled_) {
    ring<waiting_message>& waiting = lanes_[slot].waiting;
    for (; !waiting.empty(); waiting.pop_front()) {
      waiting_message& m = waiting.front();
      if (!m.cancelled && m.options.want != messaging::confirm::none)
        report(m, messaging::event_kind::unknown);
      m.payload.reset();
    }
  }
  stalled_.clear();
  finished_ = true;
  return node_->shutdown(node_->now()) && taken;
}

}  // namespace mdp::runtime
