// What many peers cost: bytes each, idle and active, and the work on a message or a packet against
// the number of peers, packets and fragments in flight. Two engines in memory, no I/O, one core.
// That the work does not grow shows in instructions; nanoseconds grow with what the caches miss.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>

#include "tests/support/allocation_count.hpp"
#include "tests/support/peer_crowd.hpp"
#include "tests/support/resident_memory.hpp"

namespace mdp {
namespace {

using namespace std::chrono_literals;
using test::peer_crowd;

engine::config settings_for(std::uint32_t peers) {
  engine::config c;
  c.max_peers = peers + 1;
  c.max_packet_bytes = 1200;
  c.peer_timeout = 24h;
  c.heartbeat_after = 1h;  // only what is measured happens
  return c;
}

void submit(peer_crowd& crowd, peer_id to, std::size_t bytes,
            std::uint8_t wants = engine::want_received | engine::want_delivered) {
  static const std::array<std::byte, 16384> payload{};  // not of the heap, which is counted
  engine::send_options how;
  how.wants = wants;
  static_cast<void>(crowd.a.engine.submit(crowd.now, to, {payload.data(), bytes}, how));
}

// Bytes of heap and of resident memory for a peer, on one side.
void memory_of_peers(benchmark::State& state) {
  const auto count = static_cast<std::uint32_t>(state.range(0));
  for (auto _ : state) {
    const double resident = test::resident_bytes();
    peer_crowd crowd(settings_for(count), 65536);
    const auto before = static_cast<double>(test::allocated_bytes());
    const double objects = 2.0 * count;
    crowd.connect(count);
    for (const peer_id to : crowd.peers) {
      submit(crowd, to, 64);
      crowd.settle();
    }
    crowd.run_for(1s, 50ms);
    crowd.run_for(50min, 10min);  // all fall idle
    const auto held = [&] { return static_cast<double>(test::allocated_bytes()) - before; };
    state.counters["idle_bytes"] = held() / objects;
    state.counters["idle_resident_bytes"] = (test::resident_bytes() - resident) / objects;
    const std::uint32_t active = std::min(count, 1000u);
    const double idle = held();
    for (std::uint32_t i = 0; i < active; ++i)
      for (int k = 0; k < 8; ++k) submit(crowd, crowd.peers[i], 1000);
    while (crowd.carry(crowd.a, crowd.b) > 0) crowd.drain(crowd.b);
    state.counters["active_bytes"] = idle / objects + (held() - idle) / (2.0 * active);
  }
}
BENCHMARK(memory_of_peers)->Arg(1000)->Arg(100'000)->Iterations(1)->Unit(benchmark::kMillisecond);

// One message to each of many peers in turn, all in flight before any arrives.
class rounds_over_peers {
 public:
  explicit rounds_over_peers(std::uint32_t peers) : crowd_(settings_for(peers), most_at_once) {
    crowd_.connect(peers);
  }
  void round() {
    for (const peer_id to : crowd_.peers) submit(crowd_, to, 64);
    crowd_.now += 10us;
    crowd_.settle();
    crowd_.a.engine.handle_deadline(crowd_.now);
    crowd_.b.engine.handle_deadline(crowd_.now);
  }
  [[nodiscard]] std::uint64_t delivered() const { return crowd_.a.delivered; }

 private:
  static constexpr std::size_t most_at_once = 100'000 + 1024;
  peer_crowd crowd_;
};

void message_over_peers(benchmark::State& state) {
  rounds_over_peers peers(static_cast<std::uint32_t>(state.range(0)));
  peers.round();
  const std::uint64_t start = peers.delivered();
  for (auto _ : state) peers.round();
  state.SetItemsProcessed(static_cast<std::int64_t>(peers.delivered() - start));
}
BENCHMARK(message_over_peers)->Arg(1)->Arg(1000)->Arg(100'000);

// A path that always holds `in_flight` packets: each step one more enters and the oldest arrives.
void packet_in_flight(benchmark::State& state, std::size_t message_bytes) {
  const auto in_flight = static_cast<std::size_t>(state.range(0));
  engine::config c = settings_for(1);
  c.congestion_window_bytes = 1u << 30;
  c.receive_window_bytes = 1u << 30;
  c.reassembly_bytes = 1u << 30;
  peer_crowd crowd(c, 8 * in_flight + 4096);
  crowd.connect(1);
  std::deque<buffer::rx_datagrams> path;
  std::int64_t packets = 0;
  const auto step = [&] {
    crowd.now += 1us;
    submit(crowd, crowd.peers[0], message_bytes, engine::want_received);
    for (;;) {
      crowd.a.engine.poll_transmit(crowd.now, crowd.a.batch);
      if (crowd.a.batch.empty()) break;
      for (const buffer::tx_datagrams& item : crowd.a.batch.pending())
        for (const buffer::slice& part : item.parts)
          path.push_back({item.to, part, 0, buffer::ecn::not_ect});
      crowd.a.batch.consume(crowd.a.batch.pending().size());
    }
    while (path.size() > in_flight) {
      crowd.b.engine.handle_datagrams(crowd.now, {&path.front(), 1});
      path.pop_front();
      ++packets;
    }
    crowd.drain(crowd.b);
    crowd.carry(crowd.b, crowd.a);
    crowd.drain(crowd.a);
    crowd.a.engine.handle_deadline(crowd.now);
    crowd.b.engine.handle_deadline(crowd.now);
  };
  for (std::size_t i = 0; i < 2 * in_flight; ++i) step();
  packets = 0;
  for (auto _ : state) step();
  state.SetItemsProcessed(packets);
}
BENCHMARK_CAPTURE(packet_in_flight, messages, 1100)->Arg(10)->Arg(1000)->Arg(20'000);
BENCHMARK_CAPTURE(packet_in_flight, fragments, 10'000)->Arg(10)->Arg(1000)->Arg(20'000);

}  // namespace
}  // namespace mdp

// `peers_bench --rounds N PEERS`: exactly N rounds of one confirmed 64-byte message to each peer
// and nothing else, to be run under callgrind (tools/instructions.py).
int main(int argc, char** argv) {
  if (argc == 4 && std::strcmp(argv[1], "--rounds") == 0) {
    mdp::rounds_over_peers peers(static_cast<std::uint32_t>(std::strtoul(argv[3], nullptr, 10)));
    for (unsigned long round = std::strtoul(argv[2], nullptr, 10); round > 0; --round)
      peers.round();
    std::printf("%llu messages\n", static_cast<unsigned long long>(peers.delivered()));
    return 0;
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
