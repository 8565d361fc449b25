// Several ports of one node as one transport: IPv4 and IPv6, or an address of each of a machine's
// networks. Datagrams come with the port that took them (endpoint_address::local), and leave by the
// port that their address names; the engine thereby answers a peer from the address it speaks to.
// The ports share the thread of their owner; it sleeps until any of them has something.
#pragma once
#include <atomic>
#include <memory>
#include <vector>

#include "mdp/transport/transport.hpp"

namespace mdp::runtime {

class port_set final : public transport::transport {
 public:
  static constexpr std::size_t ports_max = 64;

  // Opens one port at each address, the options being otherwise alike. Throws std::runtime_error: a
  // transport in virtual time, one without a descriptor to wait on, too many addresses, or what
  // fabric::open() throws.
  port_set(mdp::transport::fabric& fabric, mdp::transport::open_options options,
           const std::vector<endpoint_address>& locals);
  ~port_set() override;
  port_set(const port_set&) = delete;
  port_set& operator=(const port_set&) = delete;

  [[nodiscard]] const mdp::transport::capabilities& caps() const noexcept override { return caps_; }
  [[nodiscard]] endpoint_address local_address() const noexcept override {
    return ports_.front()->local_address();
  }
  // Of every port; `local` is its number.
  [[nodiscard]] std::vector<endpoint_address> local_addresses() const;
  [[nodiscard]] time_point now() noexcept override { return ports_.front()->now(); }
  // In order: a port that takes nothing holds up what is offered behind it, until the next poll().
  [[nodiscard]] std::size_t send(std::span<const buffer::tx_datagrams> items) noexcept override;
  // wait_limits::min_datagrams is not heeded.
  [[nodiscard]] std::size_t poll(std::span<buffer::rx_datagrams> out,
                                 const mdp::transport::wait_limits& limits) noexcept override;
  void wake() noexcept override;
  // Sums over the ports.
  [[nodiscard]] const mdp::transport::counters& counts() const noexcept override;

 private:
  // What has come to any port, without waiting; another port is first each time.
  [[nodiscard]] std::size_t sweep(std::span<buffer::rx_datagrams> out) noexcept;
  [[nodiscard]] bool take_notice() noexcept;
  void sleep(duration longest) noexcept;
  void drain() noexcept;

  std::vector<std::unique_ptr<mdp::transport::transport>> ports_;
  mdp::transport::capabilities caps_;
  mutable mdp::transport::counters sum_;
  std::size_t first_ = 0;
  std::uint64_t wakeups_ = 0;
  int wake_fd_ = -1;  // an eventfd: sleep() ends when it can be read
  std::atomic<bool> noticed_{false};
};

}  // namespace mdp::runtime
