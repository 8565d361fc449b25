#include "tests/conformance/fixture.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>

namespace mdp::conformance {
namespace {

constexpr auto real_limit = std::chrono::seconds(10);
constexpr auto quiet_time = std::chrono::milliseconds(20);
constexpr auto step_time = std::chrono::milliseconds(1);

void take_apart(const rx_datagrams& got, std::vector<datagram>& inbox) {
  const std::uint32_t step = got.segment_bytes ? got.segment_bytes : got.data.size();
  for (std::uint32_t at = 0; at < got.data.size(); at += step) {
    const std::uint32_t size = std::min(step, got.data.size() - at);
    inbox.push_back(
        {got.from, std::string(reinterpret_cast<const char*>(got.data.data()) + at, size)});
  }
}

}  // namespace

std::string pattern(std::size_t size, unsigned seed) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<char>((i * 31 + seed * 7 + 1) & 0x7f);
  return bytes;
}

std::vector<std::string> plugins_under_test() {
  std::vector<std::string> names{"null", "socket", "io_uring", "netsim"};
  if (const char* more = std::getenv("MDP_CONFORMANCE_PLUGIN")) names.emplace_back(more);
  return names;
}

void transport_suite::SetUp() {
  const auto found = plugin::list_plugins({MDP_PLUGIN_DIR});
  const auto at = std::find_if(found.begin(), found.end(),
                               [](const auto& info) { return info.name == GetParam(); });
  if (at == found.end()) GTEST_SKIP() << "SKIPPED: plugin " << GetParam() << " is not built";
  // A plugin that this build made must at least load.
  ASSERT_NE(at->abi_version, 0u) << at->path << ": " << at->unavailable;
  if (!at->unavailable.empty()) GTEST_SKIP() << "SKIPPED: " << at->unavailable;
  fabric_ = plugin::create_fabric(GetParam(), "{}", {MDP_PLUGIN_DIR});
  tx_pool_ = std::make_unique<buffer::block_pool>(
      buffer::block_pool_options{.block_bytes = tx_block_bytes,
                                 .block_count = 512,
                                 .shared = buffer::sharing::one_thread,
                                 .prefault = false});
}

void transport_suite::TearDown() {
  // Whatever a test did: once transports are closed, every block is back.
  for (auto& p : ports_) {
    p->inbox.clear();
    p->link.reset();
    EXPECT_EQ(p->rx_pool->available(), p->rx_pool->block_count()) << "receive blocks were kept";
  }
  ports_.clear();
  fabric_.reset();
  if (tx_pool_) {
    EXPECT_EQ(tx_pool_->available(), tx_pool_->block_count()) << "slices were kept";
  }
}

port& transport_suite::open(std::size_t blocks, const endpoint_address& local) {
  auto p = std::make_unique<port>();
  p->rx_pool = std::make_unique<buffer::block_pool>(
      buffer::block_pool_options{.block_bytes = fabric_->caps().rx_block_bytes,
                                 .block_count = blocks,
                                 .shared = buffer::sharing::one_thread,
                                 .prefault = false});
  p->link = fabric_->open({.local = local,
                           .name = "port" + std::to_string(ports_.size()),
                           .rx_pool = p->rx_pool.get()});
  ports_.push_back(std::move(p));
  return *ports_.back();
}

bool transport_suite::is_real_network() const {
  return delivers() && !fabric_->caps().virtual_time;
}

void transport_suite::add_item(buffer::tx_batch& batch, const endpoint_address& to,
                               const std::string& bytes, std::uint16_t segment_bytes,
                               std::size_t parts) {
  const std::size_t step = std::max<std::size_t>((bytes.size() + parts - 1) / parts, 1);
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    const std::size_t size = std::min(step, bytes.size() - at);
    slice part = slice::acquire(*tx_pool_);
    ASSERT_TRUE(part) << "the test sends more than its pool has";
    std::memcpy(part.data(), bytes.data() + at, size);
    batch.add_part(part.subslice(0, static_cast<std::uint32_t>(size)));
  }
  batch.finish_item(to, segment_bytes);
}

bool transport_suite::send_all(port& from, buffer::tx_batch& batch) {
  const bool taken = pump_until([&] {
    if (!batch.empty()) batch.consume(from.link->send(batch.pending()));
    return batch.empty();
  });
  // send() only queues: a poll is what sends.
  poll_once(from);
  return taken;
}

void transport_suite::send_one(port& from, const endpoint_address& to, const std::string& bytes,
                               std::uint16_t segment_bytes, std::size_t parts) {
  buffer::tx_batch batch;
  add_item(batch, to, bytes, segment_bytes, parts);
  ASSERT_TRUE(send_all(from, batch));
}

std::size_t transport_suite::poll_once(port& p) {
  std::array<rx_datagrams, 64> got;
  // In virtual time poll() never waits, and a deadline in the past would be a wake-up without end.
  const transport::wait_limits limits{.deadline =
                                          fabric_->caps().virtual_time ? never : time_point{}};
  const std::size_t count = p.link->poll(got, limits);
  for (std::size_t i = 0; i < count; ++i) take_apart(got[i], p.inbox);
  return count;
}

void transport_suite::step_virtual(time_point limit) {
  const std::int64_t ready = fabric_->advance(limit);
  if (ready >= 0) poll_once(*ports_.at(static_cast<std::size_t>(ready)));
}

bool transport_suite::pump_until(const std::function<bool()>& done) {
  if (ports_.empty()) return done();
  const bool is_virtual = fabric_->caps().virtual_time;
  const time_point end = ports_.front()->link->now() + real_limit;
  while (!done()) {
    for (auto& p : ports_) poll_once(*p);
    if (done()) return true;
    const time_point now = ports_.front()->link->now();
    if (now >= end) return false;
    if (is_virtual) step_virtual(now + step_time);
  }
  return true;
}

void transport_suite::pump_quietly() {
  const time_point end = ports_.front()->link->now() + quiet_time;
  static_cast<void>(pump_until([&] { return ports_.front()->link->now() >= end; }));
}

std::uint32_t transport_suite::datagram_bytes_max() const {
  return ports_.empty() ? fabric_->caps().datagram_bytes_max
                        : ports_.front()->link->caps().datagram_bytes_max;
}

}  // namespace mdp::conformance
