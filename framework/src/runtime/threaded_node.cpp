#include "threaded_node.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace mdp::runtime {
namespace {

constexpr std::size_t ring_capacity = 16384;
constexpr std::size_t poll_events_max = 256;
// Without anything to do the I/O thread still looks up this often: a lost wake-up would cost no
// more.
constexpr duration longest_sleep = std::chrono::milliseconds(20);

template <class T>
T& at_slot(std::vector<T>& items, peer_id peer) {
  const std::size_t slot = peer.value & 0xfffff;
  if (slot >= items.size()) items.resize(slot + 1);
  return items[slot];
}

}  // namespace

threaded_node::threaded_node(const node_options& options)
    : spin_(options.spin),
      submissions_(ring_capacity),
      events_(ring_capacity),
      held_(poll_events_max) {
  held_first_ = held_.size();
  if (options.fabric && options.fabric->caps().virtual_time)
    throw std::runtime_error(
        "threads: \"single\" needs real time; a simulated network runs with \"inline\"");
  payloads_ = std::make_unique<engine::message_buffers>(std::uint64_t{1} << 30,
                                                        buffer::sharing::many_threads);
  // The transport may have to be made by the thread that polls it; the caller wants its errors.
  std::exception_ptr error;
  std::binary_semaphore ready(0);
  thread_ = std::thread([&, options] {
    try {
      node_ = std::make_unique<inline_node>(options, buffer::sharing::many_threads);
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
  local_ = node_->local_address();
}

threaded_node::~threaded_node() {
  stop_.store(true, std::memory_order_release);
  node_->wake();
  thread_.join();
  // Slices of the node's pools go before the node does.
  while (events_.front()) {
    events_.front()->payload.reset();
    events_.pop();
  }
  while (submissions_.front()) {
    submissions_.front()->payload.reset();
    submissions_.pop();
  }
  held_.clear();
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
  const std::lock_guard lock(request_mutex_);
  request_waits_.store(false, std::memory_order_relaxed);
  (*request_)();
  request_ = nullptr;
  request_done_.notify_one();
}

result<peer_id, std::string> threaded_node::connect(const endpoint_address& to) {
  result<peer_id, std::string> peer = failure(std::string());
  on_io_thread([&] { peer = node_->connect(to); });
  if (peer) static_cast<void>(at_slot(next_sequence_, *peer));
  return peer;
}

result<message_id, messaging::refusal> threaded_node::submit(
    peer_id to, std::span<const std::byte> payload,
    const messaging::send_options& options) noexcept {
  if (payload.size() > node_->message_bytes_max()) return failure(messaging::refusal::too_large);
  buffer::slice copy = payloads_->acquire(payload.size());
  if (!copy) return failure(messaging::refusal::queue_full);
  if (!payload.empty()) std::memcpy(copy.data(), payload.data(), payload.size());
  std::uint64_t& next = at_slot(next_sequence_, to);
  submission s{to, options, copy.subslice(0, static_cast<std::uint32_t>(payload.size())), next};
  copy.reset();
  if (!submissions_.try_push(std::move(s))) return failure(messaging::refusal::queue_full);
  node_->wake();
  return message_id{next++};
}

std::size_t threaded_node::poll(std::span<messaging::event> out, time_point deadline) noexcept {
  const time_point spin_until = now() + spin_;
  for (;;) {
    std::size_t n = 0;
    while (n < out.size()) {
      messaging::event* e = events_.front();
      if (!e) break;
      // Peers that connected to us have a place here as soon as we hear of them.
      static_cast<void>(at_slot(next_sequence_, e->peer));
      out[n++] = std::move(*e);
      events_.pop();
    }
    const time_point time = now();
    if (n > 0 || time >= deadline) return n;
    if (time < spin_until) continue;
    caller_sleeps_.store(true, std::memory_order_seq_cst);
    if (events_.empty()) {
      static_cast<void>(wake_caller_.try_acquire_for(std::min(deadline - time, longest_sleep)));
    }
    caller_sleeps_.store(false, std::memory_order_relaxed);
  }
}

bool threaded_node::take_submissions() noexcept {
  bool any = false;
  while (submission* s = submissions_.front()) {
    const auto id = node_->submit(s->to, s->payload.bytes(), s->options);
    if (!id && id.error() == messaging::refusal::queue_full) break;  // it waits where it is
    if (id) {
      numbering& n = at_slot(numbering_, s->to);
      if (!n.known) n = {s->sequence - id->value, true};
    } else if (s->options.want != messaging::confirm::none) {
      // Its peer went away meanwhile: nobody will ever know.
      messaging::event lost;
      lost.kind = messaging::event_kind::unknown;
      lost.peer = s->to;
      lost.id = message_id{s->sequence};
      lost.context = s->options.context;
      lost.time = node_->now();
      while (!events_.try_push(std::move(lost)) && !stop_.load(std::memory_order_acquire))
        std::this_thread::yield();
    }
    s->payload.reset();
    submissions_.pop();
    any = true;
  }
  return any;
}

bool threaded_node::pass_events() noexcept {
  while (held_first_ < held_.size()) {
    messaging::event& e = held_[held_first_];
    numbering& n = at_slot(numbering_, e.peer);
    const bool ours = e.kind == messaging::event_kind::received ||
                      e.kind == messaging::event_kind::delivered ||
                      e.kind == messaging::event_kind::unknown;
    messaging::event passed = e;
    if (ours && n.known) passed.id.value += n.first;
    if (!events_.try_push(std::move(passed))) return false;
    if (e.kind == messaging::event_kind::peer_down) n.known = false;
    e.payload.reset();
    ++held_first_;
  }
  return true;
}

void threaded_node::run() {
  std::vector<messaging::event>& polled = held_;
  while (!stop_.load(std::memory_order_acquire)) {
    run_request();
    const bool took = take_submissions();
    if (!pass_events()) {  // the caller is behind: backpressure, not loss
      std::this_thread::yield();
      continue;
    }
    const bool stalled = !submissions_.empty();
    polled.resize(poll_events_max);
    const duration sleep =
        took || stalled ? std::chrono::microseconds(stalled ? 50 : 0) : longest_sleep;
    const std::size_t n = node_->poll(polled, node_->now() + sleep);
    polled.resize(n);
    held_first_ = 0;
    static_cast<void>(pass_events());
    if (n > 0 && caller_sleeps_.exchange(false, std::memory_order_seq_cst)) wake_caller_.release();
  }
}

bool threaded_node::idle() const noexcept {
  bool idle = false;
  on_io_thread([&] { idle = submissions_.empty() && node_->idle(); });
  return idle;
}

messaging::statistics threaded_node::stats() const {
  messaging::statistics all;
  on_io_thread([&] { all = node_->stats(); });
  return all;
}

transport::counters threaded_node::transport_counts() const {
  transport::counters counts;
  on_io_thread([&] { counts = node_->transport_counts(); });
  return counts;
}

}  // namespace mdp::runtime
