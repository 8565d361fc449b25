// Submission and scheduling; what becomes of messages is in send_queue_ends.cpp.
#include "send_queue.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace mdp::engine {
namespace {

bool timed(const send_options& o) noexcept {
  return (o.lifetime + o.received_timeout + o.delivered_timeout).count() != 0;
}

// Puts the next `count` bytes of the payload behind a head that ends at `at`.
void fill(packet_body& body, std::byte* at, message_content& what, std::size_t count,
          bool refers) noexcept {
  if (!refers) return what.copy(at, count);
  wire::store(at, std::uint64_t{0});  // the padding
  body.held = what.refer(count);
}

}  // namespace

// Reserved, not touched: most engines never hold as many as they may.
body_table::body_table(std::size_t count) : count_(count) {
  bodies_.reserve(count);
  free_.reserve(count);
}

std::uint32_t body_table::acquire() noexcept {
  if (free_.empty()) {
    if (bodies_.size() == count_) return no_index;
    bodies_.emplace_back();
    return static_cast<std::uint32_t>(bodies_.size() - 1);
  }
  const std::uint32_t i = free_.back();
  free_.pop_back();
  return i;
}

void body_table::release(std::uint32_t i) noexcept {
  bodies_[i].let_go();
  free_.push_back(i);
}

bool send_queue::may_hold(std::size_t more) const noexcept {
  // A dynamic threshold (Choudhury and Hahne 1998): whoever holds much may hold more only while
  // much is free, so that one peer that takes nothing leaves room for all others.
  const std::size_t free = blocks_.available();
  if (more > free || held_ >= limits_.max_bodies) return false;
  return held_ == 0 || held_ + more <= share_min || held_ + more <= share_factor * (free - more);
}

std::uint32_t send_queue::new_body() noexcept {
  buffer::slice block = buffer::slice::acquire(blocks_);
  return block ? init_body(std::move(block)) : no_index;
}

std::uint32_t send_queue::init_body(buffer::slice block) noexcept {
  const std::uint32_t i = bodies_.acquire();
  if (i == no_index) return no_index;
  ++held_;
  packet_body& b = bodies_[i];
  b.block = std::move(block);
  b.length = 0;
  b.message_count = 0;
  b.charge = {};
  b.next = no_index;
  b.references = 1;  // held by the queue until it is taken
  b.retries = 0;
  b.payload_bytes = 0;
  b.idempotent = b.acked = b.sent = b.queued = false;
  return i;
}

void send_queue::drop_reference(std::uint32_t body) noexcept {
  if (--bodies_[body].references > 0) return;
  --held_;
  bodies_.release(body);
}

void send_queue::close_open(lane& l) noexcept {
  if (l.open == no_index) return;
  l.small.push_back(l.open);
  l.open = no_index;
}

bool send_queue::well_formed(const send_options& o) noexcept {
  if (o.priority >= priorities || o.channel > channel_max) return false;
  if (std::min({o.lifetime, o.received_timeout, o.delivered_timeout}).count() < 0) return false;
  return o.delivered_timeout.count() == 0 || (o.wants & want_delivered) != 0;
}

result<message_id, refusal> send_queue::submit(time_point now, const payload_parts& payload,
                                               const send_options& options) {
  if (!well_formed(options)) return failure(refusal::bad_option);
  content what{payload, 0, options.channel, 0, options.idempotent, 0};
  const std::size_t bytes = what.bytes();
  if (bytes > std::min<std::uint64_t>(limits_.max_message_bytes, peer_window_))
    return failure(refusal::too_large);
  if (messages_.size() >= limits_.max_messages && !make_room()) return failure(refusal::queue_full);
  if ((options.wants & want_delivered) != 0) what.frame_flags |= wire::frame_wants_delivered;
  std::uint32_t* sequence = nullptr;
  if (options.channel > 0) {
    what.frame_flags |= wire::frame_in_channel;
    sequence = &next_sequence(options.channel);
    what.sequence = *sequence;
  }
  const std::uint64_t id = next_id();
  lane& l = lane_of(options.priority);
  const bool small = wire::frame_bytes(bytes) <= limits_.body_bytes;
  if (!(small ? append_small(l, what) : append_fragments(l, what)))
    return failure(refusal::queue_full);
  if (sequence) ++*sequence;
  busy_lanes_ |= 1u << options.priority;
  message& m = messages_.push();
  ++unresolved_;
  m.context = options.context;
  m.flags = static_cast<std::uint16_t>(options.wants & wants_bits);
  m.bytes = static_cast<std::uint32_t>(bytes);
  m.sequence = what.sequence;
  m.channel = options.channel;
  m.bodies_left = 1;
  if (!small) {
    const std::size_t data = fragment_data_bytes(limits_.body_bytes);
    m.bodies_left = static_cast<std::uint32_t>((bytes + data - 1) / data);
  }
  if (timed(options)) start_timers(now, id, options);
  return message_id{id};
}

bool send_queue::writable(std::size_t bytes) noexcept {
  if (messages_.size() >= limits_.max_messages && !make_room()) return false;
  const std::size_t framed = bytes + wire::channel_head_bytes;
  if (wire::frame_bytes(framed) <= limits_.body_bytes) return may_hold(1);
  const std::size_t data = fragment_data_bytes(limits_.body_bytes);
  return may_hold((framed + data - 1) / data);
}

bool send_queue::takes(const packet_body& open, const content& what, std::size_t size) noexcept {
  // Ids within a body are consecutive: a message of another class in between ends it.
  if (open.first_id + open.message_count != next_id()) return false;
  if (open.length + size > limits_.body_bytes) return false;
  credit together = open.charge;
  together += {what.bytes(), 1};
  if (!together.within(limits_.body_charge)) return false;
  if (!may_go_early_) return true;
  if (open.idempotent != what.idempotent) return false;
  return !what.idempotent || open.length + size <= wire::early_bytes_max;
}

bool send_queue::shares_no_packet(const content& what) const noexcept {
  // What goes with the HELLO has to be in one piece.
  return wire::frame_bytes(what.bytes()) > limits_.body_bytes / 2 &&
         !(what.idempotent && may_go_early_);
}

bool send_queue::append_small(lane& to, content& what) {
  const std::size_t size = wire::frame_bytes(what.bytes());
  const bool refers = what.payload.held && shares_no_packet(what);
  if (to.open != no_index && (refers || !takes(bodies_[to.open], what, size))) close_open(to);
  if (to.open == no_index) {
    to.open = may_hold(1) ? new_body() : no_index;
    if (to.open == no_index) return false;
    bodies_[to.open].first_id = next_id();
    bodies_[to.open].idempotent = what.idempotent && may_go_early_;
  }
  packet_body& body = bodies_[to.open];
  std::byte* at = body.block.data() + wire::header_bytes + body.length;
  wire::store(at + size - 8, std::uint64_t{0});  // the padding; the content overwrites the rest
  at = wire::write_frame_head(at, wire::frame_type::message, what.frame_flags, what.bytes(),
                              static_cast<std::uint32_t>(next_id()));
  at += what.write_channel_head(at);
  fill(body, at, what, what.payload.bytes, refers);
  body.length += static_cast<std::uint32_t>(size);
  ++body.message_count;
  body.payload_bytes += static_cast<std::uint32_t>(what.payload.bytes);
  body.charge += {what.bytes(), 1};
  if (refers) close_open(to);
  return true;
}

bool send_queue::append_fragments(lane& to, content& what) {
  const std::size_t data = fragment_data_bytes(limits_.body_bytes);
  const std::size_t total = what.bytes();
  const std::size_t count = (total + data - 1) / data;
  if (!may_hold(count)) return false;
  close_open(to);
  std::uint32_t first = no_index;
  std::uint32_t last = no_index;
  for (std::size_t offset = 0; offset < total; offset += data) {
    const std::uint32_t index = new_body();
    if (index == no_index) {  // another thread took the blocks meanwhile
      drop_chain(first);
      return false;
    }
    (first == no_index ? first : bodies_[last].next) = index;
    last = index;
    const std::size_t size = std::min(data, total - offset);
    packet_body& body = bodies_[index];
    std::byte* at = body.block.data() + wire::header_bytes;
    body.length = static_cast<std::uint32_t>(wire::frame_bytes(8 + size));
    wire::store(at + body.length - 8, std::uint64_t{0});
    at = wire::write_frame_head(at, wire::frame_type::fragment, what.frame_flags, 8 + size,
                                static_cast<std::uint32_t>(next_id()));
    wire::store(at, static_cast<std::uint32_t>(total));
    wire::store(at + 4, static_cast<std::uint32_t>(offset));
    at += 8;
    const std::size_t head = offset == 0 ? what.write_channel_head(at) : 0;
    fill(body, at + head, what, size - head, what.payload.held != nullptr);
    body.payload_bytes = static_cast<std::uint32_t>(size);
    body.first_id = next_id();
  }
  bodies_[first].charge = {total, 1};
  to.fresh.add({next_id(), first, static_cast<std::uint32_t>(count)});
  return true;
}

void send_queue::drop_chain(std::uint32_t first) noexcept {
  while (first != no_index) {
    const std::uint32_t following = bodies_[first].next;
    drop_reference(first);
    first = following;
  }
}

fragment_scheduler::order send_queue::order_of(const lane& l) noexcept {
  return l.turns % oldest_share == oldest_share - 1 ? fragment_scheduler::order::oldest
                                                    : fragment_scheduler::order::shortest;
}

send_queue::choice send_queue::choose_in(std::uint8_t priority) noexcept {
  using source = choice::source;
  lane& l = *(*lanes_)[priority];
  const auto by = order_of(l);
  const bool oldest = by == fragment_scheduler::order::oldest;
  choice best{source::none, by, priority, no_index};
  std::uint64_t best_rank = ~std::uint64_t{0};
  const auto consider = [&](source from, std::uint64_t rank, std::uint32_t body) {
    if (rank >= best_rank) return;
    best_rank = rank;
    best.from = from;
    best.body = body;
  };
  const std::uint32_t small = l.small.empty() ? l.open : l.small.front();
  if (small != no_index) consider(source::small, oldest ? bodies_[small].first_id : 1, small);
  const auto consider_large = [&](source from, fragment_scheduler& large) {
    if (large.empty()) return;
    const fragment_scheduler::entry& e = large.next(by);
    consider(from, oldest ? e.id : e.bodies_left, e.next_body);
  };
  consider_large(source::begun, l.begun);
  consider_large(source::fresh, l.fresh);
  return best;
}

send_queue::choice send_queue::choose(const credit& allowed) noexcept {
  using source = choice::source;
  if (!retransmit_.empty()) return {source::retransmission, {}, 0, retransmit_.front()};
  if (busy_lanes_ == 0) return {};
  const choice first = choose_in(static_cast<std::uint8_t>(std::countr_zero(busy_lanes_)));
  credit total = bodies_[first.body].charge;
  total += charged_;
  if (total.within(allowed)) return first;
  if (begun_lanes_ == 0) return {};
  const auto priority = static_cast<std::uint8_t>(std::countr_zero(begun_lanes_));
  lane& l = *(*lanes_)[priority];
  return {source::begun, order_of(l), priority, l.begun.next(order_of(l)).next_body};
}

void send_queue::pop(const choice& c) noexcept {
  using source = choice::source;
  lane& l = *(*lanes_)[c.priority];
  switch (c.from) {
    case source::small:
      if (c.body == l.open) {
        l.open = no_index;
      } else {
        l.small.pop_front();
      }
      break;
    case source::fresh: {
      const fragment_scheduler::entry e = l.fresh.next(c.by);
      l.fresh.remove(c.by);
      if (e.bodies_left > 1) l.begun.add({e.id, bodies_[c.body].next, e.bodies_left - 1});
      break;
    }
    case source::begun:
      l.begun.advance(c.by, bodies_[c.body].next);
      break;
    default:
      break;
  }
  ++l.turns;
  note_lane(c.priority);
}

void send_queue::note_lane(std::uint8_t priority) noexcept {
  const lane& l = *(*lanes_)[priority];
  const std::uint32_t bit = 1u << priority;
  busy_lanes_ = l.empty() ? busy_lanes_ & ~bit : busy_lanes_ | bit;
  begun_lanes_ = l.begun.empty() ? begun_lanes_ & ~bit : begun_lanes_ | bit;
}

bool send_queue::ready(const credit& allowed) noexcept {
  while (!retransmit_.empty() && bodies_[retransmit_.front()].acked) {
    bodies_[retransmit_.front()].queued = false;
    drop_reference(retransmit_.front());
    retransmit_.pop_front();
  }
  if (dead_queued_) drop_dead_heads();
  choice_ = choose(allowed);
  return choice_.body != no_index;
}

std::uint32_t send_queue::take(stats& s) noexcept {
  const std::uint32_t index = choice_.body;
  packet_body& body = bodies_[index];
  if (choice_.from == choice::source::retransmission) {
    retransmit_.pop_front();
    body.queued = false;
  } else {
    pop(choice_);
    charged_ += body.charge;
  }
  // A probe may have repeated content before its first turn in the retransmission queue came.
  if (body.sent) {
    count_retransmission(body, s);
  } else {
    if (dead_queued_) blank_dead_messages(body);
    count_first_transmission(body, s);
  }
  body.sent = true;
  return index;  // the queue's reference goes to the packet
}

void send_queue::count_first_transmission(const packet_body& body, stats& s) noexcept {
  const std::uint64_t end = body.first_id + std::max(body.message_count, 1u);
  for (std::uint64_t id = body.first_id; id < end; ++id) {
    if (id < base_) continue;  // given up, and closed by the peer, before its turn came
    message& m = messages_[static_cast<std::size_t>(id - base_)];
    if ((m.flags & (flag_sent | flag_abandoned)) != 0) continue;
    m.flags |= flag_sent;
    ++s.messages_sent;
  }
  s.payload_bytes_sent += body.payload_bytes;
}

void send_queue::count_retransmission(packet_body& body, stats& s) noexcept {
  ++s.packets_retransmitted;
  s.retry_max = std::max<std::uint64_t>(s.retry_max, ++body.retries);
  s.packets_affected += body.retries == 1;
  const std::uint64_t end = body.first_id + std::max(body.message_count, 1u);
  for (std::uint64_t id = body.first_id; id < end; ++id) {
    message* m = find(id);
    if (!m || (m->flags & flag_delayed) != 0) continue;
    m->flags |= flag_delayed;
    ++s.messages_delayed;
  }
}

void send_queue::resend(std::uint32_t index) noexcept {
  if (bodies_[index].acked || bodies_[index].queued) return;
  bodies_[index].queued = true;
  ++bodies_[index].references;
  retransmit_.push_back(index);
}

}  // namespace mdp::engine
