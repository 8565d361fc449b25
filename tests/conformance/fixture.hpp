// Opens transports of one plugin and moves datagrams between them, in real or in virtual time
// alike.
//
// Ownership: a `port` owns its receive pool and its transport. Threading: one thread, but where a
// test says otherwise. A plugin that is absent or unusable here skips the test with the reason.
#pragma once
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "mdp/buffer/block_pool.hpp"
#include "mdp/plugin/plugin_loader.hpp"
#include "mdp/transport/transport.hpp"

namespace mdp::conformance {

using buffer::rx_datagrams;
using buffer::slice;

// What came, copied out; a train is taken apart.
struct datagram {
  endpoint_address from;
  std::string bytes;
};

struct port {
  std::unique_ptr<buffer::block_pool> rx_pool;
  std::unique_ptr<transport::transport> link;
  std::vector<datagram> inbox;

  [[nodiscard]] endpoint_address address() const { return link->local_address(); }
};

class transport_suite : public testing::TestWithParam<std::string> {
 protected:
  static constexpr std::size_t tx_block_bytes = 65536;

  void SetUp() override;
  void TearDown() override;

  // A transport with `blocks` receive blocks. Throws as fabric::open().
  port& open(std::size_t blocks = 256, const endpoint_address& local = {});
  [[nodiscard]] bool delivers() const { return GetParam() != "null"; }
  // Kernel sockets: several tests are about what only those do.
  [[nodiscard]] bool is_real_network() const;

  // One item of these bytes, in `parts` pieces; a train when segment_bytes > 0.
  void add_item(buffer::tx_batch& batch, const endpoint_address& to, const std::string& bytes,
                std::uint16_t segment_bytes = 0, std::size_t parts = 1);
  // Offers the batch until all is taken, polling in between; false when it never is.
  [[nodiscard]] bool send_all(port& from, buffer::tx_batch& batch);
  void send_one(port& from, const endpoint_address& to, const std::string& bytes,
                std::uint16_t segment_bytes = 0, std::size_t parts = 1);
  // Polls every port into its inbox until `done`, for some real or virtual seconds at most.
  [[nodiscard]] bool pump_until(const std::function<bool()>& done);
  // Polls every port for a little while: what must not come would have.
  void pump_quietly();
  // One poll of `p` that does not wait; how many entries it gave.
  std::size_t poll_once(port& p);
  // Largest datagram that gets through between two default ports.
  [[nodiscard]] std::uint32_t datagram_bytes_max() const;

  std::shared_ptr<transport::fabric> fabric_;
  std::unique_ptr<buffer::block_pool> tx_pool_;
  std::vector<std::unique_ptr<port>> ports_;

 private:
  void step_virtual(time_point limit);
};

// Bytes that tell their place and their size: `size` bytes made from `seed`.
[[nodiscard]] std::string pattern(std::size_t size, unsigned seed);

// Plugins of this project, and one more that MDP_CONFORMANCE_PLUGIN may name.
[[nodiscard]] std::vector<std::string> plugins_under_test();

}  // namespace mdp::conformance
