#include "peer.hpp"

#include <algorithm>
#include <cstring>

namespace mdp::engine {
namespace {

constexpr std::uint32_t generation_step = 1u << 20;
constexpr std::size_t outcome_backlog_max = 8192;  // ranges

std::uint64_t largest_message(const wire::hello& theirs) {
  if (theirs.message_bytes == 0) return theirs.credit_bytes;
  return std::min<std::uint64_t>(theirs.credit_bytes, theirs.message_bytes);
}

}  // namespace

peer::peer(const shared_parts& shared, std::uint32_t id)
    : shared_(shared),
      id_(id),
      packet_bytes_(shared.settings.max_packet_bytes),
      rtt_(shared.settings.initial_rtt),
      congestion_(shared.settings.congestion_control),
      credit_(shared.settings.receive_window_bytes, shared.settings.receive_window_messages) {}

void peer::open(time_point now, const endpoint_address& address, bool is_pinned) noexcept {
  address_ = address;
  pinned = is_pinned;
  announced = false;
  congestion_ = shared_.settings.congestion_control;
  was_up = false;
  shake = handshake{};
  counts_ = {};
  last_received_ = now;
  frame_for_anyone();
}

void peer::enter(peer_state state) noexcept {
  if (state_ == peer_state::accepted) --shared_.half_open;
  state_ = state;
  if (state_ == peer_state::accepted) ++shared_.half_open;
}

void peer::frame_for_anyone() noexcept {
  // What is framed before the peer has said what it takes must suit any.
  packet_bytes_ = std::min<std::uint32_t>(shared_.settings.max_packet_bytes, wire::hello_bytes_min);
  if (!flow_) return;
  flow_->queue.set_body_bytes(body_bytes_of(packet_bytes_));
  flow_->queue.begin_early();
  flow_->queue.set_body_charge({wire::first_credit_bytes_min, wire::first_credit_messages_min});
}

void peer::begin_connecting() noexcept {
  enter(peer_state::connecting);
  frame_for_anyone();
}

void peer::close() noexcept {
  enter(peer_state::free);
  id_ += generation_step;
  if (id_ < generation_step) id_ += generation_step;  // generation 0 is none: 0 names no peer
  path_.reset();
}

void peer::reset_session() noexcept {
  flow_.reset();
  remains_ = flow::remains();
  rtt_ = rtt_estimator(shared_.settings.initial_rtt);
  credit_ = receive_credit(shared_.settings.receive_window_bytes,
                           shared_.settings.receive_window_messages);
  marks_reported_ = 0;
  ecn_failed_ = false;
  allowed_ = {};
  credit_due_ = ping_due_ = asked_for_credit_ = peer_blocked_ = false;
  resume_ = never;
  newest_ = 0;
  path_.reset();
  ++session_;
  frame_for_anyone();
}

void peer::begin_session(time_point now, peer_state state, std::uint64_t our_nonce,
                         const wire::hello& theirs) noexcept {
  enter(state);
  ++shared_.counts.sessions_begun;
  shake.our_nonce = our_nonce;
  shake.theirs = theirs;
  shake.next.reset();
  shake.verifying = shake.send_hello = shake.early_taken = false;
  if (flow_) {
    flow_->queue.end_early();
    flow_->queue.set_body_charge(body_charge());
  }
  shake.retry = never;
  shake.give_up = state == peer_state::accepted ? now + shared_.settings.connect_timeout : never;
  remote_connection_ = theirs.connection;
  crc_seed_ = wire::crc_seed_of(wire::session_tag(our_nonce, theirs.nonce));
  allowed_ = {theirs.credit_bytes, theirs.credit_messages};
  start_path_mtu();
  if (flow_) flow_->regulator = new_regulator();
  now_ = now;
  set_peer_window(largest_message(theirs));
  last_received_ = now;
  last_heartbeat_ = now;
  // The other side may send only once it has heard from us.
  ping_due_ = state == peer_state::established;
}

void peer::lose_session(time_point now, const char* reason) noexcept {
  now_ = now;
  if (flow_) {
    flow_->sent.abandon([this](sent_packet& p) {
      if (p.body != no_index) flow_->queue.drop_reference(p.body);
    });
    flow_->queue.lose(*this);
  }
  // Once for each peer_up, and once for an attempt that came to nothing.
  if (announced || (!was_up && (pinned || state_ == peer_state::connecting)))
    report_down(now, reason);
  if (state_ == peer_state::established) ++shared_.counts.sessions_ended;
  reset_session();
  enter(peer_state::connecting);
}

void peer::report_down(time_point now, const char* reason) noexcept {
  event& e = shared_.events.push();
  e = event{};
  e.kind = event_kind::peer_down;
  e.peer = peer_id{id_};
  e.session = session_;
  e.time = now;
  e.reason = reason;
  announced = false;
}

void peer::forget_flight(time_point now) noexcept {
  flow_->sent.abandon([&](sent_packet& p) {
    if (p.state == sent_packet::fate::in_flight) on_lost(now, p);
    if (p.body != no_index) flow_->queue.drop_reference(p.body);
  });
}

peer_info peer::info() const noexcept {
  return {peer_id{id_},          address_,       state_, pinned, active(), session_,
          shake.theirs.instance, rtt_.smoothed()};
}

peer_counts peer::counts() const noexcept {
  peer_counts all{counts_};
  all.window_bytes = flow_ ? flow_->regulator.window_bytes() : new_regulator().window_bytes();
  all.bytes_in_flight = flow_ ? flow_->sent.bytes_in_flight() : 0;
  all.rtt = rtt_.smoothed();
  return all;
}

void peer::on_message_event(event_kind kind, std::uint64_t id, std::uint64_t context) noexcept {
  stats& s = shared_.counts;
  switch (kind) {
    case event_kind::received:
      ++s.confirmed_received;
      ++counts_.confirmed_received;
      break;
    case event_kind::delivered:
      ++s.confirmed_delivered;
      ++counts_.confirmed_delivered;
      break;
    case event_kind::rejected:
      ++s.confirmed_rejected;
      break;
    case event_kind::cancelled:
      ++s.messages_cancelled;
      break;
    case event_kind::expired:
      ++s.messages_expired;
      break;
    case event_kind::timed_out_received:
    case event_kind::timed_out_delivered:
      ++s.messages_timed_out;
      break;
    default:
      ++s.unresolved_unknown;
      ++counts_.unresolved_unknown;
      break;
  }
  event& e = shared_.events.push();
  e.kind = kind;
  e.confirm = false;
  e.session = session_;
  e.channel = 0;
  e.peer = peer_id{id_};
  e.id = message_id{id};
  e.context = context;
  e.time = now_;
  e.reason = nullptr;
}

bool peer::on_released(std::uint64_t bytes) noexcept {
  credit_.on_released(bytes);
  raise_credit();
  return credit_due_;
}

void peer::raise_credit(bool force) noexcept {
  if (!credit_.worth_telling(force || peer_blocked_)) return;
  // Whoever never acknowledges our outcomes gets no more to make outcomes of.
  if (flow_ && flow_->outcomes.backlog() > outcome_backlog_max) return;
  credit_.raise();
  credit_due_ = true;
  peer_blocked_ = false;
}

duration peer::loss_delay() const noexcept {
  return flow_->sent.loss_delay(rtt_.loss_delay(shared_.settings.granularity));
}

duration peer::ack_delay() const noexcept {
  return std::min(shared_.settings.max_ack_delay, rtt_.smoothed() / 4);
}

void peer::probe(time_point now) noexcept {
  if (!announced) forget_flight(now);  // else the record of what a dead peer was sent only grows
  flow_->sent.on_probe_timeout();
  if (flow_->sent.probes() >= 3) ecn_failed_ = true;
  ++shared_.counts.packets_probe;
  flow_->probes_due = 1;
  // New content probes as well as old; without either, a PING does. Outcomes and credit go again
  // like bodies: a PING in their place would only find out, after another round trip, that they
  // were lost.
  sent_packet* oldest = flow_->sent.oldest_with_content();
  if (!oldest) return;
  if (oldest->body != no_index) flow_->queue.resend(oldest->body);
  // Should the path carry only smaller packets than before, a small one is heard of.
  if (mtu_.suspicious() || (mtu_.may_shrink() && flow_->sent.probes() > 1)) ping_due_ = true;
  if (oldest->outcomes != no_index) flow_->outcomes.on_lost(oldest->outcomes);
  if (oldest->credit) credit_due_ = true;
  oldest->outcomes = no_index;  // they travel in another packet now: this one's loss is no news
  oldest->credit = false;
}

time_point peer::next_deadline() const noexcept {
  const time_point timeout = next_timeout();
  if (state_ == peer_state::connecting) return std::min({shake.retry, shake.give_up, timeout});
  if (state_ == peer_state::accepted) return std::min(shake.give_up, timeout);
  if (state_ == peer_state::free) return never;
  const config& c = shared_.settings;
  // Once reported, silence is of interest again when nothing keeps the peer any more.
  time_point next = announced || !kept() ? last_received_ + c.peer_timeout : never;
  if (shake.verifying) next = std::min(next, shake.retry);
  if (path_) next = std::min(next, path_->deadline());
  next = std::min({next, timeout, resume_, mtu_.deadline()});
  if (heartbeats()) {
    next = std::min(
        next, std::max(last_received_ + c.heartbeat_after, last_heartbeat_ + c.heartbeat_period));
  }
  return flow_ ? std::min(next, flow_deadline()) : next;
}

time_point peer::flow_deadline() const noexcept {
  const config& c = shared_.settings;
  const loss_detector& sent = flow_->sent;
  const time_point loss =
      sent.loss_time() != never
          ? sent.loss_time()
          : sent.probe_time(rtt_.probe_timeout(c.granularity, ack_delay()), c.pto_max);
  return std::min({flow_->acks.deadline(), flow_->stall_check, sent.forget_time(loss_delay()), loss,
                   rest_time()});
}

bool peer::heartbeats() const noexcept {
  // To a peer that is down, what is in flight already asks for a sign of life, again and again.
  return kept() && (announced || !flow_ || !flow_->sent.anything_in_flight());
}

bool peer::handle_deadline(time_point now) noexcept {
  const config& c = shared_.settings;
  now_ = now;
  if (flow_) flow_->queue.on_timeouts(now, *this);
  if (state_ != peer_state::established) return shake.give_up > now;
  if (silent(now) && !kept()) return false;
  if (path_ && !path_->on_deadline(now)) ++shared_.counts.paths_failed;
  if (resume_ <= now) resume_ = never;
  mtu_.on_deadline(now);
  if (flow_) handle_flow_deadline(now);
  if (heartbeats() &&
      std::max(last_received_ + c.heartbeat_after, last_heartbeat_ + c.heartbeat_period) <= now) {
    last_heartbeat_ = now;
    ping_due_ = true;
    ++shared_.counts.heartbeats_sent;
  }
  return true;
}

void peer::handle_flow_deadline(time_point now) noexcept {
  const config& c = shared_.settings;
  if (rest_time() <= now) {
    rest(now);
    if (!flow_) return;
  }
  flow_->acks.on_deadline(now);
  check_stalls(now);
  if (std::min(flow_->sent.loss_time(), flow_->sent.forget_time(loss_delay())) <= now) {
    detect_losses(now);
  } else if (flow_->sent.probe_time(rtt_.probe_timeout(c.granularity, ack_delay()), c.pto_max) <=
             now) {
    probe(now);
  }
}

}  // namespace mdp::engine
