// The engine alone: two engines back to back in memory, no I/O, one core. items_per_second is
// messages delivered; `allocations` counts calls of operator new per message after warming up (must
// be 0).
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <cstring>
#include <memory>

#include "engine/endpoint.hpp"
#include "tests/support/allocation_count.hpp"

namespace mdp {
namespace {

struct side {
  explicit side(std::uint32_t number, const engine::config& c)
      : random(number + 1),
        blocks({c.max_packet_bytes + 64, 8192}),
        control({c.max_packet_bytes + 64, 512}),
        address(simulated_address(number)),
        engine(c, engine::engine_memory{blocks, control}, engine::train_limits{44, 65507}, random) {
  }
  seeded_random random;
  buffer::block_pool blocks, control;
  endpoint_address address;
  engine::endpoint engine;
  buffer::tx_batch batch;
};

// What `from` has to send goes straight to `to`: the receiver reads the sender's blocks.
std::size_t carry(side& from, side& to, time_point now) {
  std::size_t packets = 0;
  for (;;) {
    from.engine.poll_transmit(now, from.batch);
    if (from.batch.empty()) return packets;
    for (const buffer::tx_datagrams& item : from.batch.pending()) {
      for (const buffer::slice& part : item.parts) {
        buffer::rx_datagrams rx;
        rx.from = from.address;
        rx.data = part;
        to.engine.handle_datagrams(now, {&rx, 1});
        ++packets;
      }
    }
    from.batch.consume(from.batch.pending().size());
  }
}

struct back_to_back {
  engine::config settings;
  side a, b;
  time_point now = at_ns(1);
  peer_id peer;
  std::uint64_t delivered = 0, confirmed = 0, packets = 0;

  back_to_back() : a(0, settings), b(1, settings) {
    peer = *a.engine.connect(now, b.address);
    for (int i = 0; i < 4; ++i) exchange();
  }
  void exchange() {
    now += std::chrono::microseconds(10);
    packets += carry(a, b, now);
    drain(b);
    packets += carry(b, a, now);
    drain(a);
    a.engine.handle_deadline(now);
    b.engine.handle_deadline(now);
  }
  void drain(side& s) {
    engine::event events[64];
    while (const std::size_t n = s.engine.poll_events(events)) {
      for (std::size_t i = 0; i < n; ++i) {
        if (events[i].kind == engine::event_kind::message) {
          ++delivered;
          if (events[i].confirm) s.engine.confirm(events[i].peer, events[i].id);
          events[i].payload.reset();
        } else if (events[i].kind == engine::event_kind::delivered) {
          ++confirmed;
        }
      }
    }
  }
};

void one_way(benchmark::State& state, std::uint8_t wants) {
  back_to_back pair;
  const std::vector<std::byte> payload(static_cast<std::size_t>(state.range(0)), std::byte{42});
  const std::size_t burst = payload.size() > 16384 ? 8 : 1024;
  const auto round = [&] {
    for (std::size_t i = 0; i < burst; ++i)
      if (!pair.a.engine.submit(pair.now, pair.peer, payload, {wants, i})) break;
    pair.exchange();
  };
  for (int i = 0; i < 200; ++i) round();
  const std::uint64_t before = pair.delivered;
  const std::uint64_t packets = pair.packets;
  const std::uint64_t allocations = test::allocation_count();
  for (auto _ : state) round();
  const auto messages = static_cast<double>(pair.delivered - before);
  state.SetItemsProcessed(static_cast<std::int64_t>(messages));
  state.SetBytesProcessed(static_cast<std::int64_t>(messages) * state.range(0));
  state.counters["allocations"] =
      static_cast<double>(test::allocation_count() - allocations) / messages;
  state.counters["packets_per_message"] = static_cast<double>(pair.packets - packets) / messages;
}

void engine_one_way_unconfirmed(benchmark::State& state) {
  one_way(state, engine::want_none);
}
void engine_one_way_delivered(benchmark::State& state) {
  one_way(state, engine::want_delivered);
}
BENCHMARK(engine_one_way_unconfirmed)->Arg(64)->Arg(1200)->Arg(65536)->Arg(1 << 20);
BENCHMARK(engine_one_way_delivered)->Arg(64)->Arg(1200)->Arg(65536)->Arg(1 << 20);

}  // namespace
}  // namespace mdp

// `engine_bench --rounds N BYTES`: exactly N rounds of 1,024 confirmed messages and nothing else,
// to be run under callgrind (tools/instructions.py): the difference of two N is the cost of a
// message.
int main(int argc, char** argv) {
  if (argc == 4 && std::strcmp(argv[1], "--rounds") == 0) {
    mdp::back_to_back pair;
    const std::vector<std::byte> payload(std::strtoul(argv[3], nullptr, 10));
    for (unsigned long round = std::strtoul(argv[2], nullptr, 10); round > 0; --round) {
      for (std::uint64_t i = 0; i < 1024; ++i)
        if (!pair.a.engine.submit(pair.now, pair.peer, payload, {mdp::engine::want_delivered, i}))
          break;
      pair.exchange();
    }
    std::printf("%llu messages\n", static_cast<unsigned long long>(pair.delivered));
    return 0;
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
