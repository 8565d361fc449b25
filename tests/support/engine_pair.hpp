// Engines joined by an in-memory network in virtual time: no sockets, no threads, no sleeps.
// step() delivers what is due and jumps the clock to the next event. The network is the simplest
// that can hurt: a delay, random loss, duplication, reordering and corruption, each drawn from the
// seed; a rate with a queue; and links() that differ by direction.
#pragma once
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/endpoint.hpp"
#include "tests/support/engine_node.hpp"

namespace mdp::test {

class engine_network {
 public:
  explicit engine_network(const network_options& options = {})
      : options_(options), random_(options.seed) {}

  engine_node& add(const engine::config& settings = {}, const node_memory& memory = {}) {
    const auto n = static_cast<std::uint32_t>(nodes_.size());
    nodes_.push_back(std::make_unique<engine_node>(n, settings, options_.seed * 1000 + n, memory));
    return *nodes_.back();
  }
  // The options of one direction, to be changed apart; until asked for, options() holds for it.
  [[nodiscard]] network_options& link(const engine_node& from, const engine_node& to) {
    return links_.try_emplace({from.number, to.number}, options_).first->second;
  }
  [[nodiscard]] time_point now() const { return now_; }
  [[nodiscard]] network_options& options() { return options_; }
  // Decides each packet's fate beyond the options: false drops it.
  std::function<bool(const engine_node& from, std::span<const std::byte>)> filter;
  // Makes a packet later than the options do.
  std::function<duration(const engine_node& from, std::span<const std::byte>)> hold_back;
  // Deadlines are noticed this much after their time, as by a coarse timer.
  duration timer_lateness{};

  // Lets everything that is due happen, then jumps to the next event; false when there is none
  // before `limit`.
  bool step(time_point limit = never) {
    settle();
    time_point next = flights_.empty() ? never : flights_.begin()->first;
    for (auto& node : nodes_) {
      const time_point deadline = node->engine->next_deadline();
      if (deadline != never) next = std::min(next, deadline + timer_lateness);
    }
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
  // The clock jumps, as after the machine slept: nobody was asked meanwhile.
  void jump(duration span) { now_ += span; }
  // What `to` makes of these bytes, now.
  void inject(engine_node& to, const endpoint_address& from, std::span<const std::byte> bytes,
              buffer::ecn codepoint = buffer::ecn::not_ect) {
    buffer::slice block = buffer::slice::acquire(to.rx);
    if (!block) return;  // the receiver's buffers are full: a loss like any other
    if (!bytes.empty()) std::memcpy(block.data(), bytes.data(), bytes.size());
    buffer::rx_datagrams item;
    item.from = from;
    item.codepoint = codepoint;
    item.data = block.subslice(0, static_cast<std::uint32_t>(bytes.size()));
    block.reset();
    to.engine->handle_datagrams(now_, {&item, 1});
  }
  bool drops_ect = false;  // as some networks do with packets that allow congestion marks
  std::uint64_t packets_dropped = 0;
  std::uint64_t packets_carried = 0;

 private:
  struct flight {
    engine_node* to;
    endpoint_address from;
    std::string bytes;
    buffer::ecn codepoint;
  };

  void settle() {
    for (auto it = flights_.begin(); it != flights_.end() && it->first <= now_;) {
      inject(*it->second.to, it->second.from, std::as_bytes(std::span(it->second.bytes)),
             it->second.codepoint);
      it = flights_.erase(it);
    }
    for (auto& node : nodes_) {
      if (node->engine->next_deadline() <= now_) {
        node->engine->handle_deadline(now_);
        ++node->deadlines_run;
      }
      if (node->app.polls) poll_app(*node);
      flush(*node);
    }
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
        if (e.confirm && (app.judge ? app.judge(e) : app.confirms))
          node.engine->confirm(e.peer, e.id);
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
      node.engine->poll_transmit(now_, batch_);
      if (batch_.empty()) return;
      for (const buffer::tx_datagrams& item : batch_.pending()) {
        std::string bytes;
        for (const buffer::slice& part : item.parts)
          bytes.append(reinterpret_cast<const char*>(part.data()), part.size());
        const std::size_t step = item.segment_bytes > 0 ? item.segment_bytes : bytes.size();
        for (std::size_t at = 0; at < bytes.size(); at += step)
          carry(node, item.to, bytes.substr(at, step), item.codepoint);
      }
      batch_.consume(batch_.pending().size());
    }
  }

  [[nodiscard]] bool chance(double p) {
    return p > 0 && static_cast<double>(random_.next() >> 11) * 0x1p-53 < p;
  }

  void carry(const engine_node& from, const endpoint_address& to, std::string bytes,
             buffer::ecn codepoint) {
    const std::uint32_t target = simulated_node(to);
    const auto view = std::as_bytes(std::span(bytes));
    const auto apart = links_.find({from.number, target});
    const network_options& way = apart == links_.end() ? options_ : apart->second;
    if (trace_)
      std::printf("%lld us: %u to %u: %s\n", static_cast<long long>(ns_of(now_) / 1000),
                  from.number, target, wire::describe_packet(view).c_str());
    const time_point leaves = queue(from.number, target, way, bytes.size());
    // What is sent to an address that its node has left goes nowhere.
    if (target >= nodes_.size() || !(to == nodes_[target]->address) || leaves == never ||
        bytes.size() > way.mtu || chance(way.loss) || (filter && !filter(from, view)) ||
        (drops_ect && codepoint != buffer::ecn::not_ect)) {
      ++packets_dropped;
      return;
    }
    ++packets_carried;
    const duration held = hold_back ? hold_back(from, view) : duration{};
    if (chance(way.corrupt)) {
      const std::uint64_t bit = random_.next() % (bytes.size() * 8);
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    }
    if (codepoint != buffer::ecn::not_ect && chance(way.mark)) codepoint = buffer::ecn::ce;
    const int copies = chance(way.duplicate) ? 2 : 1;
    for (int i = 0; i < copies; ++i) {
      duration late = way.delay + held;
      if (way.jitter.count() > 0)
        late += duration(static_cast<std::int64_t>(random_.next() %
                                                   static_cast<std::uint64_t>(way.jitter.count())));
      flights_.emplace(leaves + late, flight{nodes_[target].get(), from.address, bytes, codepoint});
    }
  }

  // When the link has put the packet on its way; `never` when its queue is full.
  time_point queue(std::uint32_t from, std::uint32_t to, const network_options& way,
                   std::size_t bytes) {
    if (way.bytes_per_second == 0) return now_;
    time_point& busy = busy_until_[{from, to}];
    const time_point begins = std::max(now_, busy);
    if (begins - now_ > way.queue_max) return never;
    busy =
        begins + duration(static_cast<std::int64_t>(bytes * 1'000'000'000 / way.bytes_per_second));
    return busy;
  }

  network_options options_;
  bool trace_ = std::getenv("MDP_TRACE") != nullptr;  // to watch the replay of one seed
  seeded_random random_;
  time_point now_ = at_ns(1'000'000'000);
  std::vector<std::unique_ptr<engine_node>> nodes_;
  std::multimap<time_point, flight> flights_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, network_options> links_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, time_point> busy_until_;
  buffer::tx_batch batch_;
};

inline std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

}  // namespace mdp::test
