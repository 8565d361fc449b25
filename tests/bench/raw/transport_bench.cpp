// How much of the raw programs' rate each transport plugin keeps: trains of small datagrams one
// way, in interleaved rounds. Usage: transport_bench [seconds of one measurement [message bytes
// [rounds]]]
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>
#include <vector>

#include "mdp/buffer/block_pool.hpp"
#include "mdp/plugin/plugin_loader.hpp"
#include "tests/bench/raw/raw_bench.hpp"
#include "tests/bench/raw/raw_harness.hpp"

namespace {

using mdp::raw_bench::options;
using mdp::raw_bench::rate;
using mdp::raw_bench::tally;

constexpr std::size_t trains_per_batch = 16;
constexpr auto idle_wait = std::chrono::milliseconds(10);

struct end_point {
  end_point(mdp::transport::fabric& fabric, std::size_t blocks)
      : pool({.block_bytes = fabric.caps().rx_block_bytes, .block_count = blocks}),
        link(fabric.open({.local = {}, .name = "bench", .rx_pool = &pool})) {}
  mdp::buffer::block_pool pool;
  std::unique_ptr<mdp::transport::transport> link;
};

void send_trains(end_point& from, const mdp::endpoint_address& to, std::size_t bytes, tally& sent) {
  mdp::buffer::block_pool pool({.block_bytes = 65536, .block_count = 2 * trains_per_batch});
  const auto& caps = from.link->caps();
  const std::size_t segments =
      std::clamp<std::size_t>(caps.train_bytes_max / bytes, 1, caps.segments_max);
  std::vector<mdp::buffer::slice> trains;
  for (std::size_t i = 0; i < trains_per_batch; ++i) {
    auto block = mdp::buffer::slice::acquire(pool);
    trains.push_back(block.subslice(0, static_cast<std::uint32_t>(segments * bytes)));
  }
  mdp::buffer::tx_batch batch;
  std::array<mdp::buffer::rx_datagrams, 8> none;
  while (!sent.stopped()) {
    for (const auto& train : trains) {
      batch.add_part(train);
      batch.finish_item(to, segments > 1 ? static_cast<std::uint16_t>(bytes) : std::uint16_t{0});
    }
    while (!batch.empty() && !sent.stopped()) {
      const std::size_t taken = from.link->send(batch.pending());
      batch.consume(taken);
      sent.add(taken * segments);
      static_cast<void>(from.link->poll(none, {}));
    }
    batch.clear();
  }
  from.link.reset();
}

void receive_trains(end_point& to, tally& arrived) {
  std::array<mdp::buffer::rx_datagrams, 64> got;
  while (!arrived.stopped()) {
    const auto deadline = to.link->now() + idle_wait;
    const std::size_t n = to.link->poll(got, {.deadline = deadline, .spin = idle_wait});
    for (std::size_t i = 0; i < n; ++i) got[i].data.reset();
    arrived.add(to.link->counts().rx_datagrams - arrived.count());
  }
}

rate over_transport(const std::string& name, const options& o) {
  return mdp::raw_bench::guarded([&] {
    const auto fabric = mdp::plugin::create_fabric(name);
    end_point to(*fabric, 256);
    end_point from(*fabric, 256);
    const auto address = to.link->local_address();
    return mdp::raw_bench::run_pair(
        o, [&](tally& sent) { send_trains(from, address, o.message_bytes, sent); },
        [&](tally& arrived) { receive_trains(to, arrived); });
  });
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  options o;
  int rounds = 5;
  if (argc > 1) o.seconds = std::atof(argv[1]);
  if (argc > 2) o.message_bytes = static_cast<std::size_t>(std::strtoul(argv[2], nullptr, 10));
  if (argc > 3) rounds = std::atoi(argv[3]);
  if (!(o.seconds > 0 && o.seconds <= 3600) || o.message_bytes < 1 || o.message_bytes > 65507 ||
      rounds < 1) {
    std::fprintf(stderr, "usage: transport_bench [seconds [message bytes [rounds]]]\n");
    return 2;
  }
  std::map<std::string, std::vector<double>> rates;
  std::map<std::string, std::vector<double>> ratios;
  for (int round = 0; round < rounds; ++round) {
    const rate base = mdp::raw_bench::segmented_gso_gro(o);
    rates["raw GSO+GRO"].push_back(base.per_second);
    ratios["raw GSO+GRO"].push_back(1);
    for (const char* name : {"socket", "io_uring"}) {
      const rate r = over_transport(name, o);
      if (!r.note.empty()) {
        std::printf("%-12s not measured: %s\n", name, r.note.c_str());
        continue;
      }
      rates[name].push_back(r.per_second);
      if (base.per_second > 0) ratios[name].push_back(r.per_second / base.per_second);
    }
  }
  for (const auto& [name, values] : rates)
    std::printf("%-12s median %12.0f /s  median ratio %.2f\n", name.c_str(), median(values),
                median(ratios[name]));
  return 0;
}
