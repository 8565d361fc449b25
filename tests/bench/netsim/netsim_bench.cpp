// Packets per CPU-second through the simulated network alone: links and events, no protocol.
// Every node has 32 packets of 64 bytes a millisecond for its partner (8 where there are a million
// nodes); links have 1 % loss, 1 ms delay and 1 Gb/s. "packets" counts packets sent, "node_bytes"
// is resident memory of a node with its two links and what it has under way.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "mdp/base/thread_crew.hpp"
#include "mdp/netsim/fabric.hpp"

namespace {

using namespace mdp;

constexpr std::size_t burst_max = 32;
constexpr const char* options =
    R"({"seed": 7, "links": {"default": {"rate_mbps": 1000, "delay_us": 1000, "loss_pct": 1},
        "hub": {"rate_mbps": 1000, "delay_us": 1000, "loss_pct": 1,
                "down": {"rate_mbps": 100000, "queue_packets": 0}}},
        "nodes": {"hub": "hub"}})";

// Nodes hang on the two routers in turn, so partners meet over the trunk.
constexpr const char* dumbbell_options =
    R"({"seed": 7, "topology": {"shape": "dumbbell", "trunk": "trunk"},
        "links": {"default": {"rate_mbps": 1000, "delay_us": 1000, "loss_pct": 1},
                  "trunk": {"rate_mbps": 10000000, "delay_us": 1000, "queue_packets": 0}}})";

double resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  double all = 0;
  double resident = 0;
  statm >> all >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

struct crowd {
  // A star sends to its hub, node 0; else nodes 2k and 2k + 1 are partners.
  crowd(std::size_t count, bool is_star, bool one_pool, const char* network, std::size_t at_once)
      : star(is_star), burst(at_once) {
    // Room for every packet under way, and for what a node holds between two polls.
    shared = std::make_unique<buffer::block_pool>(
        buffer::block_pool_options{.block_bytes = 1472, .block_count = 4096, .prefault = false});
    net = netsim::make_fabric(network);
    for (std::size_t i = 0; i < count; ++i) {
      buffer::block_pool* pool = shared.get();
      if (!one_pool) {
        own.push_back(std::make_unique<buffer::block_pool>(
            buffer::block_pool_options{.block_bytes = 1472, .block_count = 64, .prefault = false}));
        pool = own.back().get();
      }
      nodes.push_back(net->open({{}, i == 0 && star ? "hub" : "", pool}));
    }
    payload = buffer::slice::acquire(*shared).subslice(0, 64);
  }
  void send(std::size_t node, std::size_t packets) {
    const std::size_t to = star ? 0 : node ^ 1;
    const endpoint_address address = nodes[to]->local_address();
    for (buffer::tx_datagrams& item : items) item = {address, {&payload, 1}, 64};
    static_cast<void>(nodes[node]->send(std::span(items).first(packets)));
    sent += packets;
  }
  // One turn of whichever node is next.
  void turn() {
    const auto node = static_cast<std::size_t>(net->advance(never));
    const time_point now = nodes[node]->now();
    if (!star || node != 0) {
      if (next[node] <= now) {
        send(node, burst);
        next[node] = now + std::chrono::milliseconds(1);
      }
    }
    static_cast<void>(nodes[node]->poll(out, {.deadline = star && node == 0 ? never : next[node]}));
  }
  void start() {
    next.resize(nodes.size());
    for (std::size_t i = star ? 1 : 0; i < nodes.size(); ++i) {
      // Spread over the millisecond, so that not all events fall on the same instants.
      next[i] = at_ns(static_cast<std::int64_t>(i * 997 % 1'000'000) + 1);
      static_cast<void>(nodes[i]->poll({}, {.deadline = next[i]}));
    }
  }

  bool star;
  std::size_t burst;  // packets of one turn
  std::unique_ptr<buffer::block_pool> shared;
  std::vector<std::unique_ptr<buffer::block_pool>> own;
  std::unique_ptr<transport::fabric> net;
  buffer::slice payload;
  std::vector<std::unique_ptr<transport::transport>> nodes;
  std::vector<time_point> next;
  std::array<buffer::tx_datagrams, burst_max> items;
  std::array<buffer::rx_datagrams, 64> out;  // keeps what the last poll gave until the next
  std::size_t sent = 0;
};

void run(benchmark::State& state, bool star, bool one_pool, const char* network = options,
         std::size_t burst = burst_max) {
  const double before = resident_bytes();
  crowd c(static_cast<std::size_t>(state.range(0)), star, one_pool, network, burst);
  c.start();
  // Until all have sent and the first packets arrive.
  for (std::int64_t i = 0; i < state.range(0) + state.range(0) / 2; ++i) c.turn();
  c.sent = 0;
  for (auto _ : state) c.turn();
  state.counters["packets"] =
      benchmark::Counter(static_cast<double>(c.sent), benchmark::Counter::kIsRate);
  // Of few nodes it would be what the allocator had left over from others.
  if (state.range(0) >= 1'000'000)
    state.counters["node_bytes"] =
        (resident_bytes() - before) / static_cast<double>(state.range(0));
}

void pairs_shared_pool(benchmark::State& state) {
  run(state, false, true);
}
void pairs_of_a_million(benchmark::State& state) {
  run(state, false, true, options, 8);
}
void pairs_own_pools(benchmark::State& state) {
  run(state, false, false);
}
void star_shared_pool(benchmark::State& state) {
  run(state, true, true);
}

// Partners sit on either side of one trunk that never queues: two links a packet.
void dumbbell_shared_pool(benchmark::State& state) {
  run(state, false, true, dumbbell_options);
}

// 1,000 nodes on a tree of 127 routers, trunks of 1 ms; everyone sends across it. The same network
// in as many partitions on one thread and on two: real time, and the digest of one partition.
class tree_crowd final : public transport::turns {
 public:
  static constexpr std::size_t count = 1000;
  explicit tree_crowd(std::uint32_t partitions) : net(netsim::make_fabric(tree_options)) {
    net->divide({partitions, count});
    for (std::size_t i = 0; i < count; ++i) {
      seats.push_back(std::make_unique<seat>());
      seats[i]->node = net->open({{}, "", &seats[i]->pool});
    }
    for (std::size_t i = 0; i < count; ++i) {
      seat& s = *seats[i];
      s.to = seats[(i + 63) % count]->node->local_address();
      s.payload = buffer::slice::acquire(s.pool).subslice(0, 64);
      s.next = at_ns(static_cast<std::int64_t>(i * 997) + 1);
      static_cast<void>(s.node->poll({}, {.deadline = s.next}));
    }
  }
  void take_turn(std::int64_t number) noexcept override {
    seat& s = *seats[static_cast<std::size_t>(number)];
    if (s.next <= s.node->now()) {
      for (buffer::tx_datagrams& item : s.items) item = {s.to, {&s.payload, 1}, 64};
      static_cast<void>(s.node->send(s.items));
      s.next += std::chrono::milliseconds(1);
    }
    static_cast<void>(s.node->poll(s.out, {.deadline = s.next}));
  }
  bool go_on() noexcept override { return true; }
  [[nodiscard]] std::string fact(const std::string& name) const {
    for (const auto& [key, value] : net->facts())
      if (key == name) return value;
    return {};
  }

 private:
  static constexpr const char* tree_options =
      R"({"seed": 7, "topology": {"shape": "tree", "routers": 127, "branches": 2,
                                  "trunk": "trunk"},
          "links": {"default": {"rate_mbps": 1000, "delay_us": 1000, "loss_pct": 1},
                    "trunk": {"rate_mbps": 10000000, "delay_us": 1000, "queue_packets": 0}}})";
  struct seat {
    buffer::block_pool pool{{.block_bytes = 1472, .block_count = 128, .prefault = false}};
    std::unique_ptr<transport::transport> node;
    endpoint_address to;
    buffer::slice payload;
    time_point next;
    std::array<buffer::tx_datagrams, 8> items;
    std::array<buffer::rx_datagrams, 64> out;
  };

 public:
  std::unique_ptr<transport::fabric> net;
  std::vector<std::unique_ptr<seat>> seats;
};

void tree(benchmark::State& state) {
  constexpr std::chrono::milliseconds piece(20);
  thread_crew threads(static_cast<unsigned>(state.range(0)));
  tree_crowd c(static_cast<std::uint32_t>(state.range(1)));
  time_point until = at_ns(0);
  c.net->run(until += piece, c, &threads);
  const double before = std::stod(c.fact("packets_sent"));
  for (auto _ : state) c.net->run(until += piece, c, &threads);
  state.counters["packets"] =
      benchmark::Counter(std::stod(c.fact("packets_sent")) - before, benchmark::Counter::kIsRate);
  tree_crowd whole(1);
  whole.net->run(until, whole, nullptr);
  if (whole.fact("digest") != c.fact("digest")) state.SkipWithError("the digest is another");
}

BENCHMARK(tree)
    ->ArgNames({"threads", "partitions"})
    ->ArgsProduct({{1, 2}, {1, 2, 4, 8}})
    ->Iterations(10)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK(pairs_shared_pool)->Arg(2)->Arg(100)->Arg(10'000);
BENCHMARK(pairs_of_a_million)->Arg(1'000'000)->Iterations(1'000'000);
BENCHMARK(dumbbell_shared_pool)->Arg(100)->Arg(10'000);
BENCHMARK(pairs_own_pools)->Arg(2)->Arg(100);
BENCHMARK(star_shared_pool)->Arg(101);

}  // namespace

BENCHMARK_MAIN();
