#include "port_set.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <system_error>

namespace mdp::runtime {
namespace {

using mdp::transport::capabilities;

// What every port can do.
capabilities least(capabilities a, const capabilities& b) noexcept {
  a.datagram_bytes_max = std::min(a.datagram_bytes_max, b.datagram_bytes_max);
  a.segments_max = std::min(a.segments_max, b.segments_max);
  a.train_bytes_max = std::min(a.train_bytes_max, b.train_bytes_max);
  a.rx_block_bytes = std::max(a.rx_block_bytes, b.rx_block_bytes);
  a.rx_capacity_bytes = std::min(a.rx_capacity_bytes, b.rx_capacity_bytes);
  return a;
}

}  // namespace

port_set::port_set(mdp::transport::fabric& fabric, mdp::transport::open_options options,
                   const std::vector<endpoint_address>& locals) {
  if (locals.size() > ports_max)
    throw std::runtime_error(
        fmt::format("a node has at most {} ports, not {}", ports_max, locals.size()));
  if (fabric.caps().virtual_time)
    throw std::runtime_error("in a simulated network a node has one port: name one local address");
  for (const endpoint_address& local : locals) {
    options.local = local;
    ports_.push_back(fabric.open(options));
    if (ports_.back()->native_fd() < 0)
      throw std::runtime_error(
          "this transport has no descriptor to wait on, so a node has one port: name one local "
          "address");
    caps_ = ports_.size() == 1 ? ports_.back()->caps() : least(caps_, ports_.back()->caps());
  }
  wake_fd_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_fd_ < 0)
    throw std::system_error(errno, std::generic_category(),
                            "cannot create an eventfd (raise the limit of open files)");
}

port_set::~port_set() {
  ::close(wake_fd_);
}

std::vector<endpoint_address> port_set::local_addresses() const {
  std::vector<endpoint_address> all;
  for (const auto& port : ports_) {
    all.push_back(port->local_address());
    all.back().local = static_cast<std::uint8_t>(all.size() - 1);
  }
  return all;
}

std::size_t port_set::send(std::span<const buffer::tx_datagrams> items) noexcept {
  std::size_t taken = 0;
  while (taken < items.size()) {
    const std::uint8_t port = items[taken].to.local;
    std::size_t end = taken + 1;
    while (end < items.size() && items[end].to.local == port) ++end;
    const auto run = items.subspan(taken, end - taken);
    const std::size_t n = ports_[std::min<std::size_t>(port, ports_.size() - 1)]->send(run);
    taken += n;
    if (n < run.size()) break;
  }
  return taken;
}

std::size_t port_set::sweep(std::span<buffer::rx_datagrams> out) noexcept {
  const mdp::transport::wait_limits at_once;
  std::size_t n = 0;
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    const std::size_t port = (first_ + i) % ports_.size();
    const auto rest = out.subspan(n);
    const std::size_t count = ports_[port]->poll(rest, at_once);
    for (auto& datagrams : rest.first(count))
      datagrams.from.local = static_cast<std::uint8_t>(port);
    n += count;
  }
  first_ = (first_ + 1) % ports_.size();
  return n;
}

std::size_t port_set::poll(std::span<buffer::rx_datagrams> out,
                           const mdp::transport::wait_limits& limits) noexcept {
  std::size_t n = sweep(out);
  if (n > 0 || out.empty()) return n;
  time_point at = now();
  const time_point spin_end =
      limits.deadline - at > limits.spin ? at + limits.spin : limits.deadline;
  for (; at < spin_end; at = now()) {
    if (take_notice()) return 0;
    n = sweep(out);
    if (n > 0) return n;
  }
  if (at >= limits.deadline || take_notice()) return 0;
  sleep(limits.deadline - at);
  return sweep(out);
}

void port_set::sleep(duration longest) noexcept {
  std::array<pollfd, ports_max + 1> fds;
  fds[0] = {wake_fd_, POLLIN, 0};
  for (std::size_t i = 0; i < ports_.size(); ++i) fds[i + 1] = {ports_[i]->native_fd(), POLLIN, 0};
  constexpr std::int64_t second = 1'000'000'000;
  const timespec timeout{longest.count() / second, longest.count() % second};
  ::ppoll(fds.data(), ports_.size() + 1, &timeout, nullptr);
  ++wakeups_;
  // Even without notice: the write of a wake() that was taken note of before may come late.
  noticed_.store(false, std::memory_order_release);
  drain();
}

bool port_set::take_notice() noexcept {
  if (!noticed_.exchange(false, std::memory_order_acq_rel)) return false;
  drain();
  return true;
}

void port_set::drain() noexcept {
  std::uint64_t count = 0;
  static_cast<void>(!::read(wake_fd_, &count, sizeof count));
}

void port_set::wake() noexcept {
  if (noticed_.exchange(true, std::memory_order_acq_rel)) return;
  const std::uint64_t one = 1;
  static_cast<void>(!::write(wake_fd_, &one, sizeof one));
}

const mdp::transport::counters& port_set::counts() const noexcept {
  sum_ = {};
  for (const auto& port : ports_)
    for (const auto& [name, member] : mdp::transport::counter_names)
      sum_.*member += port->counts().*member;
  sum_.wakeups = wakeups_;
  return sum_;
}

}  // namespace mdp::runtime
