#include "relay_engine.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <limits>
#include <stdexcept>

namespace mdp::cli {
namespace {

constexpr std::size_t batch = 64;
constexpr std::size_t pool_blocks = 8192;
// A sleep of less is not worth its own lateness.
constexpr std::int64_t spin_ns = 60'000;
constexpr transport::wait_limits at_once{.deadline = time_point{}};

std::uint64_t datagrams_in(const buffer::rx_datagrams& d) noexcept {
  return d.segment_bytes == 0 ? 1 : (d.data.size() + d.segment_bytes - 1) / d.segment_bytes;
}

}  // namespace

void relay_engine::next_events::on_packet(const transport::packet_event& e,
                                          std::span<const std::byte>,
                                          std::span<const buffer::slice>) noexcept {
  using enum transport::packet_fate;
  if (e.fate == sent || e.fate == duplicated) times_.push(e.arrive_ns);
}

std::int64_t relay_engine::next_events::after(std::int64_t now) {
  while (!times_.empty() && times_.top() <= now) times_.pop();
  return times_.empty() ? std::numeric_limits<std::int64_t>::max() : times_.top();
}

std::size_t relay_engine::address_hash::operator()(const endpoint_address& a) const noexcept {
  std::uint64_t h = a.port;
  for (const std::uint8_t byte : a.ip) h = (h ^ byte) * 0x100000001b3u;
  return h ^ h >> 32;
}

relay_engine::relay_engine(const relay_options& options, transport::fabric& real,
                           transport::fabric& simulated)
    : options_(options),
      real_(real),
      simulated_(simulated),
      pool_({.block_bytes = std::max(real.caps().rx_block_bytes, simulated.caps().rx_block_bytes),
             .block_count = pool_blocks,
             .prefault = false}),
      received_(batch) {
  if (!simulated_.observe(events_)) throw std::runtime_error("only a simulator can be a relay");
  server_ = open(simulated_, {}, options_.server_group + "-0");
  listen_ = open(real_, options_.listen, "relay");
  begun_ = listen_->now();
}

std::unique_ptr<transport::transport> relay_engine::open(transport::fabric& fabric,
                                                         const endpoint_address& local,
                                                         const std::string& name) {
  transport::open_options o;
  o.local = local;
  o.name = name;
  o.rx_pool = &pool_;
  return fabric.open(o);
}

std::int64_t relay_engine::elapsed() const noexcept {
  return (listen_->now() - begun_).count();
}

// clients_max when there are so many.
std::size_t relay_engine::client_of(const endpoint_address& from) {
  const auto known = numbers_.find(from);
  if (known != numbers_.end()) return known->second;
  if (clients_.size() == clients_max) return clients_max;
  endpoint_address any;
  any.family = options_.target.family;
  const std::size_t number = clients_.size();
  clients_.push_back({from, open(real_, any, "relay"),
                      open(simulated_, {}, fmt::format("{}-{}", options_.client_group, number))});
  numbers_.emplace(from, number);
  return number;
}

void relay_engine::push(transport::transport& to, const endpoint_address& address,
                        const buffer::rx_datagrams& datagrams, std::uint64_t& count) {
  const buffer::tx_datagrams item{address,
                                  {&datagrams.data, 1},
                                  datagrams.data.size(),
                                  datagrams.segment_bytes,
                                  datagrams.codepoint};
  bool taken = to.send({&item, 1}) == 1;
  if (!taken) {
    static_cast<void>(to.poll({}, at_once));  // makes room
    taken = to.send({&item, 1}) == 1;
  }
  (taken ? count : counts_.blocked) += datagrams_in(datagrams);
}

void relay_engine::deliver(std::size_t node) {
  transport::transport& from = node == 0 ? *server_ : *clients_[node - 1].node;
  const std::int64_t due = (from.now() - time_point{}).count();
  const std::size_t n = from.poll(received_, {.deadline = never});
  for (std::size_t i = 0; i < n; ++i) {
    buffer::rx_datagrams& d = received_[i];
    if (node == 0) {
      const client& c = clients_[simulated_node(d.from) - 1];
      push(*c.upstream, options_.target, d, counts_.to_target);
    } else {
      push(*listen_, clients_[node - 1].address, d, counts_.to_clients);
    }
    lateness_.record(std::max<std::int64_t>(elapsed() - due, 0));
    d = {};
  }
}

void relay_engine::run_simulator(std::int64_t now) {
  bool delivered = false;
  for (;;) {
    const std::int64_t ready = simulated_.advance(at_ns(now));
    if (ready < 0) break;
    deliver(static_cast<std::size_t>(ready));
    delivered = true;
  }
  if (!delivered) return;
  static_cast<void>(listen_->poll({}, at_once));
  for (const client& c : clients_) static_cast<void>(c.upstream->poll({}, at_once));
}

void relay_engine::take_from_clients() {
  const std::size_t n = listen_->poll(received_, at_once);
  for (std::size_t i = 0; i < n; ++i) {
    buffer::rx_datagrams& d = received_[i];
    const std::size_t number = client_of(d.from);
    if (number == clients_max) {
      counts_.refused += datagrams_in(d);
    } else {
      push(*clients_[number].node, server_->local_address(), d, counts_.from_clients);
    }
    d = {};
  }
}

void relay_engine::take_from_target(std::size_t number) {
  const client& c = clients_[number];
  const std::size_t n = c.upstream->poll(received_, at_once);
  for (std::size_t i = 0; i < n; ++i) {
    buffer::rx_datagrams& d = received_[i];
    if (d.from == options_.target) {
      push(*server_, c.node->local_address(), d, counts_.from_target);
    }
    d = {};
  }
}

void relay_engine::wait(duration longest) {
  const std::int64_t now = elapsed();
  const std::int64_t until = std::min(events_.after(now), now + longest.count());
  const std::int64_t ns = until - now < spin_ns ? 0 : until - now - spin_ns / 2;
  std::vector<pollfd> fds{{listen_->native_fd(), POLLIN, 0}};
  for (const client& c : clients_) fds.push_back({c.upstream->native_fd(), POLLIN, 0});
  const timespec timeout{ns / 1'000'000'000, ns % 1'000'000'000};
  if (::ppoll(fds.data(), fds.size(), &timeout, nullptr) <= 0) return;
  run_simulator(elapsed());  // what comes in now enters the simulator now
  for (std::size_t i = 1; i < fds.size(); ++i) {
    if (fds[i].revents != 0) take_from_target(i - 1);
  }
  if (fds[0].revents != 0) take_from_clients();
}

void relay_engine::turn(duration longest) {
  run_simulator(elapsed());
  wait(longest);
}

}  // namespace mdp::cli
