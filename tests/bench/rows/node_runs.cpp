#include "tests/bench/rows/node_runs.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <vector>

#include "mdp/messaging/factory.hpp"
#include "mdp/plugin/plugin_loader.hpp"
#include "mdp/runtime/node.hpp"
#include "tests/bench/raw/raw_harness.hpp"

namespace mdp::bench {
namespace {

using namespace std::chrono_literals;
using messaging::event;
using messaging::event_kind;
using messaging::messenger;
using raw_bench::run_pair;
using raw_bench::tally;

constexpr std::size_t submits_a_turn = 512;
constexpr std::size_t shared_submits_a_turn = 64;
constexpr duration patience = 10ms;  // a waiting side looks up at least so often, to see the end
using node_ptr = std::unique_ptr<messenger>;
using settings = std::vector<std::pair<std::string, std::string>>;

// Events of one thread, reused.
class inbox {
 public:
  // Polls and hands each event to `take`; returns how many came.
  template <class Take>
  std::size_t poll(messenger& node, time_point deadline, Take&& take) {
    const std::size_t n = node.poll(events_, deadline);
    for (std::size_t i = 0; i < n; ++i) {
      take(events_[i]);
      events_[i].payload.reset();
    }
    return n;
  }

 private:
  std::vector<event> events_ = std::vector<event>(512);
};

// The messengers of one run over one fabric.
class world {
 public:
  explicit world(const messenger_kind& kind, bool spin)
      : kind_(kind), spin_(spin), fabric_(plugin::create_fabric(kind.plugin)) {}
  node_ptr open(const settings& more = {}) {
    messaging::messenger_options o;
    o.fabric = fabric_.get();
    o.seed = ++seeds_;  // nodes that talk to each other are seeded apart
    o.spin = spin_ ? duration(100ms) : duration(0);
    if (!kind_.reliable) return make_raw_messenger(o);
    // A sender that is never out of messages fills what it may: more than the second-level cache
    // holds only makes every byte come from afar three times.
    o.config = {{"max_packet_bytes", std::to_string(kind_.packet_bytes)},
                {"max_enqueued_bytes", "1048576"}};
    o.config.insert(o.config.end(), more.begin(), more.end());
    return make_mdp_messenger(o);
  }

 private:
  messenger_kind kind_;
  bool spin_;
  std::shared_ptr<transport::fabric> fabric_;
  std::uint64_t seeds_ = 0;
};

peer_id connected(messenger& from, const messenger& to) {
  const auto peer = from.connect(to.local_address());
  if (!peer) throw std::runtime_error(peer.error());
  return *peer;
}

void submit_some(messenger& node, peer_id to, std::span<const std::byte> payload,
                 std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    if (!node.submit(to, payload, {})) return;
}

// Takes what comes until the run ends, then closes the node: on the thread that used it.
void receive(node_ptr node, tally& arrived) {
  inbox in;
  while (!arrived.stopped()) {
    std::uint64_t messages = 0;
    in.poll(*node, node->now() + patience,
            [&](const event& e) { messages += e.kind == event_kind::message; });
    arrived.add(messages);
  }
}

void send(node_ptr node, peer_id to, std::size_t bytes, tally& sent) {
  const std::vector<std::byte> payload(bytes);
  inbox in;
  while (!sent.stopped()) {
    submit_some(*node, to, payload, submits_a_turn);
    in.poll(*node, node->now(), [](const event&) {});
  }
}

// One payload, again and again, that packets refer to.
void send_zero_copy(node_ptr from, peer_id to, std::size_t bytes, tally& sent) {
  buffer::block_pool pool({bytes, 1, buffer::sharing::one_thread, true});
  const buffer::slice payload =
      buffer::slice::acquire(pool).subslice(0, static_cast<std::uint32_t>(bytes));
  const node_ptr own = std::move(from);  // ends before the pool
  auto& sender = dynamic_cast<node&>(*own);
  inbox in;
  while (!sent.stopped()) {
    for (std::size_t i = 0; i < submits_a_turn; ++i)
      if (!sender.submit_zero_copy(to, payload, {})) break;
    in.poll(sender, sender.now(), [](const event&) {});
  }
}

// Sends to the first who is heard of, when `to` is nobody yet.
void exchange(node_ptr node, peer_id to, std::size_t bytes, tally& arrived) {
  const std::vector<std::byte> payload(bytes);
  inbox in;
  while (!arrived.stopped()) {
    if (to != no_peer) submit_some(*node, to, payload, submits_a_turn);
    std::uint64_t messages = 0;
    in.poll(*node, node->now(), [&](const event& e) {
      if (to == no_peer) to = e.peer;
      messages += e.kind == event_kind::message;
    });
    arrived.add(messages);
  }
}

void take_turns(std::vector<node_ptr> nodes, const std::vector<peer_id>& to, std::size_t bytes,
                tally& sent) {
  const std::vector<std::byte> payload(bytes);
  inbox in;
  while (!sent.stopped()) {
    for (std::size_t i = 0; i < nodes.size() && !sent.stopped(); ++i) {
      submit_some(*nodes[i], to[i], payload, shared_submits_a_turn);
      in.poll(*nodes[i], nodes[i]->now(), [](const event&) {});
    }
  }
}

void ask(node_ptr node, peer_id to, const options& o, raw_bench::round_trip_times& times,
         tally& done) {
  std::vector<std::byte> payload(o.message_bytes);
  std::vector<std::int64_t> sent_at(o.outstanding);
  inbox in;
  const auto request = [&](std::uint32_t slot) {
    std::memcpy(payload.data(), &slot, sizeof slot);
    sent_at[slot] = raw_bench::now_ns();
    static_cast<void>(node->submit(to, payload, {}));
  };
  for (std::uint32_t slot = 0; slot < o.outstanding; ++slot) request(slot);
  while (!done.stopped()) {
    in.poll(*node, node->now() + patience, [&](const event& e) {
      if (e.kind != event_kind::message) return;
      std::uint32_t slot = 0;
      std::memcpy(&slot, e.payload.data(), sizeof slot);
      times.add(raw_bench::now_ns() - sent_at[slot]);
      done.add(1);
      request(slot);
    });
  }
}

void answer(node_ptr node, tally& done) {
  inbox in;
  while (!done.stopped()) {
    in.poll(*node, node->now() + patience, [&](const event& e) {
      if (e.kind != event_kind::message) return;
      static_cast<void>(node->submit(e.peer, {e.payload.data(), e.payload.size()}, {}));
      done.add(1);
    });
  }
}

// A thousand nodes need three descriptors each.
void allow_many_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
}

}  // namespace

rate one_way(const messenger_kind& kind, const options& o) {
  return raw_bench::guarded([&] {
    world w(kind, true);
    auto to = w.open();
    auto from = w.open();
    const peer_id peer = connected(*from, *to);
    return run_pair(
        o,
        [&](tally& sent) {
          (kind.zero_copy ? send_zero_copy : send)(std::move(from), peer, o.message_bytes, sent);
        },
        [&](tally& arrived) { receive(std::move(to), arrived); });
  });
}

rate both_ways(const messenger_kind& kind, const options& o) {
  return raw_bench::guarded([&] {
    world w(kind, true);
    auto a = w.open();
    auto b = w.open();
    const peer_id peer = connected(*a, *b);
    rate result = run_pair(
        o, [&](tally& arrived) { exchange(std::move(a), peer, o.message_bytes, arrived); },
        [&](tally& arrived) { exchange(std::move(b), no_peer, o.message_bytes, arrived); });
    // Both threads count what arrives.
    if (result.arrived > 0)
      result.per_second *=
          static_cast<double>(result.arrived + result.sent) / static_cast<double>(result.arrived);
    result.arrived += result.sent;
    return result;
  });
}

rate many_to_one(const messenger_kind& kind, const options& o, std::size_t senders) {
  return raw_bench::guarded([&] {
    allow_many_descriptors();
    world w(kind, true);
    // A thousand senders share one receive buffer: congestion control has to find their windows.
    // What one of them holds is small.
    const settings fair{{"profile", "lan"}};
    const settings small{
        {"profile", "lan"}, {"max_enqueued_packets", "256"}, {"receive_pool_bytes", "1048576"}};
    auto to = w.open(fair);
    std::vector<node_ptr> nodes;
    std::vector<peer_id> peers;
    for (std::size_t i = 0; i < senders; ++i) {
      nodes.push_back(w.open(small));
      peers.push_back(connected(*nodes.back(), *to));
    }
    return run_pair(
        o, [&](tally& sent) { take_turns(std::move(nodes), peers, o.message_bytes, sent); },
        [&](tally& arrived) { receive(std::move(to), arrived); });
  });
}

rate round_trips(const messenger_kind& kind, const options& o) {
  return raw_bench::guarded([&] {
    world w(kind, o.spin);
    auto server = w.open();
    auto client = w.open();
    const peer_id peer = connected(*client, *server);
    raw_bench::round_trip_times times;
    rate result = run_pair(
        o, [&](tally& done) { ask(std::move(client), peer, o, times, done); },
        [&](tally& done) { answer(std::move(server), done); });
    times.summarize(result);
    return result;
  });
}

}  // namespace mdp::bench
