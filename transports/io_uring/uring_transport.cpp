// The plugin "io_uring": UDP sockets driven by a ring of completions.
#include <poll.h>

#include <cstdio>
#include <exception>
#include <optional>
#include <stdexcept>

#include "mdp/transport/plugin_abi.hpp"
#include "transports/common/clock.hpp"
#include "transports/common/sleeper.hpp"
#include "transports/io_uring/receive_ring.hpp"
#include "transports/io_uring/send_slots.hpp"

namespace mdp::transport {
namespace {

// With no block to receive into only the caller can change anything: do not sleep for long.
constexpr std::int64_t starved_sleep_ns = 1'000'000;
// Nothing tells when a device that had no room for a datagram has some again.
constexpr std::int64_t blocked_sleep_ns = 1'000'000;
constexpr std::int64_t close_wait_ns = 10'000'000;
constexpr int close_rounds = 100;

capabilities ring_caps(capabilities caps) {
  caps.rx_block_bytes = ring_block_bytes;
  caps.holds_slices = true;
  return caps;
}

class uring_transport final : public transport {
 public:
  uring_transport(const open_options& options, const socket_options& settings,
                  const capabilities& fabric_caps)
      : socket_(socket_for(options, settings)), caps_(fabric_caps) {
    ring_.emplace();
    if (!options.sends_for) receiver_.emplace(*ring_, socket_.fd(), *options.rx_pool, counts_);
    sender_.emplace(*ring_, socket_, caps_, counts_);
    if (!socket_.gso()) caps_.segments_max = 1;
    if (socket_.ipv6()) caps_.datagram_bytes_max = caps_.train_bytes_max = udp6_payload_bytes_max;
    caps_.rx_capacity_bytes = socket_.recv_buffer_bytes() / 3;
  }
  ~uring_transport() override {
    close_requests();
    // The kernel lets go of blocks and slices with the ring; only then may they be given back.
    ring_.reset();
  }

  const capabilities& caps() const noexcept override { return caps_; }
  endpoint_address local_address() const noexcept override { return socket_.local(); }
  time_point now() noexcept override { return monotonic_now(); }
  std::size_t send(std::span<const buffer::tx_datagrams> items) noexcept override;
  std::size_t poll(std::span<buffer::rx_datagrams> out,
                   const wait_limits& limits) noexcept override;
  void wake() noexcept override { sleeper_.wake(); }
  // Readable when completions wait, or work that leads to them.
  int native_fd() const noexcept override { return ring_->fd(); }
  const counters& counts() const noexcept override { return counts_; }

 private:
  static udp_socket socket_for(const open_options& options, const socket_options& settings) {
    if (!options.sends_for) return udp_socket(options.local, settings, options.sharers);
    return udp_socket::second_handle(
        static_cast<const uring_transport*>(options.sends_for)->socket_);
  }
  struct outcome {
    std::size_t filled = 0;
    bool consumed = false;
  };

  void flush() noexcept {
    sender_->count_call();
    ring_->flush();
  }
  // Queues what must always be pending, then submits and collects.
  [[nodiscard]] outcome turn(std::span<buffer::rx_datagrams> out) noexcept;
  [[nodiscard]] outcome reap(std::span<buffer::rx_datagrams> out) noexcept;
  [[nodiscard]] bool sleep(const wait_limits& limits, time_point now, bool starved) noexcept;
  void arm_wake() noexcept;
  void close_requests() noexcept;

  udp_socket socket_;
  capabilities caps_;
  counters counts_;
  sleeper sleeper_;
  // The ring goes first at the end: see the destructor.
  std::optional<receive_ring> receiver_;  // empty: a handle that only sends
  std::optional<send_slots> sender_;
  std::optional<ring> ring_;
  bool wake_armed_ = false;
};

void uring_transport::arm_wake() noexcept {
  if (wake_armed_) return;
  if (io_uring_sqe* sqe = ring_->entry(ring_tag::wake)) {
    io_uring_prep_poll_add(sqe, sleeper_.fd(), POLLIN);
    sqe->user_data = static_cast<std::uint64_t>(ring_tag::wake);
    wake_armed_ = true;
  }
}

uring_transport::outcome uring_transport::reap(std::span<buffer::rx_datagrams> out) noexcept {
  outcome result;
  unsigned seen = 0;
  unsigned head = 0;
  io_uring_cqe* cqe = nullptr;
  constexpr auto first_slot = static_cast<std::uint64_t>(ring_tag::first_slot);
  io_uring_for_each_cqe(&ring_->raw(), head, cqe) {
    if (cqe->user_data >= first_slot) {
      sender_->complete(static_cast<std::size_t>(cqe->user_data - first_slot), cqe->res);
    } else if (cqe->user_data == static_cast<std::uint64_t>(ring_tag::receive)) {
      // What does not fit stays in the queue for the next poll.
      if (result.filled == out.size()) break;
      result.consumed = result.consumed || (cqe->flags & IORING_CQE_F_BUFFER) != 0;
      if (receiver_->complete(*cqe, out[result.filled])) ++result.filled;
    } else if (cqe->user_data == static_cast<std::uint64_t>(ring_tag::wake)) {
      wake_armed_ = false;
      sleeper_.drain();
    }
    ++seen;
  }
  io_uring_cq_advance(&ring_->raw(), seen);
  return result;
}

uring_transport::outcome uring_transport::turn(std::span<buffer::rx_datagrams> out) noexcept {
  if (receiver_) receiver_->prepare();
  arm_wake();
  sender_->retry_blocked();
  if (ring_->has_pending() || ring_->has_work()) flush();
  return reap(out);
}

std::size_t uring_transport::send(std::span<const buffer::tx_datagrams> items) noexcept {
  ring_->enable();
  std::size_t taken = 0;
  while (taken < items.size()) {
    auto placed = sender_->queue(items[taken]);
    if (placed == send_slots::placed::no_room) {
      // UDP sends mostly complete when submitted: that frees their slots.
      flush();
      static_cast<void>(reap({}));
      placed = sender_->queue(items[taken]);
    }
    if (placed == send_slots::placed::no_room) {
      ++counts_.tx_blocked;
      break;
    }
    if (placed == send_slots::placed::must_split) {
      flush();  // keeps the order of what was queued before
      socket_.refused().note_train(items[taken].to);
      send_unsegmented(socket_.fd(), items[taken], counts_);
    }
    ++taken;
  }
  return taken;
}

bool uring_transport::sleep(const wait_limits& limits, time_point now, bool starved) noexcept {
  if (!sleeper_.prepare_sleep()) return true;
  std::int64_t timeout = ns_until(limits.deadline, now);
  const auto at_most = [&](std::int64_t ns) { timeout = timeout < 0 ? ns : std::min(timeout, ns); };
  if (starved) at_most(starved_sleep_ns);
  if (sender_->blocked()) at_most(blocked_sleep_ns);
  ring_->wait(limits.min_datagrams, limits.min_wait, timeout);
  ++counts_.wakeups;
  return sleeper_.end_sleep();
}

std::size_t uring_transport::poll(std::span<buffer::rx_datagrams> out,
                                  const wait_limits& limits) noexcept {
  ring_->enable();
  outcome got = turn(out);
  if (got.consumed || out.empty()) return got.filled;
  time_point now = monotonic_now();
  const time_point spin_end = earlier_of(limits.deadline, now, limits.spin);
  for (; now < spin_end; now = monotonic_now()) {
    if (sleeper_.take_notice()) return 0;
    got = turn(out);
    if (got.consumed) return got.filled;
  }
  while (now < limits.deadline) {
    const bool starved = receiver_ && receiver_->starved();
    const bool woken = sleep(limits, now, starved);
    got = turn(out);
    if (woken || got.consumed || starved) return got.filled;
    now = monotonic_now();
  }
  return got.filled;
}

void uring_transport::close_requests() noexcept {
  if (!ring_->enabled()) return;
  io_uring_sqe* sqe = ring_->entry(ring_tag::ignored);
  if (!sqe) return;
  io_uring_prep_cancel64(sqe, 0, IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL);
  sqe->user_data = static_cast<std::uint64_t>(ring_tag::ignored);
  // On another thread than the polling one the kernel refuses; the ring's end then cancels
  // everything without running any of it.
  if (ring_->flush() < 0) return;
  for (int i = 0; i < close_rounds; ++i) {
    std::array<buffer::rx_datagrams, 64> late;
    static_cast<void>(reap(late));
    if (!(receiver_ && receiver_->armed()) && !wake_armed_ && sender_->idle()) break;
    ring_->flush();
    if (io_uring_cq_ready(&ring_->raw()) == 0) ring_->wait(1, {}, close_wait_ns);
  }
}

class uring_fabric final : public fabric {
 public:
  explicit uring_fabric(const socket_options& settings)
      : settings_(settings), caps_(ring_caps(probe_udp_capabilities(settings))) {}
  const capabilities& caps() const noexcept override { return caps_; }
  fabric_facts facts() const override { return describe_shortfalls(settings_); }
  std::unique_ptr<transport> open(const open_options& options) override {
    if (!options.rx_pool) throw std::runtime_error("io_uring: open() needs a receive pool");
    return std::make_unique<uring_transport>(options, settings_, caps_);
  }

 private:
  socket_options settings_;
  capabilities caps_;
};

const char* unavailable() noexcept {
  static char reason[256];
  try {
    std::snprintf(reason, sizeof reason, "%s", why_no_ring().c_str());
  } catch (const std::exception& e) {
    std::snprintf(reason, sizeof reason, "%s", e.what());
  }
  return reason[0] ? reason : nullptr;
}

fabric* create(const char* options_json, char* error, std::uint32_t error_bytes) noexcept {
  try {
    const auto options = parse_socket_options(options_json);
    if (options) return new uring_fabric(*options);
    std::snprintf(error, error_bytes, "%s", options.error().c_str());
  } catch (const std::exception& e) {
    std::snprintf(error, error_bytes, "%s", e.what());
  }
  return nullptr;
}

void destroy(fabric* f) noexcept {
  delete f;
}

}  // namespace
}  // namespace mdp::transport

MDP_PLUGIN_EXPORT const mdp::transport::plugin_descriptor mdp_transport_plugin_v1;
const mdp::transport::plugin_descriptor mdp_transport_plugin_v1 = {
    .struct_bytes = sizeof(mdp::transport::plugin_descriptor),
    .abi_version = mdp::transport::plugin_abi_version,
    .abi_tag = MDP_ABI_TAG,
    .kind = "transport",
    .name = "io_uring",
    .version = "0.1.0",
    .summary = "UDP over io_uring: multishot receive into provided buffers, batched sends",
    .options_schema = mdp::transport::socket_options_schema,
    .unavailable = mdp::transport::unavailable,
    .create_fabric = mdp::transport::create,
    .destroy_fabric = mdp::transport::destroy};
