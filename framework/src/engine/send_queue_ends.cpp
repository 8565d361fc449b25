// How messages end: acknowledged, confirmed, rejected, abandoned, or lost with their session.
#include <algorithm>

#include "send_queue.hpp"

namespace mdp::engine {
namespace {

constexpr message_state state_of(event_kind how) noexcept {
  switch (how) {
    case event_kind::delivered:
      return message_state::delivered;
    case event_kind::rejected:
      return message_state::rejected;
    case event_kind::cancelled:
      return message_state::cancelled;
    case event_kind::expired:
      return message_state::expired;
    case event_kind::timed_out_received:
      return message_state::timed_out_received;
    case event_kind::timed_out_delivered:
      return message_state::timed_out_delivered;
    case event_kind::unknown:
      return message_state::unknown;
    case event_kind::received:
      return message_state::received;
    default:
      return message_state::settled;
  }
}

}  // namespace

void send_queue::finish(std::uint64_t id, message& m, event_kind how) noexcept {
  m.flags |= flag_done;
  if ((m.flags & flag_reported) == 0) --unresolved_;
  if ((m.flags & flag_abandoned) != 0 && --abandoned_left_ == 0) {
    abandoned_.clear();
    abandon_next_ = 0;
  }
  if ((m.flags & wants_bits) == 0 && (m.flags & flag_abandoned) == 0) return;
  ends_.add(id, state_of(how));
}

bool send_queue::make_room() noexcept {
  // Messages that everybody but the peer's application is done with step aside: they block nobody.
  while (!messages_.empty()) {
    message& m = messages_.front();
    if ((m.flags & flag_done) == 0) {
      if ((m.flags & flag_received) == 0 || waiting_.size() >= limits_.max_messages) break;
      waiting_.insert(base_, m);
    }
    messages_.pop_front();
    ++base_;
    if (messages_.size() < limits_.max_messages) return true;
  }
  return messages_.size() < limits_.max_messages;
}

void send_queue::start_timers(time_point now, std::uint64_t id, const send_options& options) {
  const auto start = [&](duration after, event_kind kind) {
    if (after.count() == 0) return;
    if (timers_.wants_sweep(messages_.size() + waiting_.size()))
      timers_.sweep([this](std::uint64_t i) {
        const message* alive = find(i);
        return alive && (alive->flags & flag_done) == 0;
      });
    timers_.add({now + after, id, kind});
  };
  start(options.lifetime, event_kind::expired);
  start(options.received_timeout, event_kind::timed_out_received);
  start(options.delivered_timeout, event_kind::timed_out_delivered);
}

std::uint32_t& send_queue::next_sequence(std::uint16_t channel) {
  std::uint32_t* next = channel_next_.find(channel);
  return next ? *next : channel_next_.insert(channel, 0);
}

void send_queue::forget_done() noexcept {
  while (!messages_.empty() && (messages_.front().flags & flag_done) != 0) {
    messages_.pop_front();
    ++base_;
  }
}

void send_queue::on_message_acked(std::uint64_t id, message_sink& sink) {
  message* m = find(id);
  if (!m || (m->flags & (flag_done | flag_received)) != 0) return;
  if (m->bodies_left > 0 && --m->bodies_left > 0) return;
  // What the peer has whole it answers an ABANDON for itself: the answer decides.
  if ((m->flags & flag_abandoned) != 0) return;
  m->flags |= flag_received;
  if ((m->flags & want_received) != 0) sink.on_message_event(event_kind::received, id, m->context);
  if ((m->flags & want_delivered) == 0) finish(id, *m, event_kind::received);
}

void send_queue::on_acked(std::uint32_t index, message_sink& sink) {
  packet_body& body = bodies_[index];
  if (!body.acked) {
    body.acked = true;
    body.let_go();
    const std::uint64_t end = body.first_id + std::max(body.message_count, 1u);
    for (std::uint64_t id = body.first_id; id < end; ++id) on_message_acked(id, sink);
    forget_done();
  }
  drop_reference(index);
}

std::size_t send_queue::messages_in(std::uint64_t first, std::uint64_t count) const noexcept {
  const std::uint64_t end = first + count;
  const std::uint64_t in_window = end - std::min(end, std::max(first, base_));
  return waiting_.places(first, end) + static_cast<std::size_t>(in_window);
}

void send_queue::on_outcome(wire::outcome_kind kind, std::uint64_t first, std::uint64_t count,
                            message_sink& sink) {
  const std::uint64_t end = first + count;
  waiting_.visit(first, end, [&](std::uint64_t id, message& m) {
    resolve(kind, id, m, sink);
    return (m.flags & flag_done) == 0;
  });
  for (std::uint64_t id = std::max(first, base_); id < end; ++id) {
    message& m = messages_[static_cast<std::size_t>(id - base_)];
    if ((m.flags & flag_done) == 0) resolve(kind, id, m, sink);
  }
  forget_done();
}

void send_queue::resolve(wire::outcome_kind kind, std::uint64_t id, message& m,
                         message_sink& sink) {
  switch (kind) {
    case wire::outcome_kind::delivered:
    case wire::outcome_kind::rejected: {
      if ((m.flags & want_delivered) == 0) return;
      // Either implies received, even when the acknowledgement was lost.
      if ((m.flags & want_received) != 0 && (m.flags & flag_received) == 0)
        sink.on_message_event(event_kind::received, id, m.context);
      const event_kind how =
          kind == wire::outcome_kind::delivered ? event_kind::delivered : event_kind::rejected;
      sink.on_message_event(how, id, m.context);
      // Copies of it may wait for retransmission.
      if ((m.flags & flag_received) == 0) dead_queued_ = true;
      finish(id, m, how);
      return;
    }
    case wire::outcome_kind::cancelled:
      if ((m.flags & flag_abandoned) != 0) on_closed_unread(id, m, sink);
      return;
    case wire::outcome_kind::completed:
      if ((m.flags & flag_abandoned) != 0) on_came_too_late(id, m, sink);
      return;
  }
}

void send_queue::on_closed_unread(std::uint64_t id, message& m, message_sink& sink) {
  const auto cause = static_cast<event_kind>(m.flags >> cause_shift);
  if ((m.flags & flag_reported) == 0) sink.on_message_event(cause, id, m.context);
  finish(id, m, cause);
}

void send_queue::on_came_too_late(std::uint64_t id, message& m, message_sink& sink) {
  // The peer had it whole before it was asked to give it up: it counts as received. Whoever gave
  // it up is told so, whether or not he asked for that confirmation.
  const auto cause = static_cast<event_kind>(m.flags >> cause_shift);
  if ((m.flags & flag_reported) != 0) {  // nothing of it was sent: the peer is mistaken
    finish(id, m, cause);
    return;
  }
  sink.on_message_event(event_kind::received, id, m.context);
  if (cause == event_kind::timed_out_delivered) {
    sink.on_message_event(cause, id, m.context);
    finish(id, m, cause);
  } else if ((m.flags & want_delivered) == 0) {
    finish(id, m, event_kind::received);
  } else {
    m.flags = static_cast<std::uint16_t>((m.flags & 0xff & ~flag_abandoned) | flag_received);
    m.bodies_left = 0;
    if (--abandoned_left_ == 0) {
      abandoned_.clear();
      abandon_next_ = 0;
    }
  }
}

result<void, refusal> send_queue::cancel(std::uint64_t id, message_sink& sink) {
  message* m = find(id);
  if (!m || (m->flags & (flag_done | flag_abandoned)) != 0)
    return failure(refusal::unknown_message);
  if ((m->flags & flag_received) != 0) return failure(refusal::too_late);
  abandon(id, *m, event_kind::cancelled, sink);
  return {};
}

void send_queue::abandon(std::uint64_t id, message& m, event_kind cause, message_sink& sink) {
  m.flags |=
      static_cast<std::uint16_t>(flag_abandoned | static_cast<unsigned>(cause) << cause_shift);
  if (abandoned_.size() > 2 * abandoned_left_ + 64) sweep_abandoned();
  ++abandoned_left_;
  abandoned_.push_back(id);
  dead_queued_ = true;
  if ((m.flags & flag_sent) != 0) return;
  // Nothing of it has left: its end is certain now, though the peer has yet to close its id.
  m.flags |= flag_reported;
  --unresolved_;
  sink.on_message_event(cause, id, m.context);
}

void send_queue::set_peer_window(std::uint64_t bytes, message_sink& sink) {
  peer_window_ = bytes;
  for (std::uint64_t id = base_; id < next_id(); ++id) {
    message& m = messages_[static_cast<std::size_t>(id - base_)];
    if (m.bytes > bytes && (m.flags & (flag_done | flag_abandoned)) == 0)
      abandon(id, m, event_kind::rejected, sink);
  }
}

void send_queue::sweep_abandoned() noexcept {
  std::size_t kept = 0;
  std::size_t written = 0;
  for (std::size_t i = 0; i < abandoned_.size(); ++i) {
    if (!awaits_closing(abandoned_[i])) continue;
    if (i < abandon_next_) ++written;
    abandoned_[kept++] = abandoned_[i];
  }
  abandoned_.resize(kept);
  abandon_next_ = written;
}

void send_queue::on_timeouts(time_point now, message_sink& sink) {
  while (timers_.next() <= now) on_timeout(timers_.pop(), sink);
  forget_done();
}

void send_queue::on_timeout(const message_timers::timer& due, message_sink& sink) {
  message* m = find(due.id);
  if (!m || (m->flags & (flag_done | flag_abandoned)) != 0) return;
  if ((m->flags & flag_received) == 0) {
    abandon(due.id, *m, due.kind, sink);
  } else if (due.kind == event_kind::timed_out_delivered) {
    sink.on_message_event(due.kind, due.id, m->context);
    finish(due.id, *m, due.kind);
    if (due.id < base_) waiting_.erase(due.id);
  }
}

std::size_t send_queue::write_abandons(std::span<std::byte> out) noexcept {
  constexpr std::size_t entry = wire::abandon_entry_bytes;
  std::size_t used = 0;
  while (abandon_next_ < abandoned_.size() && wire::frame_head_bytes + used + entry <= out.size()) {
    const std::uint64_t id = abandoned_[abandon_next_++];
    if (!awaits_closing(id)) continue;
    const message* m = find(id);
    const bool sent = (m->flags & flag_sent) != 0;
    std::byte* at = out.data() + wire::frame_head_bytes + used;
    wire::store(at, static_cast<std::uint32_t>(id));
    wire::store(at + 4, sent ? m->bytes : 0u);
    wire::store(at + 8, m->sequence);
    wire::store(at + 12, m->channel);
    wire::store(at + 14, static_cast<std::uint16_t>(sent ? wire::abandon_charged : 0));
    used += entry;
  }
  if (used == 0) return 0;
  wire::write_frame_head(out.data(), wire::frame_type::abandon, 0, used, 0);
  return wire::frame_head_bytes + used;
}

bool send_queue::is_dead(std::uint64_t id) noexcept {
  const message* m = find(id);
  return !m || (m->flags & (flag_done | flag_abandoned)) != 0;
}

bool send_queue::body_is_dead(std::uint32_t index) noexcept {
  const packet_body& body = bodies_[index];
  const std::uint64_t end = body.first_id + std::max(body.message_count, 1u);
  for (std::uint64_t id = body.first_id; id < end; ++id)
    if (!is_dead(id)) return false;
  return true;
}

void send_queue::blank_dead_messages(packet_body& body) noexcept {
  if (body.message_count == 0) return;
  std::byte* at = body.block.data() + wire::header_bytes;
  for (std::uint32_t i = 0; i < body.message_count; ++i) {
    const std::size_t length = wire::load<std::uint16_t>(at + 2);
    if (at[0] == static_cast<std::byte>(wire::frame_type::message) && is_dead(body.first_id + i)) {
      at[0] = static_cast<std::byte>(wire::frame_type::pad);
      charged_.bytes -= length;
      --charged_.messages;
    }
    at += wire::frame_bytes(length);
  }
}

void send_queue::drop_dead_heads(lane& l) noexcept {
  while (!l.small.empty() && body_is_dead(l.small.front())) {
    drop_reference(l.small.front());
    l.small.pop_front();
  }
  if (l.small.empty() && l.open != no_index && body_is_dead(l.open)) {
    drop_reference(l.open);
    l.open = no_index;
  }
  drop_dead_heads(l.begun, order_of(l));
  drop_dead_heads(l.fresh, order_of(l));
}

void send_queue::drop_dead_heads(fragment_scheduler& large, fragment_scheduler::order by) noexcept {
  while (!large.empty() && is_dead(large.next(by).id)) {
    drop_chain(large.next(by).next_body);
    large.remove(by);
  }
}

void send_queue::drop_dead_heads() noexcept {
  while (!retransmit_.empty() &&
         (bodies_[retransmit_.front()].acked || body_is_dead(retransmit_.front()))) {
    bodies_[retransmit_.front()].queued = false;
    drop_reference(retransmit_.front());
    retransmit_.pop_front();
  }
  for (std::uint8_t p = 0; p < priorities; ++p) {
    if ((busy_lanes_ >> p & 1) == 0) continue;
    drop_dead_heads(*(*lanes_)[p]);
    note_lane(p);
  }
  if (abandoned_left_ == 0 && retransmit_.empty() && busy_lanes_ == 0) dead_queued_ = false;
}

void send_queue::drop_ended() noexcept {
  if (busy_lanes_ != 0 || !retransmit_.empty()) drop_dead_heads();
}

message_state send_queue::state(std::uint64_t id) noexcept {
  if (id >= next_id()) return message_state::never;
  const message* m = find(id);
  if (m && (m->flags & flag_reported) != 0)
    return state_of(static_cast<event_kind>(m->flags >> cause_shift));
  if (m && (m->flags & flag_done) == 0) {
    if ((m->flags & flag_received) != 0) return message_state::received;
    return (m->flags & flag_sent) != 0 ? message_state::sent : message_state::queued;
  }
  return ends_.find(id);
}

void send_queue::lose(message_sink& sink) {
  const auto end = [&](std::uint64_t id, const message& m) {
    const bool awaited = (m.flags & (wants_bits | flag_abandoned)) != 0;
    if (awaited && (m.flags & (flag_done | flag_reported)) == 0)
      sink.on_message_event(event_kind::unknown, id, m.context);
  };
  waiting_.visit(0, base_, [&](std::uint64_t id, const message& m) {
    end(id, m);
    return true;
  });
  for (std::size_t i = 0; i < messages_.size(); ++i) end(base_ + i, messages_[i]);
  waiting_.clear();
  messages_.clear();
  // Bodies that packets carry were let go by the loss detector's abandon().
  for (std::size_t i = 0; i < retransmit_.size(); ++i) drop_reference(retransmit_[i]);
  end_early();
  retransmit_.clear();
  for (std::size_t p = 0; lanes_ && p < priorities; ++p) {
    const std::unique_ptr<lane>& l = (*lanes_)[p];
    if (!l) continue;
    for (std::size_t i = 0; i < l->small.size(); ++i) drop_reference(l->small[i]);
    if (l->open != no_index) drop_reference(l->open);
    for (fragment_scheduler* large : {&l->fresh, &l->begun}) {
      const auto by = fragment_scheduler::order::shortest;
      for (; !large->empty(); large->remove(by)) drop_chain(large->next(by).next_body);
    }
  }
  lanes_.reset();
  busy_lanes_ = begun_lanes_ = 0;
  peer_window_ = ~std::uint64_t{0};
  choice_ = {};
  base_ = 0;
  charged_ = {};
  timers_.clear();
  abandoned_.clear();
  abandon_next_ = abandoned_left_ = unresolved_ = 0;
  dead_queued_ = false;
  channel_next_.clear();
  ends_ = message_history();
}

}  // namespace mdp::engine
