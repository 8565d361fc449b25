// Puts a simulated network between UDP ports, in real time: two fabrics back to back.
//
// A client is an address that sends to the listening port. It gets a node of its own in the
// simulator and a port of its own towards the target, so that answers find back. Datagrams that
// come in are sent into the simulator, whose clock follows the real one; what comes out of it goes
// on. Payloads are not copied. One thread. Throws std::exception for set-up only.
#pragma once
#include <cstdint>
#include <memory>
#include <queue>
#include <string>
#include <unordered_map>
#include <vector>

#include "mdp/buffer/block_pool.hpp"
#include "mdp/metrics/histogram.hpp"
#include "mdp/transport/transport.hpp"

namespace mdp::cli {

struct relay_options {
  endpoint_address listen;
  endpoint_address target;
  std::string client_group = "client";  // the k-th client is the node <client_group>-<k>
  std::string server_group = "server";  // the target is the node <server_group>-0
};

struct relay_counts {
  std::uint64_t from_clients = 0;  // datagrams, and so on
  std::uint64_t to_target = 0;
  std::uint64_t from_target = 0;
  std::uint64_t to_clients = 0;
  std::uint64_t refused = 0;  // of clients above clients_max
  std::uint64_t blocked = 0;  // the kernel took no more
};

class relay_engine {
 public:
  static constexpr std::size_t clients_max = 1024;

  // `real` and `simulated` must outlive it; the simulator has no node yet.
  relay_engine(const relay_options& options, transport::fabric& real, transport::fabric& simulated);
  // One round: what is due goes on, then waits up to `longest` for more.
  void turn(duration longest);

  [[nodiscard]] endpoint_address listening() const noexcept { return listen_->local_address(); }
  [[nodiscard]] const relay_counts& counts() const noexcept { return counts_; }
  [[nodiscard]] std::size_t clients() const noexcept { return clients_.size(); }
  // How much later than the simulator says datagrams went on.
  [[nodiscard]] const metrics::histogram& lateness() const noexcept { return lateness_; }

 private:
  // When the next packet comes out of a link.
  class next_events final : public transport::packet_observer {
   public:
    void on_place(std::uint32_t, std::string_view) noexcept override {}
    void on_packet(const transport::packet_event& e, std::span<const std::byte>,
                   std::span<const buffer::slice>) noexcept override;
    // Forgets those up to `now`; the first after it, or INT64_MAX.
    [[nodiscard]] std::int64_t after(std::int64_t now);

   private:
    std::priority_queue<std::int64_t, std::vector<std::int64_t>, std::greater<>> times_;
  };
  struct client {
    endpoint_address address;
    std::unique_ptr<transport::transport> upstream;
    std::unique_ptr<transport::transport> node;
  };
  struct address_hash {
    [[nodiscard]] std::size_t operator()(const endpoint_address& a) const noexcept;
  };

  [[nodiscard]] std::int64_t elapsed() const noexcept;
  [[nodiscard]] std::unique_ptr<transport::transport> open(transport::fabric& fabric,
                                                           const endpoint_address& local,
                                                           const std::string& name);
  [[nodiscard]] std::size_t client_of(const endpoint_address& from);
  void run_simulator(std::int64_t now);
  void deliver(std::size_t node);
  void push(transport::transport& to, const endpoint_address& address,
            const buffer::rx_datagrams& datagrams, std::uint64_t& count);
  void take_from_clients();
  void take_from_target(std::size_t number);
  void wait(duration longest);

  relay_options options_;
  transport::fabric& real_;
  transport::fabric& simulated_;
  next_events events_;
  buffer::block_pool pool_;
  std::unique_ptr<transport::transport> listen_;
  std::unique_ptr<transport::transport> server_;
  std::vector<client> clients_;
  std::unordered_map<endpoint_address, std::size_t, address_hash> numbers_;
  std::vector<buffer::rx_datagrams> received_;
  time_point begun_{};
  relay_counts counts_;
  metrics::histogram lateness_;
};

}  // namespace mdp::cli
