// The simulated network: nodes on routers, trunks between routers, in one partition or several.
//
// Node n is the n-th one added. What happens does not depend on the number of partitions nor of
// threads. Ownership: shares payload slices with the senders until delivery or remove_node(). Node
// counters are the caller's and must live until remove_node(). One thread, but request_wake() may
// come from any, and run() is given threads. Errors: only add_node() throws.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "mdp/base/crew.hpp"
#include "mdp/netsim/partition.hpp"
#include "mdp/netsim/world.hpp"

namespace mdp::netsim {

class network final : private crew::work {
 public:
  explicit network(network_options options);

  // Before the first node: so many partitions.
  // `nodes`: how many are expected.
  void divide(const transport::division& wanted);
  // Before the first node: `observer` is told every event from now on, and must outlive the
  // network. Then there is one partition.
  void observe(transport::packet_observer& observer);

  // The new node's number. An empty name becomes "node-<number>", one in use gets "#2", "#3", ...
  [[nodiscard]] std::uint32_t add_node(const std::string& name, std::uint16_t port,
                                       buffer::block_pool& rx_pool, transport::counters& counts);
  // Opens a node anew that was removed, at its address: it knows nothing of what was before.
  void reopen_node(std::uint32_t node, buffer::block_pool& rx_pool, transport::counters& counts);
  [[nodiscard]] bool removed(std::uint32_t node) const noexcept {
    return world_.nodes[node].counts == nullptr;
  }
  // Lets go of everything that the node has under way or waiting; packets to it are dropped from
  // now on. Not while run() runs.
  void remove_node(std::uint32_t node) noexcept;

  // During run(): in the node's own turn only.
  void send(std::uint32_t node, std::span<const buffer::tx_datagrams> items) noexcept;
  // Takes what has arrived and registers the node's next wake-up, by its own clock.
  [[nodiscard]] std::size_t receive(std::uint32_t node, std::span<buffer::rx_datagrams> out,
                                    std::int64_t deadline) noexcept {
    return at(node).receive(node, out, deadline);
  }
  void request_wake(std::uint32_t node) noexcept { at(node).request_wake(node); }

  // Runs up to and including `limit`, or until a node becomes runnable: its number; -1: none.
  [[nodiscard]] std::int64_t advance(std::int64_t limit) noexcept;
  // Runs up to and including `limit`, or until `turns` wants no more; each node that becomes
  // runnable has its turn, on any of the threads.
  void run(std::int64_t limit, transport::turns& turns, crew* threads);

  [[nodiscard]] std::int64_t now() const noexcept { return partitions_.front()->now(); }
  // What the node's own clock shows.
  [[nodiscard]] std::int64_t local_now(std::uint32_t node) const noexcept {
    const std::int64_t now = partitions_[world_.nodes[node].partition]->now();
    return world_.faults.any() ? world_.faults.local_time(node, now) : now;
  }
  [[nodiscard]] std::uint64_t digest() const noexcept;
  [[nodiscard]] network_totals totals() const noexcept;
  [[nodiscard]] const network_options& options() const noexcept { return world_.options; }
  [[nodiscard]] std::uint32_t node_count() const noexcept { return world_.node_count(); }
  [[nodiscard]] const std::string& node_name(std::uint32_t node) const {
    return world_.nodes[node].name;
  }
  [[nodiscard]] std::uint16_t node_port(std::uint32_t node) const {
    return world_.nodes[node].port;
  }
  [[nodiscard]] const link& up_link(std::uint32_t node) const {
    return world_.links[world_.up_id(node)];
  }
  [[nodiscard]] const link& down_link(std::uint32_t node) const {
    return world_.links[world_.up_id(node) + 1];
  }
  // Wire 2t of trunk t leads forth, wire 2t + 1 back.
  [[nodiscard]] std::uint32_t wire_count() const noexcept { return world_.wire_count; }
  [[nodiscard]] const link& wire(std::uint32_t number) const { return world_.links[number]; }
  [[nodiscard]] std::string wire_name(std::uint32_t number) const {
    return world_.wire_name(number);
  }
  // What divide() and run() made of their task.
  struct shares {
    unsigned threads = 1;
    std::uint32_t partitions = 1;
    std::int64_t window_ns = 0;  // 0: not known before the first run(), or there is none
    const char* obstacle = "";   // why there is one partition, or one thread
  };
  [[nodiscard]] const shares& divided() const noexcept { return shares_; }

 private:
  [[nodiscard]] partition& at(std::uint32_t node) noexcept {
    return *partitions_[world_.nodes[node].partition];
  }
  void make_partitions(std::uint32_t count);
  [[nodiscard]] std::uint32_t partition_of(std::uint32_t node, std::uint32_t home) const noexcept;
  [[nodiscard]] std::size_t earliest() const noexcept;
  [[nodiscard]] std::int64_t run_divided(std::int64_t end) noexcept;
  void set_now(std::int64_t time) noexcept;
  void apply_faults();
  void pass_on(partition& from) noexcept;
  void run_in_turn(std::int64_t limit, transport::turns& turns);
  void find_window();
  [[nodiscard]] std::int64_t next_due() noexcept;
  void run_window(std::int64_t end, crew* threads);
  void piece(std::uint32_t number) noexcept override;
  void end_windows() noexcept;

  world world_;
  std::vector<std::unique_ptr<partition>> partitions_;
  std::vector<std::uint32_t> touched_;
  std::vector<std::uint32_t> rebound_;
  std::unordered_map<std::uint64_t, std::uint32_t>
      names_;  // hash of a name -> how often it was taken
  shares shares_;
  bool cut_at_nodes_ = false;
  std::size_t nodes_expected_ = 1;
  bool window_known_ = false;
  // Of the window that runs.
  bool side_by_side_ = false;
  std::int64_t window_end_ = 0;
  unsigned filled_ = 0;
  std::uint64_t events_before_ = 0;
  bool crowded_ = false;  // the last window was worth several threads
  transport::turns* turns_ = nullptr;
};

}  // namespace mdp::netsim
