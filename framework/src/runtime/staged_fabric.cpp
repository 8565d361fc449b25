#include "staged_fabric.hpp"

#include <array>
#include <optional>

#include "agent.hpp"
#include "mdp/base/spsc_ring.hpp"
#include "parking.hpp"

namespace mdp::runtime {
namespace {

using mdp::transport::counter_names;
using mdp::transport::counters;
using mdp::transport::open_options;

constexpr std::size_t received_max = 1024;  // datagrams and trains between two threads
constexpr std::size_t batches_max = 16;     // of up to 64 trains each
// While the other side has no room.
constexpr duration retry_after = std::chrono::microseconds(50);

// Counts of a transport that another thread polls.
class published_counters {
 public:
  void publish(const counters& from) noexcept {
    for (std::size_t i = 0; i < values_.size(); ++i)
      values_[i].store(from.*counter_names[i].second, std::memory_order_relaxed);
  }
  void add_to(counters& to) const noexcept {
    for (std::size_t i = 0; i < values_.size(); ++i)
      to.*counter_names[i].second += values_[i].load(std::memory_order_relaxed);
  }

 private:
  std::array<std::atomic<std::uint64_t>, std::size(counter_names)> values_{};
};

// Receives, and passes on what came.
class receiver final : public agent {
 public:
  receiver(mdp::transport::fabric& fabric, const open_options& options)
      : transport_(fabric.open(options)) {}

  void work(duration longest) noexcept override {
    if (first_ == count_) receive(longest);
    const std::size_t before = first_;
    while (first_ < count_ && passed_.try_push(std::move(held_[first_]))) ++first_;
    if (first_ > before) taker_.wake_one();
    if (first_ < count_ && longest > duration::zero())
      room_.sleep(std::min(longest, retry_after), [] { return false; });
  }
  void wake() noexcept override { transport_->wake(); }

  // The side of the one who takes.
  [[nodiscard]] std::size_t take(std::span<buffer::rx_datagrams> out) noexcept {
    std::size_t n = 0;
    while (n < out.size()) {
      buffer::rx_datagrams* next = passed_.front();
      if (!next) break;
      out[n++] = std::move(*next);
      passed_.pop();
    }
    return n;
  }
  [[nodiscard]] bool empty() const noexcept { return passed_.empty(); }
  [[nodiscard]] parking& taker() noexcept { return taker_; }
  [[nodiscard]] const published_counters& counts() const noexcept { return counts_; }
  [[nodiscard]] mdp::transport::transport& port() noexcept { return *transport_; }

 private:
  void receive(duration longest) noexcept {
    mdp::transport::wait_limits limits;
    limits.deadline = transport_->now() + longest;
    first_ = 0;
    count_ = transport_->poll(held_, limits);
    if (count_ > 0) counts_.publish(transport_->counts());
  }

  std::array<buffer::rx_datagrams, 64> held_;
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  published_counters counts_;
  spsc_ring<buffer::rx_datagrams> passed_{received_max};
  parking taker_;
  parking room_;
  std::unique_ptr<mdp::transport::transport> transport_;
};

// Sends what it is given, in order.
class sender final : public agent {
 public:
  sender(mdp::transport::fabric& fabric, const open_options& options)
      : transport_(fabric.open(options)) {
    for (buffer::tx_batch& batch : batches_) static_cast<void>(free_.try_push(&batch));
  }
  // What was taken is sent, as far as the transport still takes it.
  ~sender() override {
    while (next() && send() > 0) {
    }
  }

  void work(duration longest) noexcept override {
    if (!next()) {
      static_cast<void>(transport_->poll({}, {}));  // what went out gives its slices back
      given_.sleep(longest, [this] { return !queued_.empty(); });
      return;
    }
    const std::size_t sent = send();
    counts_.publish(transport_->counts());
    if (sent == 0) given_.sleep(std::min(longest, retry_after), [] { return false; });
  }
  void wake() noexcept override { given_.wake_all(); }

  // The side of the one who gives: takes the first n items and returns n.
  [[nodiscard]] std::size_t give(std::span<const buffer::tx_datagrams> items) noexcept {
    buffer::tx_batch** const free = free_.front();
    if (!free) return 0;
    buffer::tx_batch& batch = **free;
    std::size_t n = 0;
    while (n < items.size() && !batch.full() && items[n].parts.size() <= batch.parts_free()) {
      for (const buffer::slice& part : items[n].parts) batch.add_part(part);
      batch.finish_item(items[n].to, items[n].segment_bytes, items[n].codepoint);
      ++n;
    }
    free_.pop();
    static_cast<void>(queued_.try_push(&batch));  // as many places as batches
    given_.wake_one();
    return n;
  }
  [[nodiscard]] const published_counters& counts() const noexcept { return counts_; }

 private:
  [[nodiscard]] bool next() noexcept {
    if (batch_) return true;
    buffer::tx_batch** const queued = queued_.front();
    if (!queued) return false;
    batch_ = *queued;
    queued_.pop();
    return true;
  }
  std::size_t send() noexcept {
    const std::size_t sent = transport_->send(batch_->pending());
    batch_->consume(sent);
    static_cast<void>(transport_->poll({}, {}));
    if (batch_->empty()) static_cast<void>(free_.try_push(std::exchange(batch_, nullptr)));
    return sent;
  }

  std::array<buffer::tx_batch, batches_max> batches_;
  spsc_ring<buffer::tx_batch*> free_{batches_max};
  spsc_ring<buffer::tx_batch*> queued_{batches_max};
  buffer::tx_batch* batch_ = nullptr;  // being sent
  parking given_;
  published_counters counts_;
  std::unique_ptr<mdp::transport::transport> transport_;
};

// Both sides of one port, as the protocol's thread sees them.
class staged_transport final : public mdp::transport::transport {
 public:
  staged_transport(mdp::transport::fabric& fabric, open_options options, const thread_plan& plan,
                   const mdp::transport::capabilities& caps) {
    receiving_.emplace(thread_of(plan, 1, "mdp-receive"), [&] {
      auto made = std::make_unique<receiver>(fabric, options);
      receiver_ = made.get();
      return made;
    });
    local_ = receiver_->port().local_address();
    caps_ = receiver_->port().caps();
    caps_.holds_slices = caps.holds_slices;
    options.sends_for = &receiver_->port();
    if (plan.layout == thread_layout::pair) {
      direct_ = fabric.open(options);
      return;
    }
    sending_.emplace(thread_of(plan, 2, "mdp-send"), [&] {
      auto made = std::make_unique<sender>(fabric, options);
      sender_ = made.get();
      return made;
    });
  }
  // What was taken is handed on before the receiver goes, whose port it leaves through.
  ~staged_transport() override {
    sending_.reset();
    direct_.reset();
    receiving_.reset();
  }

  [[nodiscard]] const mdp::transport::capabilities& caps() const noexcept override { return caps_; }
  [[nodiscard]] endpoint_address local_address() const noexcept override { return local_; }
  [[nodiscard]] time_point now() noexcept override { return receiver_->port().now(); }
  [[nodiscard]] std::size_t send(std::span<const buffer::tx_datagrams> items) noexcept override {
    if (direct_) return direct_->send(items);
    std::size_t taken = 0;
    while (taken < items.size()) {
      const std::size_t n = sender_->give(items.subspan(taken));
      if (n == 0) break;
      taken += n;
    }
    return taken;
  }
  [[nodiscard]] std::size_t poll(std::span<buffer::rx_datagrams> out,
                                 const mdp::transport::wait_limits& limits) noexcept override {
    if (direct_) static_cast<void>(direct_->poll({}, {}));
    const std::size_t n = receiver_->take(out);
    if (n > 0 || out.empty()) return n;
    const auto ready = [this] {
      return !receiver_->empty() || noticed_.load(std::memory_order_acquire);
    };
    time_point at = now();
    const time_point spin_end =
        limits.deadline - at > limits.spin ? at + limits.spin : limits.deadline;
    while (at < spin_end && !ready()) at = now();
    if (at < limits.deadline && !ready()) {
      receiver_->taker().sleep(limits.deadline - at, ready);
      ++wakeups_;
    }
    noticed_.store(false, std::memory_order_release);
    return receiver_->take(out);
  }
  void wake() noexcept override {
    if (noticed_.exchange(true, std::memory_order_acq_rel)) return;
    receiver_->taker().wake_all();
  }
  [[nodiscard]] const counters& counts() const noexcept override {
    sum_ = direct_ ? direct_->counts() : counters{};
    if (sender_) sender_->counts().add_to(sum_);
    receiver_->counts().add_to(sum_);
    sum_.wakeups += wakeups_;
    return sum_;
  }

 private:
  // The agents belong to their threads.
  receiver* receiver_ = nullptr;
  sender* sender_ = nullptr;
  std::unique_ptr<mdp::transport::transport> direct_;
  std::optional<agent_thread> receiving_;
  std::optional<agent_thread> sending_;
  endpoint_address local_;
  mdp::transport::capabilities caps_;
  std::atomic<bool> noticed_{false};
  std::uint64_t wakeups_ = 0;
  mutable counters sum_;
};

mdp::transport::capabilities staged(mdp::transport::capabilities caps) noexcept {
  caps.holds_slices = true;  // in the rings
  return caps;
}

}  // namespace

staged_fabric::staged_fabric(mdp::transport::fabric& inner, const thread_plan& plan)
    : inner_(inner), plan_(plan), caps_(staged(inner.caps())) {}

std::unique_ptr<mdp::transport::transport> staged_fabric::open(
    const mdp::transport::open_options& options) {
  return std::make_unique<staged_transport>(inner_, options, plan_, caps_);
}

}  // namespace mdp::runtime
