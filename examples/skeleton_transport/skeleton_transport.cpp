// A transport plugin to start from: a loop. What an endpoint sends comes back to it, in order. It
// shows every member that a transport must have, and what each must do; docs/transport-api.md has
// the rules.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <deque>
#include <exception>
#include <thread>

#include "mdp/transport/plugin_abi.hpp"

namespace {

using namespace mdp::transport;
namespace buffer = mdp::buffer;

constexpr std::uint32_t datagram_bytes_max = 1472;
constexpr capabilities caps_of_all{.datagram_bytes_max = datagram_bytes_max,
                                   .train_bytes_max = datagram_bytes_max,
                                   .rx_block_bytes = 2048,
                                   .can_spin = false};

class loop_transport final : public transport {
 public:
  explicit loop_transport(const open_options& options)
      : local_(options.local), pool_(*options.rx_pool) {
    if (local_.family == mdp::address_family::none) local_ = mdp::simulated_address(1);
  }

  // What this transport can do. Must not change.
  const capabilities& caps() const noexcept override { return caps_of_all; }
  mdp::endpoint_address local_address() const noexcept override { return local_; }

  // The clock is the transport's own: deadlines are in its terms, and it never goes back.
  mdp::time_point now() noexcept override {
    return mdp::time_point(std::chrono::steady_clock::now().time_since_epoch());
  }

  // Only queues. Returns how many items were taken: the rest is offered again after a poll(). A
  // transport that keeps an item's memory copies its slices; this one copies the bytes at once.
  std::size_t send(std::span<const buffer::tx_datagrams> items) noexcept override {
    std::size_t taken = 0;
    for (; taken < items.size(); ++taken) {
      if (!queue(items[taken])) {
        ++counts_.tx_blocked;
        break;
      }
    }
    return taken;
  }

  // Gives what has come. With nothing to give, waits until the deadline, or until wake().
  std::size_t poll(std::span<buffer::rx_datagrams> out,
                   const wait_limits& limits) noexcept override {
    while (arrived_.empty() && now() < limits.deadline) {
      if (woken_.exchange(false)) return 0;
      std::this_thread::yield();  // a real transport sleeps in the kernel here
    }
    const std::size_t count = std::min(out.size(), arrived_.size());
    for (std::size_t i = 0; i < count; ++i) {
      out[i] = {local_, std::move(arrived_.front()), 0, buffer::ecn::not_ect};
      arrived_.pop_front();
      ++counts_.rx_datagrams;
      counts_.rx_bytes += out[i].data.size();
    }
    return count;
  }

  // From any thread. A wake-up that comes before the sleep must not be lost, hence the flag.
  void wake() noexcept override { woken_.store(true); }
  const counters& counts() const noexcept override { return counts_; }

 private:
  bool queue(const buffer::tx_datagrams& item) noexcept {
    if (item.bytes > datagram_bytes_max) {
      ++counts_.tx_rejected;  // refused for good: counts as taken, and is dropped
      return true;
    }
    buffer::slice block = buffer::slice::acquire(pool_);
    if (!block) return false;
    std::size_t used = 0;
    for (const buffer::slice& part : item.parts) {
      std::memcpy(block.data() + used, part.data(), part.size());
      used += part.size();
    }
    arrived_.push_back(block.subslice(0, item.bytes));
    ++counts_.tx_datagrams;
    counts_.tx_bytes += item.bytes;
    return true;
  }

  mdp::endpoint_address local_;
  buffer::block_pool& pool_;
  std::deque<buffer::slice> arrived_;
  std::atomic<bool> woken_{false};
  counters counts_;
};

class loop_fabric final : public fabric {
 public:
  const capabilities& caps() const noexcept override { return caps_of_all; }
  // The only member that may throw: one line that names the address and the remedy.
  std::unique_ptr<transport> open(const open_options& options) override {
    return std::make_unique<loop_transport>(options);
  }
};

// No exception may leave: a reason goes to `error`.
fabric* create(const char* /*options_json*/, char* error, std::uint32_t error_bytes) noexcept {
  try {
    return new loop_fabric;
  } catch (const std::exception& e) {
    std::snprintf(error, error_bytes, "%s", e.what());
    return nullptr;
  }
}

void destroy(fabric* f) noexcept {
  delete f;
}

}  // namespace

// The one exported symbol. The loader reads it before any C++ object crosses the boundary.
MDP_PLUGIN_EXPORT const mdp::transport::plugin_descriptor mdp_transport_plugin_v1;
const mdp::transport::plugin_descriptor mdp_transport_plugin_v1 = {
    .struct_bytes = sizeof(mdp::transport::plugin_descriptor),
    .abi_version = mdp::transport::plugin_abi_version,
    .abi_tag = MDP_ABI_TAG,
    .kind = "transport",
    .name = "skeleton",
    .version = "0.1.0",
    .summary = "a loop: what an endpoint sends comes back to it",
    .options_schema = R"({"type":"object","additionalProperties":false,"properties":{}})",
    .unavailable = nullptr,
    .create_fabric = create,
    .destroy_fabric = destroy};
