// The transport that goes nowhere: takes every datagram, never gets one. What a benchmark measures
// over it is the cost of everything but moving datagrams.
#include <atomic>
#include <cstdio>
#include <exception>

#include "mdp/transport/plugin_abi.hpp"
#include "transports/common/clock.hpp"
#include "transports/common/sleeper.hpp"
#include "transports/common/udp_socket.hpp"

namespace mdp::transport {
namespace {

constexpr capabilities null_caps{.datagram_bytes_max = udp_payload_bytes_max,
                                 .segments_max = 128,
                                 .train_bytes_max = udp_payload_bytes_max,
                                 .rx_block_bytes = 64,
                                 .rx_capacity_bytes = 0,
                                 .virtual_time = false,
                                 .holds_slices = false,
                                 .can_spin = true};

class null_transport final : public transport {
 public:
  explicit null_transport(const endpoint_address& local) : local_(local) {}

  const capabilities& caps() const noexcept override { return null_caps; }
  endpoint_address local_address() const noexcept override { return local_; }
  time_point now() noexcept override { return monotonic_now(); }
  std::size_t send(std::span<const buffer::tx_datagrams> items) noexcept override {
    for (const auto& item : items) {
      counts_.tx_datagrams += datagrams_in(item.bytes, item.segment_bytes);
      counts_.tx_bytes += item.bytes;
    }
    if (!items.empty()) ++counts_.tx_calls;
    return items.size();
  }
  std::size_t poll(std::span<buffer::rx_datagrams>, const wait_limits& limits) noexcept override {
    time_point now = monotonic_now();
    const time_point spin_end = earlier_of(limits.deadline, now, limits.spin);
    while (now < spin_end) {
      if (sleeper_.take_notice()) return 0;
      now = monotonic_now();
    }
    // A sleep may end a little early or for no reason; only the clock and wake() count.
    for (; now < limits.deadline; now = monotonic_now()) {
      if (sleeper_.sleep(-1, ns_until(limits.deadline, now), counts_.wakeups)) break;
    }
    return 0;
  }
  void wake() noexcept override { sleeper_.wake(); }
  const counters& counts() const noexcept override { return counts_; }

 private:
  sleeper sleeper_;
  endpoint_address local_;
  counters counts_;
};

class null_fabric final : public fabric {
 public:
  const capabilities& caps() const noexcept override { return null_caps; }
  std::unique_ptr<transport> open(const open_options& options) override {
    const std::uint32_t number = opened_.fetch_add(1, std::memory_order_relaxed);
    const bool given = options.local.family != address_family::none;
    return std::make_unique<null_transport>(given ? options.local : simulated_address(number));
  }

 private:
  std::atomic<std::uint32_t> opened_{1};
};

fabric* create(const char*, char* error, std::uint32_t error_bytes) noexcept {
  try {
    return new null_fabric;
  } catch (const std::exception& e) {
    std::snprintf(error, error_bytes, "%s", e.what());
    return nullptr;
  }
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
    .name = "null",
    .version = "0.1.0",
    .summary = "takes every datagram and delivers none: measures everything else",
    .options_schema = R"({"type":"object","additionalProperties":false,"properties":{}})",
    .unavailable = nullptr,
    .create_fabric = mdp::transport::create,
    .destroy_fabric = mdp::transport::destroy};
