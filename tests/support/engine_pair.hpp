// Engines joined by an in-memory network in virtual time: no sockets, no threads, no sleeps.
// step() delivers what is due and jumps the clock to the next event. The network is the simplest
// that can hurt: a delay, random loss, duplication, reordering and corruption, each drawn from the
// seed.
#pragma once
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/endpoint.hpp"

namespace mdp::test {

struct network_options {
  duration delay = std::chrono::milliseconds(5);
  duration jitter{};  // uniform, reorders
  double loss = 0;
  double duplicate = 0;
  double corrupt = 0;
  std::uint64_t seed = 1;
};

// What one side's application has seen.
struct application {
  std::vector<std::pair<std::uint64_t, std::string>> messages;  // id, payload
  std::vector<std::uint64_t> received, delivered, unknown;
  std::vector<std::pair<engine::event_kind, std::uint64_t>> others;  // the rest: kind, context
  std::vector<std::string> downs;
  int ups = 0;
  bool confirms = true;
  bool polls = true;
};

struct engine_node {
  engine_node(std::uint32_t number, const engine::config& settings, std::uint64_t seed)
      : random(seed),
        blocks({settings.max_packet_bytes + 64, 4096, buffer::sharing::one_thread, false}),
        control({settings.max_packet_bytes + 64, 256, buffer::sharing::one_thread, false}),
        rx({65536, 256, buffer::sharing::one_thread, false}),
        address(simulated_address(number)),
        engine(std::make_unique<engine::endpoint>(
            settings, engine::engine_memory{blocks, control, buffer::sharing::one_thread},
            engine::train_limits{16, 65507}, random)) {}

  seeded_random random;
  buffer::block_pool blocks, control, rx;
  endpoint_address address;
  std::unique_ptr<engine::endpoint> engine;
  application app;
};

class engine_network {
 public:
  explicit engine_network(const network_options& options = {})
      : options_(options), random_(options.seed) {}

  engine_node& add(const engine::config& settings = {}) {
    const auto n = static_cast<std::uint32_t>(nodes_.size());
    nodes_.push_back(std::make_unique<engine_node>(n, settings, options_.seed * 1000 + n));
    return *nodes_.back();
  }
  [[nodiscard]] time_point now() const { return now_; }
  [[nodiscard]] network_options& options() { return options_; }
  // Decides each packet's fate beyond the options: false drops it.
  std::function<bool(const engine_node& from, std::span<const std::byte>)> filter;

  // Lets everything that is due happen, then jumps to the next event; false when there is none
  // before `limit`.
  bool step(time_point limit = never) {
    settle();
    time_point next = flights_.empty() ? never : flights_.begin()->first;
    for (auto& node : nodes_) next = std::min(next, node->engine->next_deadline());
    if (next == never || next > limit) return false;
    now_ = std::max(now_, next);
    return true;
  }
  void run_for(duration span) {
    const time_point end = now_ + span;
    while (step(end)) {
    }
    now_ = end;
    settle();
  }
  // Until `done` or the time is over; true when done.
  bool run_until(const std::function<bool()>& done, duration at_most = std::chrono::minutes(10)) {
    const time_point end = now_ + at_most;
    while (!done()) {
      if (!step(end)) return done();
    }
    return true;
  }
  std::uint64_t packets_dropped = 0;
  std::uint64_t packets_carried = 0;

 private:
  struct flight {
    engine_node* to;
    endpoint_address from;
    std::string bytes;
  };

  void settle() {
    for (auto it = flights_.begin(); it != flights_.end() && it->first <= now_;) {
      arrive(it->second);
      it = flights_.erase(it);
    }
    for (auto& node : nodes_) {
      if (node->engine->next_deadline() <= now_) node->engine->handle_deadline(now_);
      if (node->app.polls) poll_app(*node);
      flush(*node);
    }
  }

  void arrive(const flight& f) {
    buffer::slice block = buffer::slice::acquire(f.to->rx);
    if (!block) return;  // the receiver's buffers are full: a loss like any other
    std::memcpy(block.data(), f.bytes.data(), f.bytes.size());
    buffer::rx_datagrams item;
    item.from = f.from;
    item.data = block.subslice(0, static_cast<std::uint32_t>(f.bytes.size()));
    block.reset();
    f.to->engine->handle_datagrams(now_, {&item, 1});
  }

  void poll_app(engine_node& node) {
    engine::event events[64];
    for (;;) {
      const std::size_t n = node.engine->poll_events(events);
      if (n == 0) return;
      for (std::size_t i = 0; i < n; ++i) handle_event(node, events[i]);
    }
  }

  static void handle_event(engine_node& node, engine::event& e) {
    application& app = node.app;
    switch (e.kind) {
      case engine::event_kind::message:
        app.messages.emplace_back(
            e.id.value,
            std::string(reinterpret_cast<const char*>(e.payload.data()), e.payload.size()));
        if (e.confirm && app.confirms) node.engine->confirm(e.peer, e.id);
        e.payload.reset();
        break;
      case engine::event_kind::received:
        app.received.push_back(e.context);
        break;
      case engine::event_kind::delivered:
        app.delivered.push_back(e.context);
        break;
      case engine::event_kind::unknown:
        app.unknown.push_back(e.context);
        break;
      case engine::event_kind::peer_up:
        ++app.ups;
        break;
      case engine::event_kind::peer_down:
        app.downs.emplace_back(e.reason);
        break;
      default:
        app.others.emplace_back(e.kind, e.context);
        break;
    }
  }

  void flush(engine_node& node) {
    for (int rounds = 0; rounds < 10000; ++rounds) {
      buffer::tx_batch batch;
      node.engine->poll_transmit(now_, batch);
      if (batch.empty()) return;
      for (const buffer::tx_datagrams& item : batch.pending()) {
        std::string bytes;
        for (const buffer::slice& part : item.parts)
          bytes.append(reinterpret_cast<const char*>(part.data()), part.size());
        const std::size_t step = item.segment_bytes > 0 ? item.segment_bytes : bytes.size();
        for (std::size_t at = 0; at < bytes.size(); at += step)
          carry(node, item.to, bytes.substr(at, step));
      }
      batch.consume(batch.pending().size());
    }
  }

  [[nodiscard]] bool chance(double p) {
    return p > 0 && static_cast<double>(random_.next() >> 11) * 0x1p-53 < p;
  }

  void carry(const engine_node& from, const endpoint_address& to, std::string bytes) {
    const std::uint32_t target = simulated_node(to);
    const auto view = std::as_bytes(std::span(bytes));
    if (target >= nodes_.size() || chance(options_.loss) || (filter && !filter(from, view))) {
      ++packets_dropped;
      return;
    }
    ++packets_carried;
    if (chance(options_.corrupt)) {
      const std::uint64_t bit = random_.next() % (bytes.size() * 8);
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    }
    const int copies = chance(options_.duplicate) ? 2 : 1;
    for (int i = 0; i < copies; ++i) {
      duration late = options_.delay;
      if (options_.jitter.count() > 0)
        late += duration(static_cast<std::int64_t>(
            random_.next() % static_cast<std::uint64_t>(options_.jitter.count())));
      flights_.emplace(now_ + late, flight{nodes_[target].get(), from.address, bytes});
    }
  }

  network_options options_;
  seeded_random random_;
  time_point now_ = at_ns(1'000'000'000);
  std::vector<std::unique_ptr<engine_node>> nodes_;
  std::multimap<time_point, flight> flights_;
};

inline std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

}  // namespace mdp::test
