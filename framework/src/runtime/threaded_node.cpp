#include "threaded_node.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace mdp::runtime {
namespace {

using messaging::event_kind;
using messaging::refusal;

constexpr std::size_t ring_capacity = 16384;
constexpr std::size_t poll_events_max = 256;
// Of one peer, in front of a protocol that has no room for them.
constexpr std::uint32_t waiting_max = 1024;
// Payload that lies in the event ring: credit is given back when the protocol hands a message over,
// so this is what an application that does not poll can make a node hold beyond its windows.
constexpr std::uint64_t passed_bytes_max = 4u << 20;
// Without anything to do the I/O thread still looks up this often: a lost wake-up would cost no
// more.
constexpr duration longest_sleep = std::chrono::milliseconds(20);
// With something that the protocol or the caller has no room for.
constexpr duration retry_after = std::chrono::microseconds(50);

template <class T>
T& at_slot(std::vector<T>& items, peer_id peer) {
  const std::size_t slot = slot_of(peer);
  if (slot >= items.size()) items.resize(slot + 1);
  return items[slot];
}

bool about_our_message(event_kind kind) noexcept {
  return kind != event_kind::message && kind < event_kind::peer_up;
}

}  // namespace

threaded_node::threaded_node(const node_options& options)
    : spin_(options.spin),
      automatic_(options.confirm == confirm_mode::automatic),
      submissions_(ring_capacity),
      replies_(ring_capacity),
      events_(ring_capacity),
      slots_(static_cast<std::size_t>(options.config.max_peers)),
      held_(poll_events_max) {
  if (options.fabric && options.fabric->caps().virtual_time)
    throw std::runtime_error(
        "threads: \"single\" needs real time; a simulated network runs with \"inline\"");
  waiting_ = std::make_unique<std::atomic<std::uint32_t>[]>(slots_);
  payloads_ = std::make_unique<engine::message_buffers>(std::uint64_t{1} << 30,
                                                        buffer::sharing::many_threads);
  node_options io = options;
  io.confirm = confirm_mode::on_request;  // the application takes messages from us, not from `io`
  // The transport may have to be made by the thread that polls it; the caller wants its errors.
  std::exception_ptr error;
  std::binary_semaphore ready(0);
  thread_ = std::thread([&, io] {
    try {
      node_ = std::make_unique<inline_node>(io, buffer::sharing::many_threads);
    } catch (...) {
      error = std::current_exception();
    }
    const bool made = node_ != nullptr;
    ready.release();
    if (made) run();
  });
  ready.acquire();
  if (error) {
    thread_.join();
    std::rethrow_exception(error);
  }
  locals_ = node_->local_addresses();
}

threaded_node::~threaded_node() {
  stop_.store(true, std::memory_order_release);
  node_->wake();
  thread_.join();
}

void threaded_node::on_io_thread(const std::function<void()>& task) const {
  std::unique_lock lock(request_mutex_);
  request_ = &task;
  request_waits_.store(true, std::memory_order_release);
  node_->wake();
  request_done_.wait(lock, [this] { return request_ == nullptr; });
}

void threaded_node::run_request() noexcept {
  if (!request_waits_.load(std::memory_order_acquire)) return;
  static_cast<void>(take_replies());
  static_cast<void>(take_submissions());
  const std::lock_guard lock(request_mutex_);
  request_waits_.store(false, std::memory_order_relaxed);
  (*request_)();
  request_ = nullptr;
  request_done_.notify_one();
}

void threaded_node::learn(peer_id peer) {
  at_slot(known_, peer).id = peer;
}

result<message_id, refusal> threaded_node::submit(peer_id to, std::span<const std::byte> payload,
                                                  const messaging::send_options& options) noexcept {
  const std::size_t slot = slot_of(to);
  if (!knows(to)) return failure(refusal::unknown_peer);
  if (payload.size() > node_->message_bytes_max()) return failure(refusal::too_large);
  if (!valid(options)) return failure(refusal::bad_option);
  if (waiting_[slot].load(std::memory_order_relaxed) >= waiting_max)
    return failure(refusal::queue_full);
  buffer::slice copy = payloads_->acquire(payload.size());
  if (!copy) return failure(refusal::queue_full);
  if (!payload.empty()) std::memcpy(copy.data(), payload.data(), payload.size());
  std::uint64_t& next = known_[slot].next_sequence;
  waiting_submission s{to, options, copy.subslice(0, static_cast<std::uint32_t>(payload.size())),
                       next};
  copy.reset();
  if (!submissions_.try_push(std::move(s))) return failure(refusal::queue_full);
  waiting_[slot].fetch_add(1, std::memory_order_relaxed);
  node_->wake();
  return message_id{next++};
}

bool threaded_node::take(messaging::event& from, messaging::event& to) noexcept {
  if (from.kind == event_kind::message) {
    reply r{from.peer, from.id, from.payload.size()};
    if (automatic_ && from.confirm) r.what = reply::kind::confirmed;
    if (!replies_.try_push(reply(r))) return false;  // the I/O thread is about to make room
  }
  learn(from.peer);  // a peer that connected to us has a place as soon as we hear of it
  to = std::move(from);
  return true;
}

template <class Ready>
void threaded_node::sleep_until(time_point deadline, const Ready& ready) noexcept {
  caller_sleeps_.store(true, std::memory_order_seq_cst);
  if (!ready()) {
    const duration most = std::min<duration>(deadline - now(), longest_sleep);
    static_cast<void>(wake_caller_.try_acquire_for(most));
  }
  caller_sleeps_.store(false, std::memory_order_relaxed);
}

std::size_t threaded_node::poll(std::span<messaging::event> out, time_point deadline) noexcept {
  const time_point spin_until = now() + spin_;
  for (;;) {
    std::size_t n = 0;
    bool messages = false;
    while (n < out.size()) {
      messaging::event* e = events_.front();
      if (!e || !take(*e, out[n])) break;
      messages = messages || out[n].kind == event_kind::message;
      ++n;
      events_.pop();
    }
    if (messages) node_->wake();  // confirmations wait for nothing
    const time_point time = now();
    if (n > 0 || time >= deadline) return n;
    if (time >= spin_until) sleep_until(deadline, [this] { return !events_.empty(); });
  }
}

result<void, refusal> threaded_node::wait_writable(peer_id to, std::size_t bytes,
                                                   time_point deadline) noexcept {
  if (bytes > node_->message_bytes_max()) return failure(refusal::too_large);
  if (!knows(to)) return failure(refusal::unknown_peer);
  const std::atomic<std::uint32_t>& waiting = waiting_[slot_of(to)];
  while (waiting.load(std::memory_order_relaxed) >= waiting_max) {
    if (now() >= deadline) return failure(refusal::queue_full);
    sleep_until(deadline, [&] { return waiting.load(std::memory_order_relaxed) < waiting_max; });
  }
  return {};
}

result<void, refusal> threaded_node::answer(peer_id from, message_id id, bool accepted) noexcept {
  if (automatic_) return failure(refusal::not_supported);
  if (!knows(from)) return failure(refusal::unknown_peer);
  const auto what = accepted ? reply::kind::confirmed : reply::kind::rejected;
  if (!replies_.try_push(reply{from, id, 0, what})) return failure(refusal::queue_full);
  node_->wake();
  return {};
}

bool threaded_node::take_replies() noexcept {
  bool any = false;
  for (; const reply* r = replies_.front(); any = true) {
    passed_bytes_ -= r->bytes;
    // An answer to a session that is over concerns nobody.
    if (r->what != reply::kind::taken)
      static_cast<void>(node_->answer(r->from, r->id, r->what == reply::kind::confirmed));
    replies_.pop();
  }
  return any;
}

void threaded_node::report(const waiting_submission& s, event_kind kind) {
  messaging::event& e = made_.push();
  e = messaging::event{};
  e.kind = kind;
  e.peer = s.to;
  e.id = message_id{s.sequence};
  e.context = s.options.context;
  e.time = node_->now();
}

// False: it has to wait.
bool threaded_node::offer(waiting_submission& s) noexcept {
  if (!s.cancelled) {
    const auto id = node_->submit(s.to, s.payload.bytes(), s.options);
    if (!id && id.error() == refusal::queue_full) return false;
    if (id) {
      at_slot(numbering_, s.to).on_taken(s.sequence, *id);
    } else if (s.options.want != messaging::confirm::none) {
      report(s, event_kind::unknown);  // its peer went away meanwhile: nobody will ever know
    }
  }
  s.payload.reset();
  waiting_[slot_of(s.to)].fetch_sub(1, std::memory_order_relaxed);
  return true;
}

bool threaded_node::take_deferred() noexcept {
  bool any = false;
  std::erase_if(deferred_slots_, [&](std::size_t slot) {
    ring<waiting_submission>& queue = deferred_[slot];
    for (; !queue.empty() && offer(queue.front()); any = true) queue.pop_front();
    return queue.empty();
  });
  return any;
}

bool threaded_node::take_submissions() noexcept {
  bool any = take_deferred();
  for (; waiting_submission* s = submissions_.front(); any = true) {
    ring<waiting_submission>& queue = at_slot(deferred_, s->to);
    if (!queue.empty() || !offer(*s)) {
      if (queue.empty()) deferred_slots_.push_back(slot_of(s->to));
      queue.push_back(std::move(*s));
    }
    submissions_.pop();
  }
  return any;
}

void threaded_node::translate(messaging::event& e) {
  if (about_our_message(e.kind)) {
    e.id = message_id{at_slot(numbering_, e.peer).sequence_of(e.id)};
  } else if (e.kind == event_kind::peer_down) {
    at_slot(numbering_, e.peer).on_session_over(e.id);
  }
}

bool threaded_node::pass(messaging::event& e) noexcept {
  const std::uint32_t bytes = e.payload.size();
  if (e.kind == event_kind::message && passed_bytes_ > 0 &&
      passed_bytes_ + bytes > passed_bytes_max)
    return false;
  if (!events_.try_push(std::move(e))) return false;
  passed_bytes_ += bytes;
  return true;
}

// True: nothing is held back, and more may be polled.
bool threaded_node::pass_events() noexcept {
  const auto pass_all = [this] {
    for (; held_first_ < held_count_; ++held_first_)
      if (!pass(held_[held_first_])) return false;
    for (; !made_.empty(); made_.pop_front())
      if (!pass(made_.front())) return false;
    return true;
  };
  const bool all = pass_all();
  if (!events_.empty()) wake_caller();
  return all;
}

void threaded_node::wake_caller() noexcept {
  if (caller_sleeps_.exchange(false, std::memory_order_seq_cst)) wake_caller_.release();
}

void threaded_node::run() {
  while (!stop_.load(std::memory_order_acquire)) {
    run_request();
    bool took = take_replies();
    took = take_submissions() || took;
    if (took) wake_caller();  // it may wait for room
    // While the caller is behind, the protocol runs on and keeps what it has to report.
    const bool room = pass_events();
    const bool stalled = !room || !deferred_slots_.empty();
    const duration sleep = took ? duration{} : stalled ? retry_after : longest_sleep;
    const std::span<messaging::event> out = room ? std::span(held_) : std::span(held_).first(0);
    const std::size_t n = node_->poll(out, node_->now() + sleep);
    if (!room) continue;
    held_first_ = 0;
    held_count_ = n;
    for (std::size_t i = 0; i < n; ++i) translate(held_[i]);
    static_cast<void>(pass_events());
  }
}

}  // namespace mdp::runtime
