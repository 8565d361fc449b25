// The plugin "socket": kernel UDP sockets with batched calls and segmentation offload both ways.
#include <cstdio>
#include <exception>
#include <stdexcept>

#include "mdp/transport/plugin_abi.hpp"
#include "transports/common/clock.hpp"
#include "transports/common/sleeper.hpp"
#include "transports/socket/batch_receiver.hpp"
#include "transports/socket/batch_sender.hpp"

namespace mdp::transport {
namespace {

// With no block to receive into, the socket stays readable: do not sleep on it, and not for long.
constexpr std::int64_t starved_sleep_ns = 1'000'000;

class socket_transport final : public transport {
 public:
  socket_transport(const open_options& options, const socket_options& settings,
                   const capabilities& fabric_caps)
      : socket_(socket_for(options, settings)),
        caps_(fabric_caps),
        sender_(socket_, caps_, counts_),
        receiver_(socket_, *options.rx_pool, counts_) {
    if (!socket_.gso()) caps_.segments_max = 1;
    if (socket_.ipv6()) caps_.datagram_bytes_max = caps_.train_bytes_max = udp6_payload_bytes_max;
    caps_.rx_capacity_bytes = socket_.recv_buffer_bytes() / 3;
  }

  const capabilities& caps() const noexcept override { return caps_; }
  endpoint_address local_address() const noexcept override { return socket_.local(); }
  time_point now() noexcept override { return monotonic_now(); }
  std::size_t send(std::span<const buffer::tx_datagrams> items) noexcept override {
    return sender_.send(items);
  }
  std::size_t poll(std::span<buffer::rx_datagrams> out,
                   const wait_limits& limits) noexcept override {
    auto got = receiver_.receive(out);
    // With nowhere to put it, what waits on the socket would end every sleep at once.
    if (got.consumed || out.empty()) return got.filled;
    time_point now = monotonic_now();
    const time_point spin_end = earlier_of(limits.deadline, now, limits.spin);
    for (; now < spin_end; now = monotonic_now()) {
      if (sleeper_.take_notice()) return 0;
      got = receiver_.receive(out);
      if (got.consumed) return got.filled;
    }
    // A sleep may end for no reason; only datagrams, wake() and the clock end a poll.
    while (now < limits.deadline) {
      const bool starved = got.starved;
      const bool woken = sleep(limits, now, starved);
      got = receiver_.receive(out);
      if (woken || got.consumed || starved) return got.filled;
      now = monotonic_now();
    }
    return got.filled;
  }
  void wake() noexcept override { sleeper_.wake(); }
  int native_fd() const noexcept override { return socket_.fd(); }
  const counters& counts() const noexcept override { return counts_; }

 private:
  static udp_socket socket_for(const open_options& options, const socket_options& settings) {
    if (!options.sends_for) return udp_socket(options.local, settings, options.sharers);
    return udp_socket::second_handle(
        static_cast<const socket_transport*>(options.sends_for)->socket_);
  }
  // True when wake() ended it.
  bool sleep(const wait_limits& limits, time_point now, bool starved) noexcept {
    std::int64_t timeout = ns_until(limits.deadline, now);
    if (starved) {
      timeout = timeout < 0 ? starved_sleep_ns : std::min(timeout, starved_sleep_ns);
      return sleeper_.sleep(-1, timeout, counts_.wakeups);
    }
    if (sleeper_.sleep(socket_.fd(), timeout, counts_.wakeups)) return true;
    if (limits.min_datagrams < 2 || limits.min_wait <= duration::zero()) return false;
    // The first has come (or the time is up): give the others a moment, then take them in one call.
    now = monotonic_now();
    const std::int64_t more = ns_until(earlier_of(limits.deadline, now, limits.min_wait), now);
    return more > 0 && sleeper_.sleep(-1, more, counts_.wakeups);
  }

  udp_socket socket_;
  capabilities caps_;
  counters counts_;
  sleeper sleeper_;
  batch_sender sender_;
  batch_receiver receiver_;
};

class socket_fabric final : public fabric {
 public:
  explicit socket_fabric(const socket_options& settings)
      : settings_(settings), caps_(probe_udp_capabilities(settings)) {}
  const capabilities& caps() const noexcept override { return caps_; }
  fabric_facts facts() const override { return describe_shortfalls(settings_); }
  std::unique_ptr<transport> open(const open_options& options) override {
    if (!options.rx_pool) throw std::runtime_error("socket: open() needs a receive pool");
    return std::make_unique<socket_transport>(options, settings_, caps_);
  }

 private:
  socket_options settings_;
  capabilities caps_;
};

fabric* create(const char* options_json, char* error, std::uint32_t error_bytes) noexcept {
  try {
    const auto options = parse_socket_options(options_json);
    if (options) return new socket_fabric(*options);
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
    .name = "socket",
    .version = "0.1.0",
    .summary = "UDP over IPv4 and IPv6: sendmmsg, recvmmsg, UDP_SEGMENT and UDP_GRO",
    .options_schema = mdp::transport::socket_options_schema,
    .unavailable = nullptr,
    .create_fabric = mdp::transport::create,
    .destroy_fabric = mdp::transport::destroy};
