// What the applications of the model do with their peers, and ask the engine: its answers are held
// against what it reported.
#include <algorithm>

#include "tests/support/model_world.hpp"

namespace mdp::test {

using engine::event_kind;
using engine::message_state;

namespace {

message_state state_of(event_kind end) {
  switch (end) {
    case event_kind::delivered:
      return message_state::delivered;
    case event_kind::rejected:
      return message_state::rejected;
    case event_kind::cancelled:
      return message_state::cancelled;
    case event_kind::expired:
      return message_state::expired;
    case event_kind::timed_out_received:
      return message_state::timed_out_received;
    case event_kind::timed_out_delivered:
      return message_state::timed_out_delivered;
    default:
      return message_state::unknown;
  }
}

}  // namespace

void model_world::change_peers() {
  const std::size_t from = draw(nodes);
  const std::size_t to = (from + 1 + draw(nodes - 1)) % nodes;
  application_state& at = apps_[from];
  engine::endpoint& engine = *at.node->engine;
  const endpoint_address there = apps_[to].node->address;
  const std::uint64_t what = draw(16);
  if (what < 8) {
    const auto id = engine.connect(net_.now(), there);
    if (id) at.peers[to] = *id;
    ++covered_[id ? "connect" : "connect refused"];
  } else if (what < 11) {
    if (engine.disconnect(at.peers[to])) ++covered_["disconnect"];
  } else if (what < 12) {
    engine.blacklist(net_.now(), there);
    ++covered_["blacklist"];
  } else if (what < 14) {
    engine.unblacklist(there);
    ++covered_["unblacklist"];
  } else {
    const auto kind = static_cast<engine::congestion_kind>(draw(5));
    if (engine.set_congestion(at.peers[to], kind)) ++covered_["set_congestion"];
  }
}

void model_world::unblacklist_all() {
  for (const application_state& at : apps_)
    for (const application_state& other : apps_)
      for (endpoint_address a = other.node->address; a.port > 0; --a.port)  // wherever it was
        at.node->engine->unblacklist(a);
}

// What waits for a peer at an address that its node has left, and has not moved from, waits until
// the application ends it.
void model_world::give_up_lost_addresses() {
  for (application_state& at : apps_) {
    std::vector<engine::peer_info> known;
    at.node->engine->list_peers(engine::peer_filter::all, known);
    for (const engine::peer_info& p : known) {
      const bool lives = std::any_of(apps_.begin(), apps_.end(), [&](const application_state& a) {
        return a.node->address == p.address;
      });
      if (lives) continue;
      at.node->engine->blacklist(net_.now(), p.address);
      ++covered_["address given up"];
    }
  }
}

void model_world::ask(application_state& at) {
  const peer_id of = at.peers[draw(nodes)];
  switch (draw(4)) {
    case 0:
      return ask_state();
    case 1:
      return ask_unresolved(at, of);
    case 2:
      return ask_peers(at);
    default:
      if (at.node->engine->writable(of, draw(100'000))) ++covered_["writable"];
  }
}

void model_world::ask_state() {
  if (messages_.empty()) return;
  const message& m =
      messages_[messages_.size() - 1 - draw(std::min<std::size_t>(messages_.size(), 60))];
  const application_state& at = apps_[m.from];
  if (at.life != m.from_life || !same_session(at, m.peer, m.session)) return;
  ++covered_["state"];
  check_state(m, at.node->engine->state(m.peer, m.id));
}

void model_world::check_state(const message& m, message_state s) {
  const std::uint64_t serial = m.options.context;
  expect(s != message_state::never, "its own engine does not know it", serial);
  const bool open = s == message_state::queued || s == message_state::sent;
  // Its events may still wait to be polled, but what was polled is final.
  if (m.end) {
    expect(!open && s != message_state::received, "ended, and yet unresolved", serial);
    expect(s == message_state::settled || s == state_of(*m.end), "its state is not its end",
           serial);
  }
  if (m.received) expect(!open, "received, and yet on its way", serial);
  if (s == message_state::delivered) expect(m.confirmed, "delivered, says its state", serial);
  if (s == message_state::rejected) expect(m.rejected, "rejected, says its state", serial);
}

void model_world::ask_unresolved(application_state& at, peer_id of) {
  std::uint64_t last = 0;
  bool first = true;
  at.node->engine->for_each_unresolved(of, [&](message_id id, message_state s) {
    expect(first || id.value > last, "unresolved ids are not in order", id.value);
    expect(at.node->engine->state(of, id) == s, "two answers about one message", id.value);
    first = false;
    last = id.value;
    ++covered_["unresolved"];
  });
}

void model_world::ask_peers(application_state& at) {
  const engine::endpoint& engine = *at.node->engine;
  std::vector<engine::peer_info> known;
  engine.list_peers(engine::peer_filter::all, known);
  expect(known.size() == engine.peer_count(), "peers are not all listed by node", at.node->number);
  for (const engine::peer_info& p : known) {
    const auto again = engine.info(p.id);
    expect(again && again->address == p.address, "a listed peer is unknown to node",
           at.node->number);
    const auto counts = engine.peer_stats(p.id);
    expect(counts && counts->messages_received <= engine.counts().messages_received,
           "a peer counts more than all, at node", at.node->number);
    ++covered_["peers"];
  }
  std::vector<engine::peer_change> changes;
  at.node->engine->peer_changes(changes);
  covered_["peer changes"] += changes.size();
}

}  // namespace mdp::test
