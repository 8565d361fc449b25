// The engine alone: two engines back to back in memory, no I/O, one core. items_per_second is
// messages delivered; `allocations` counts calls of operator new per message after warming up (must
// be 0).
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "tests/bench/engine/back_to_back.hpp"
#include "tests/support/allocation_count.hpp"

namespace mdp {
namespace {

using bench::back_to_back;

void one_way(benchmark::State& state, std::uint8_t wants) {
  back_to_back pair;
  const std::vector<std::byte> payload(static_cast<std::size_t>(state.range(0)), std::byte{42});
  for (int i = 0; i < 200; ++i) pair.round(payload, wants);
  const std::uint64_t before = pair.delivered;
  const std::uint64_t packets = pair.packets;
  const std::uint64_t allocations = test::allocation_count();
  for (auto _ : state) pair.round(payload, wants);
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
    mdp::bench::back_to_back pair;
    const std::vector<std::byte> payload(std::strtoul(argv[3], nullptr, 10));
    for (unsigned long round = std::strtoul(argv[2], nullptr, 10); round > 0; --round)
      pair.round(payload, mdp::engine::want_delivered);
    std::printf("%llu messages\n", static_cast<unsigned long long>(pair.delivered));
    return 0;
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
