// Very many endpoints of the real engine in one simulated network, on one core.
//
//   endpoints_bench [endpoints [messages]]   pairs of endpoints, each pair on links of its own with
//       1 % loss: one side sends 64-byte messages, one at a time, the other answers each. Prints
//       bytes of an endpoint with its link, and virtual against real time.
//   endpoints_bench idle [peers [seconds]]   one endpoint with so many pinned peers and nothing to
//       say: heartbeats only.
#include <fmt/format.h>
#include <sys/resource.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "engine/endpoint.hpp"
#include "mdp/netsim/fabric.hpp"
#include "tests/support/resident_memory.hpp"

namespace mdp {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t payload_bytes = 64;
constexpr const char* network =
    R"({"seed": 7, "links": {"default": {"rate_mbps": 1000, "delay_us": 1000, "loss_pct": 1}}})";

double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

struct host {
  std::unique_ptr<transport::transport> link;
  std::unique_ptr<engine::endpoint> engine;
  time_point start = never;  // when it begins to ask; never: it answers
  peer_id partner = no_peer;
  std::uint32_t left = 0;  // questions that have no answer yet
};

// All endpoints, what they share, and the clock that drives them.
class world {
 public:
  world(std::size_t endpoints, const engine::config& settings)
      : settings_(settings), packets_(endpoints / 4 + 4096) {
    hosts_.reserve(endpoints);
    for (std::size_t i = 0; i < endpoints; ++i) {
      host& h = hosts_.emplace_back();
      h.link = fabric_->open({{}, "", &received_});
      h.engine = std::make_unique<engine::endpoint>(
          settings_,
          engine::engine_memory{blocks_, control_, buffer::sharing::one_thread, bodies_each},
          engine::train_limits{}, random_);
    }
  }
  [[nodiscard]] std::vector<host>& hosts() { return hosts_; }
  [[nodiscard]] time_point now() { return hosts_[0].link->now(); }
  [[nodiscard]] std::size_t answered() const { return answered_; }
  // The host begins at that time to send so many messages to `to`.
  void ask_at(host& h, time_point at, const host& to, std::uint32_t messages) {
    h.start = at;
    h.left = messages;
    h.partner = *h.engine->connect(at, to.link->local_address());
    static_cast<void>(h.link->poll({}, {.deadline = at}));
  }
  // Until `done` or no event is left before `limit`.
  template <class Done>
  void run(time_point limit, Done&& done) {
    while (!done()) {
      const std::int64_t ready = fabric_->advance(limit);
      if (ready < 0) return;
      turn(hosts_[static_cast<std::size_t>(ready)]);
    }
  }

 private:
  static constexpr std::uint32_t bodies_each = 16;

  void turn(host& h) {
    for (bool again = true; again;) {
      const time_point at = h.link->now();
      if (h.start != never && h.start <= at) {
        h.start = never;
        ask(h, at);
      }
      if (h.engine->next_deadline() <= at) h.engine->handle_deadline(at);
      transmit(h, at);
      const std::size_t n = h.link->poll(in_, {.deadline = h.engine->next_deadline()});
      if (n > 0) h.engine->handle_datagrams(at, std::span(in_).first(n));
      again = take_events(h, at) || n > 0;
    }
  }
  void transmit(host& h, time_point at) {
    for (;;) {
      h.engine->poll_transmit(at, batch_);
      if (batch_.empty()) return;
      batch_.consume(h.link->send(batch_.pending()));
    }
  }
  void ask(host& h, time_point at) {
    if (h.left > 0) static_cast<void>(h.engine->submit(at, h.partner, payload_, {}));
  }
  bool take_events(host& h, time_point at) {
    const std::size_t n = h.engine->poll_events(events_);
    for (engine::event& e : std::span(events_).first(n)) {
      if (e.kind != engine::event_kind::message) continue;
      if (h.partner == no_peer) {
        static_cast<void>(h.engine->submit(at, e.peer, e.payload.bytes(), {}));
      } else if (--h.left > 0) {
        ask(h, at);
      } else {
        ++answered_;
      }
      e.payload.reset();
    }
    return n > 0;
  }

  engine::config settings_;
  seeded_random random_{7};
  // What a packet takes while it is under way: shared, since few endpoints have one at a time.
  std::size_t packets_;
  buffer::block_pool blocks_{{1536, packets_, buffer::sharing::one_thread, false}};
  buffer::block_pool control_{{1536, packets_, buffer::sharing::one_thread, false}};
  buffer::block_pool received_{{1536, packets_, buffer::sharing::one_thread, false}};
  std::unique_ptr<transport::fabric> fabric_ = netsim::make_fabric(network);
  std::vector<host> hosts_;
  buffer::tx_batch batch_;
  std::array<buffer::rx_datagrams, 64> in_;
  std::array<engine::event, 64> events_;
  std::array<std::byte, payload_bytes> payload_{};
  std::size_t answered_ = 0;
};

int pairs(std::size_t endpoints, std::uint32_t messages) {
  const double before = test::resident_bytes();
  world w(endpoints, {});
  auto& hosts = w.hosts();
  const std::size_t count = hosts.size() / 2;
  for (std::size_t i = 0; i < count; ++i) {
    // Spread over a second, so that not all packets are under way at one instant.
    const auto at = at_ns(static_cast<std::int64_t>(i * 997'003 % 1'000'000'000) + 1);
    w.ask_at(hosts[2 * i], at, hosts[2 * i + 1], messages);
  }
  const double cpu = cpu_seconds();
  w.run(at_ns(0) + 10min, [&] { return w.answered() == count; });
  const double spent = cpu_seconds() - cpu;
  const double simulated = std::chrono::duration<double>(w.now() - at_ns(0)).count();
  fmt::print("{} endpoints, {} of {} pairs exchanged {} messages each way\n", hosts.size(),
             w.answered(), count, messages);
  fmt::print("{:.0f} bytes of resident memory an endpoint with its link\n",
             (test::resident_bytes() - before) / static_cast<double>(hosts.size()));
  fmt::print("{:.2f} s of virtual time in {:.2f} CPU-seconds: ratio {:.4f}\n", simulated, spent,
             simulated / spent);
  fmt::print("{:.0f} messages a CPU-second\n", 2.0 * static_cast<double>(count) * messages / spent);
  return w.answered() == count ? 0 : 1;
}

int idle(std::size_t peers, double seconds) {
  world w(peers + 1, {});
  auto& hosts = w.hosts();
  for (std::size_t i = 1; i <= peers; ++i)
    w.ask_at(hosts[i], at_ns(static_cast<std::int64_t>(i * 997'003 % 1'000'000'000) + 1), hosts[0],
             1);
  w.run(at_ns(0) + 1min, [&] { return w.answered() == peers; });
  const double cpu = cpu_seconds();
  const auto span = duration(static_cast<std::int64_t>(seconds * 1e9));
  w.run(w.now() + span, [] { return false; });
  const bool all = w.hosts()[0].engine->peer_count() == peers;
  fmt::print("{} pinned peers, {:.0f} s of virtual time in {:.2f} CPU-seconds; all are there: {}\n",
             peers, seconds, cpu_seconds() - cpu, all);
  return w.answered() == peers && all ? 0 : 1;
}

}  // namespace
}  // namespace mdp

int main(int argc, char** argv) {
  const auto number = [&](int i, double preset) { return argc > i ? std::atof(argv[i]) : preset; };
  if (argc > 1 && std::string_view(argv[1]) == "idle")
    return mdp::idle(static_cast<std::size_t>(number(2, 1000)), number(3, 3600));
  return mdp::pairs(static_cast<std::size_t>(number(1, 10'000)),
                    static_cast<std::uint32_t>(number(2, 10)));
}
