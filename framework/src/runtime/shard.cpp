#include "shard.hpp"

#include <algorithm>
#include <cstring>

#include "staged_fabric.hpp"

namespace mdp::runtime {
namespace {

using messaging::event_kind;
using messaging::refusal;

constexpr std::size_t poll_events_max = 256;
constexpr std::size_t submissions_per_turn = 64;
// Events, and answers to them, on their way between the threads.
constexpr std::uint64_t events_max = 16384;
// Of one peer, in front of a protocol that has no room for them.
constexpr std::uint32_t waiting_max = 1024;
// Payload in front of the protocol, of each size class.
constexpr std::uint64_t class_bytes_max = 256u << 20;
// Payload that lies in the outbox: credit is given back when the protocol hands a message over, so
// this is what an application that does not poll can make a node hold beyond its windows.
constexpr std::uint64_t passed_bytes_max = 4u << 20;
// With something that the protocol or the application has no room for.
constexpr duration retry_after = std::chrono::microseconds(50);
// When the sessions are over only questions come.
constexpr duration finished_sleep = std::chrono::milliseconds(1);

bool about_our_message(event_kind kind) noexcept {
  return kind != event_kind::message && kind < event_kind::peer_up;
}

bool staged(thread_layout layout) noexcept {
  return layout == thread_layout::pair || layout == thread_layout::pipeline;
}

}  // namespace

shard::shard(const node_options& options, shard_place place, outbox& events)
    : place_(place),
      outbox_(events),
      payloads_(class_bytes_max),
      automatic_(options.confirm == confirm_mode::automatic),
      slots_(static_cast<std::size_t>(options.config.max_peers)),
      places_(std::make_unique<place_of_peer[]>(slots_)),
      token_(events.make_token()),
      submitted_(submissions_per_turn),
      held_(poll_events_max) {
  node_options own = options;
  own.confirm = confirm_mode::on_request;  // the application takes messages from us, not from it
  if (staged(options.threads.layout)) {
    staged_ = std::make_unique<staged_fabric>(*options.fabric, options.threads);
    own.fabric = staged_.get();
  }
  node_ = std::make_unique<inline_node>(own, buffer::sharing::many_threads,
                                        port_share{place.index, place.count});
  locals_ = node_->local_addresses();
}

shard::place_of_peer* shard::place_of(peer_id peer) const noexcept {
  const std::size_t slot = slot_of(peer);
  if (slot >= slots_ || places_[slot].id.load(std::memory_order_acquire) != peer.value)
    return nullptr;
  return &places_[slot];
}

buffer::slice shard::copy_of(const engine::payload_parts& payload) noexcept {
  buffer::slice copy = payloads_.acquire(payload.bytes);
  if (!copy) return copy;
  std::byte* at = copy.data();
  for (const auto& part : payload.parts) {
    if (!part.empty()) std::memcpy(at, part.data(), part.size());
    at += part.size();
  }
  return copy;
}

result<message_id, refusal> shard::submit(peer_id to, const engine::payload_parts& payload,
                                          const messaging::send_options& options) noexcept {
  place_of_peer* const peer = place_of(to);
  if (!peer) return failure(refusal::unknown_peer);
  if (payload.bytes > node_->message_bytes_max()) return failure(refusal::too_large);
  if (!valid(options)) return failure(refusal::bad_option);
  // Counted before it is asked whether we are closed: finish() waits for what is counted.
  const std::uint32_t ahead = peer->waiting.fetch_add(1, std::memory_order_seq_cst);
  const auto refused = [peer](refusal why) {
    peer->waiting.fetch_sub(1, std::memory_order_seq_cst);
    return failure(why);
  };
  if (closed_.load(std::memory_order_seq_cst)) return refused(refusal::closed);
  if (ahead >= waiting_max) return refused(refusal::queue_full);
  waiting_message m{to, options, payload.held ? *payload.held : copy_of(payload)};
  if (!m.payload && !payload.held) return refused(refusal::queue_full);
  // From here on it is the order of the numbers that counts, not that of the queue.
  const std::uint64_t sequence = peer->next_sequence.fetch_add(1, std::memory_order_relaxed);
  m.sequence = sequence;
  put_surely([&] { return submissions_.enqueue(std::move(m)); });
  node_->wake();
  return message_id{sequence};
}

result<void, refusal> shard::wait_writable(peer_id to, time_point deadline) noexcept {
  place_of_peer* const peer = place_of(to);
  if (!peer) return failure(refusal::unknown_peer);
  const auto room = [peer] { return peer->waiting.load(std::memory_order_relaxed) < waiting_max; };
  while (!room()) {
    const time_point at = now();
    if (at >= deadline) return failure(refusal::queue_full);
    writers_.sleep(deadline - at, room);
  }
  return {};
}

void shard::put_reply(const reply& r) noexcept {
  replies_waiting_.fetch_add(1, std::memory_order_relaxed);
  put_surely([&] { return replies_.enqueue(r); });
}

result<void, refusal> shard::answer(peer_id from, message_id id, bool accepted) noexcept {
  if (automatic_) return failure(refusal::not_supported);
  if (!place_of(from)) return failure(refusal::unknown_peer);
  if (replies_waiting_.load(std::memory_order_relaxed) >= events_max)
    return failure(refusal::queue_full);
  put_reply({from, id, accepted});
  node_->wake();
  return {};
}

bool shard::on_taken(const messaging::event& e) noexcept {
  bool answers = false;
  if (e.kind == event_kind::message) {
    taken_bytes_.fetch_add(e.payload.size(), std::memory_order_relaxed);
    answers = automatic_ && e.confirm;
    if (answers) put_reply({place_.inner(e.peer), e.id, true});
  }
  taken_.fetch_add(1, std::memory_order_relaxed);
  return answers;
}

void shard::ask_for(const std::function<void(inline_node&)>& task) {
  const std::lock_guard alone(asking_);
  std::unique_lock lock(request_mutex_);
  request_ = &task;
  request_waits_.store(true, std::memory_order_release);
  node_->wake();
  request_done_.wait(lock, [this] { return request_ == nullptr; });
}

// --- The shard's thread.

void shard::run_request() noexcept {
  if (!request_waits_.load(std::memory_order_acquire)) return;
  static_cast<void>(take_replies());
  while (take_submissions()) {
  }
  const std::lock_guard lock(request_mutex_);
  request_waits_.store(false, std::memory_order_relaxed);
  (*request_)(*node_);
  request_ = nullptr;
  request_done_.notify_one();
}

void shard::learn(peer_id peer) noexcept {
  places_[slot_of(peer)].id.store(peer.value, std::memory_order_release);
}

shard::lane& shard::lane_of(peer_id peer) {
  const std::size_t slot = slot_of(peer);
  if (slot >= lanes_.size()) lanes_.resize(slot + 1);
  return lanes_[slot];
}

bool shard::take_replies() noexcept {
  bool any = false;
  for (reply r; replies_.try_dequeue(r); any = true) {
    replies_waiting_.fetch_sub(1, std::memory_order_relaxed);
    // An answer to a session that is over concerns nobody.
    static_cast<void>(node_->answer(r.from, r.id, r.accepted));
  }
  return any;
}

void shard::report(const waiting_message& m, event_kind kind) {
  messaging::event& e = made_.push();
  e = messaging::event{};
  e.kind = kind;
  e.peer = m.to;
  e.id = message_id{m.sequence};
  e.context = m.options.context;
  e.time = node_->now();
}

// False: it has to wait.
bool shard::offer(lane& l, waiting_message& m) noexcept {
  if (!m.cancelled) {
    const auto id = node_->submit_zero_copy(m.to, m.payload, m.options);
    if (!id && id.error() == refusal::queue_full) return false;
    if (id) {
      l.numbers.on_taken(m.sequence, *id);
    } else if (m.options.want != messaging::confirm::none) {
      report(m, event_kind::unknown);  // its peer went away meanwhile: nobody will ever know
    }
  }
  m.payload.reset();
  ++l.expected;
  places_[slot_of(m.to)].waiting.fetch_sub(1, std::memory_order_seq_cst);
  return true;
}

// True: nothing waits in this lane.
bool shard::drain(lane& l) noexcept {
  while (!l.waiting.empty() && l.waiting.front().sequence == l.expected &&
         offer(l, l.waiting.front()))
    l.waiting.pop_front();
  return l.waiting.empty();
}

// Behind all that come before it: two threads may have overtaken each other on the way.
void shard::queue_up(waiting_message&& m) {
  lane& l = lane_of(m.to);
  if (l.waiting.empty()) stalled_.push_back(slot_of(m.to));
  l.waiting.push_back(std::move(m));
  for (std::size_t i = l.waiting.size() - 1;
       i > 0 && l.waiting[i].sequence < l.waiting[i - 1].sequence; --i)
    std::swap(l.waiting[i], l.waiting[i - 1]);
}

bool shard::offer_waiting() noexcept {
  const std::size_t before = stalled_.size();
  std::erase_if(stalled_, [this](std::size_t slot) { return drain(lanes_[slot]); });
  return stalled_.size() < before;
}

bool shard::take_submissions() noexcept {
  bool any = offer_waiting();
  const std::size_t n = submissions_.try_dequeue_bulk(submitted_.begin(), submitted_.size());
  for (std::size_t i = 0; i < n; ++i) {
    waiting_message& m = submitted_[i];
    lane& l = lane_of(m.to);
    if (l.waiting.empty() && m.sequence == l.expected && offer(l, m)) continue;
    queue_up(std::move(m));
  }
  return any || n > 0;
}

void shard::translate(messaging::event& e) {
  if (about_our_message(e.kind)) {
    e.id = message_id{lane_of(e.peer).numbers.sequence_of(e.id)};
  } else if (e.kind == event_kind::peer_down) {
    lane_of(e.peer).numbers.on_session_over(e.id);
  }
}

bool shard::pass(messaging::event& e) noexcept {
  const std::uint32_t bytes = e.payload.size();
  if (silent_ || passed_ - taken_.load(std::memory_order_relaxed) >= events_max) return false;
  const std::uint64_t lying = passed_bytes_ - taken_bytes_.load(std::memory_order_relaxed);
  if (e.kind == event_kind::message && lying > 0 && lying + bytes > passed_bytes_max) return false;
  learn(e.peer);  // a peer that connected to us has a place as soon as it is heard of
  e.peer = place_.outer(e.peer);
  ++passed_;
  passed_bytes_ += bytes;
  outbox_.put(token_, std::move(e));
  return true;
}

// True: nothing is held back, and more may be polled.
bool shard::pass_events() noexcept {
  const std::uint64_t before = passed_;
  const auto pass_all = [this] {
    for (; held_first_ < held_count_; ++held_first_)
      if (!pass(held_[held_first_])) return false;
    for (; !made_.empty(); made_.pop_front())
      if (!pass(made_.front())) return false;
    return true;
  };
  const bool all = pass_all();
  if (passed_ != before) outbox_.wake();
  return all;
}

void shard::work(duration longest) noexcept {
  run_request();
  bool took = take_replies();
  took = take_submissions() || took;
  if (took) writers_.wake_all();
  // While the application is behind, the protocol runs on and keeps what it has to report.
  const bool room = pass_events();
  const bool stalled = !room || !stalled_.empty();
  duration sleep = took ? duration::zero() : stalled ? retry_after : longest;
  if (finished_) {
    writers_.sleep(std::min(longest, finished_sleep), [] { return false; });
    sleep = duration::zero();
  }
  const std::span<messaging::event> out = room ? std::span(held_) : std::span(held_).first(0);
  const std::size_t n = node_->poll(out, node_->now() + std::min(sleep, longest));
  if (!room) return;
  held_first_ = 0;
  held_count_ = n;
  for (std::size_t i = 0; i < n; ++i) translate(held_[i]);
  static_cast<void>(pass_events());
}

}  // namespace mdp::runtime
