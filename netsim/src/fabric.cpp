#include "mdp/netsim/fabric.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mdp/netsim/network.hpp"
#include "mdp/netsim/process_plan.hpp"

namespace mdp::netsim {
namespace {

// Facts list the drops of this many links, so that they stay readable in big networks.
constexpr std::size_t links_listed_max = 100;

std::uint32_t largest_mtu(const network_options& options) {
  std::uint32_t largest = 0;
  for (const auto& [name, wires] : options.links) largest = std::max(largest, wires.up.mtu_bytes);
  return largest;
}

transport::capabilities capabilities_of(const network_options& options) {
  transport::capabilities caps;
  caps.datagram_bytes_max = largest_mtu(options);
  caps.segments_max = 64;
  caps.train_bytes_max = std::min(caps.segments_max * caps.datagram_bytes_max, mtu_bytes_max);
  caps.rx_block_bytes = (caps.datagram_bytes_max + 63) / 64 * 64;
  caps.virtual_time = true;
  caps.holds_slices = true;
  caps.can_spin = false;
  return caps;
}

class simulated_transport final : public transport::transport {
 public:
  // The network is shared: transports may outlive the fabric.
  simulated_transport(std::shared_ptr<network> net, const ::mdp::transport::capabilities& caps,
                      const ::mdp::transport::open_options& options)
      : net_(std::move(net)), caps_(caps) {
    if (options.local.family == address_family::simulated &&
        simulated_node(options.local) < net_->node_count()) {
      node_ = simulated_node(options.local);
      net_->reopen_node(node_, *options.rx_pool, counts_);
      return;
    }
    const std::uint16_t port = options.local.port == 0 ? std::uint16_t{1} : options.local.port;
    node_ = net_->add_node(options.name, port, *options.rx_pool, counts_);
  }
  simulated_transport(const simulated_transport&) = delete;
  simulated_transport& operator=(const simulated_transport&) = delete;
  ~simulated_transport() override { net_->remove_node(node_); }

  const ::mdp::transport::capabilities& caps() const noexcept override { return caps_; }
  endpoint_address local_address() const noexcept override {
    return simulated_address(node_, net_->node_port(node_));
  }
  time_point now() noexcept override { return at_ns(net_->local_now(node_)); }
  std::size_t send(std::span<const buffer::tx_datagrams> items) noexcept override {
    if (!items.empty()) ++counts_.tx_calls;
    net_->send(node_, items);
    return items.size();
  }
  std::size_t poll(std::span<buffer::rx_datagrams> out,
                   const ::mdp::transport::wait_limits& limits) noexcept override {
    return net_->receive(node_, out, ns_of(limits.deadline));
  }
  void wake() noexcept override { net_->request_wake(node_); }
  const ::mdp::transport::counters& counts() const noexcept override { return counts_; }

 private:
  std::shared_ptr<network> net_;
  ::mdp::transport::capabilities caps_;
  ::mdp::transport::counters counts_;
  std::uint32_t node_ = 0;
};

class simulated_fabric final : public transport::fabric {
 public:
  explicit simulated_fabric(network_options options)
      : caps_(capabilities_of(options)), net_(std::make_shared<network>(std::move(options))) {}

  const transport::capabilities& caps() const noexcept override { return caps_; }
  std::unique_ptr<transport::transport> open(const transport::open_options& options) override {
    check(options);
    return std::make_unique<simulated_transport>(net_, caps_, options);
  }
  std::int64_t advance(time_point limit) noexcept override { return net_->advance(ns_of(limit)); }
  std::vector<transport::process_change> process_changes() const override;
  void divide(const transport::division& wanted) override {
    if (net_->node_count() == 0) net_->divide(wanted);
  }
  void run(time_point limit, transport::turns& turns, crew* threads) override {
    net_->run(ns_of(limit), turns, threads);
  }
  transport::fabric_facts facts() const override;
  bool observe(transport::packet_observer& observer) override {
    if (net_->node_count() != 0) return false;
    net_->observe(observer);
    return true;
  }

 private:
  void check(const transport::open_options& options) const;

  transport::capabilities caps_;
  std::shared_ptr<network> net_;
};

void simulated_fabric::check(const transport::open_options& options) const {
  if (options.rx_pool == nullptr) {
    throw std::runtime_error("netsim: cannot open a node without a receive pool");
  }
  if (options.rx_pool->block_bytes() < caps_.rx_block_bytes) {
    throw std::runtime_error(
        fmt::format("netsim: the receive pool's blocks have {} bytes, this network's largest "
                    "datagram needs {}; enlarge them or lower mtu_bytes",
                    options.rx_pool->block_bytes(), caps_.rx_block_bytes));
  }
  const endpoint_address& local = options.local;
  if (local.family == address_family::none) return;
  if (local.family != address_family::simulated) {
    throw std::runtime_error(
        fmt::format("netsim: cannot bind to {}: nodes have addresses like sim:{}:1; leave the "
                    "address out",
                    to_string(local), net_->node_count()));
  }
  const std::uint32_t node = simulated_node(local);
  if (node < net_->node_count() && net_->removed(node) && net_->node_port(node) == local.port) {
    return;
  }
  if (node != net_->node_count()) {
    throw std::runtime_error(fmt::format(
        "netsim: cannot bind to {}: the next node is number {} (nodes are numbered in order of "
        "opening); leave the address out",
        to_string(local), net_->node_count()));
  }
}

std::vector<transport::process_change> simulated_fabric::process_changes() const {
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < net_->node_count(); ++i) names.push_back(net_->node_name(i));
  return process_plan(net_->options().faults, names);
}

void add_link(transport::fabric_facts& facts, const std::string& name, const link& wire) {
  const link_counts counts = wire.counts();
  facts.emplace_back("drops." + name, std::to_string(counts.lost + counts.queue_full +
                                                     counts.too_large + counts.no_carrier));
  std::string numbers;
  for (const std::uint64_t number : wire.dropped()) {
    if (!numbers.empty()) numbers += ',';
    numbers += std::to_string(number);
  }
  facts.emplace_back("dropped." + name, std::move(numbers));
}

// Scripted fates whose packet never came: the script was made for another run.
void add_script(transport::fabric_facts& facts, const network& net) {
  std::size_t unmet = 0;
  for (const auto& [link, script] : net.options().scripts) unmet += script.fates.size();
  if (unmet == 0) return;
  for (std::uint32_t i = 0; i < net.wire_count(); ++i) unmet -= net.wire(i).fates_met();
  for (std::uint32_t i = 0; i < net.node_count(); ++i) {
    unmet -= net.up_link(i).fates_met() + net.down_link(i).fates_met();
  }
  facts.emplace_back("fates_not_met", std::to_string(unmet));
}

// How a network that was to be divided has been.
void add_shares(transport::fabric_facts& facts, const network::shares& s) {
  if (s.obstacle[0] != '\0') facts.emplace_back("one_thread_because", s.obstacle);
  if (s.partitions == 1) return;
  facts.emplace_back("partitions", std::to_string(s.partitions));
  facts.emplace_back("threads", std::to_string(s.threads));
  facts.emplace_back("window_ns", std::to_string(s.window_ns));
}

transport::fabric_facts simulated_fabric::facts() const {
  const network_totals t = net_->totals();
  transport::fabric_facts facts{{"digest", digest_text(net_->digest())},
                                {"seed", std::to_string(net_->options().seed)},
                                {"virtual_time_ns", std::to_string(net_->now())},
                                {"events", std::to_string(t.events)},
                                {"packets_sent", std::to_string(t.sent)},
                                {"packets_delivered", std::to_string(t.delivered)},
                                {"packets_dropped_loss", std::to_string(t.lost)},
                                {"packets_dropped_queue", std::to_string(t.queue_full)},
                                {"packets_dropped_mtu", std::to_string(t.too_large)},
                                {"packets_dropped_closed", std::to_string(t.closed)},
                                {"packets_dropped_carrier", std::to_string(t.no_carrier)},
                                {"packets_duplicated", std::to_string(t.duplicated)},
                                {"packets_corrupted", std::to_string(t.corrupted)}};
  add_script(facts, *net_);
  add_shares(facts, net_->divided());
  std::size_t listed = 0;
  std::size_t unlisted = 0;
  const auto list = [&](const std::string& name, const link& wire) {
    if (wire.dropped().empty()) return;
    if (listed == links_listed_max) {
      ++unlisted;
      return;
    }
    add_link(facts, name, wire);
    ++listed;
  };
  for (std::uint32_t w = 0; w < net_->wire_count(); ++w) list(net_->wire_name(w), net_->wire(w));
  for (std::uint32_t node = 0; node < net_->node_count(); ++node) {
    for (const bool up : {true, false}) {
      list(net_->node_name(node) + (up ? "/up" : "/down"),
           up ? net_->up_link(node) : net_->down_link(node));
    }
  }
  if (unlisted > 0) facts.emplace_back("links_with_drops_not_listed", std::to_string(unlisted));
  return facts;
}

}  // namespace

std::unique_ptr<transport::fabric> make_fabric(const char* options_json) {
  return std::make_unique<simulated_fabric>(parse_network_options(options_json));
}

}  // namespace mdp::netsim
