// How a model_world comes to rest, and what must hold of every message and block then.
#include <algorithm>

#include "tests/support/model_world.hpp"

namespace mdp::test {
namespace {

using namespace std::chrono_literals;
using engine::event_kind;

// The peer never had the message whole.
bool given_up(event_kind end) {
  return end == event_kind::cancelled || end == event_kind::expired ||
         end == event_kind::timed_out_received;
}

}  // namespace

bool model_world::wants_end(const message& m) const {
  return apps_[m.from].life == m.from_life && m.options.wants != engine::want_none && !m.end &&
         !(m.options.wants == engine::want_received && m.received);
}

bool model_world::all_ended() const {
  return std::none_of(messages_.begin(), messages_.end(),
                      [this](const message& m) { return wants_end(m); });
}

bool model_world::same_session(const application_state& at, peer_id id, std::uint16_t session) {
  const engine::peer* p = at.node->engine->find(id);
  return p && p->session() == session;
}

bool model_world::session_lasted(const message& m) const {
  return apps_[m.from].life == m.from_life && apps_[m.to].life == m.to_life &&
         same_session(apps_[m.from], m.peer, m.session);
}

bool model_world::may_be_given_up(const message& m) {
  const engine::send_options& o = m.options;
  return m.cancel_accepted || o.lifetime > duration{} || o.received_timeout > duration{} ||
         o.delivered_timeout > duration{};
}

void model_world::check_end(std::uint64_t serial, const message& m) {
  if (m.end && given_up(*m.end))
    expect(!m.taken || m.options.idempotent, "given up and yet taken", serial);
  if (m.end == event_kind::unknown && apps_[m.from].life == m.from_life)
    expect(!same_session(apps_[m.from], m.peer, m.session), "unknown, though no session was lost",
           serial);
  expect(!wants_end(m), "it has no end", serial);
  if (session_lasted(m) && (!may_be_given_up(m) || m.received))
    expect(m.taken, "lost in silence", serial);
}

void model_world::finish() {
  net_.timer_lateness = {};
  unblacklist_all();
  // Who moved makes itself heard: nobody else knows where it is.
  for (std::size_t i = 0; i + 1 < nodes; ++i)
    static_cast<void>(apps_.back().node->engine->connect(net_.now(), apps_[i].node->address));
  for (const application_state& from : apps_)
    for (const application_state& to : apps_) {
      network_options& way = net_.link(*from.node, *to.node);
      way.loss = way.corrupt = 0;
    }
  const auto done = [this] {
    answer_all();
    return all_ended() || !violation_.empty();
  };
  net_.run_until(done, 2min);
  net_.run_for(5s);  // whose address changed is found, or is lost
  give_up_lost_addresses();
  net_.run_until(done, 1min);
  for (int i = 0; i < 20; ++i) {  // what nobody asked about is still on its way
    net_.run_for(1s);
    answer_all();
  }
  check_quiet();
  for (std::uint64_t serial = 0; serial < messages_.size(); ++serial)
    check_end(serial, messages_[serial]);
  if (violation_.empty()) check_blocks();
}

// With nothing left to do an engine sends heartbeats and acknowledges them, two a second to a peer.
void model_world::check_quiet() {
  constexpr std::uint64_t packets_max = 120;  // in ten seconds
  std::array<std::uint64_t, nodes> before{};
  for (std::size_t i = 0; i < nodes; ++i) before[i] = apps_[i].node->engine->counts().packets_sent;
  net_.run_for(10s);
  answer_all();
  for (std::size_t i = 0; i < nodes; ++i)
    expect(apps_[i].node->engine->counts().packets_sent - before[i] <= packets_max,
           "it goes on sending, with nothing to do, at node", i);
}

void model_world::check_blocks() {
  for (application_state& at : apps_) {
    expect(at.node->engine->idle(), "an engine is not idle at node", at.node->number);
    expect(at.node->blocks.available() == at.node->blocks.block_count(), "bodies leak at node",
           at.node->number);
    count_engine(at);
    at.node->engine.reset();
  }
  for (application_state& at : apps_)
    expect(at.node->all_blocks_home(), "blocks leak at node", at.node->number);
  expect(forms_.all_home(), "payloads leak of nodes", nodes);
}

}  // namespace mdp::test
