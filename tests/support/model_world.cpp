#include "tests/support/model_world.hpp"

#include <algorithm>

#include "tests/support/payload.hpp"

namespace mdp::test {
namespace {

using namespace std::chrono_literals;
using engine::event_kind;

duration micros(std::uint64_t n) {
  return std::chrono::microseconds(n);
}

const char* name_of(event_kind kind) {
  constexpr std::array names{"message",   "received", "delivered",          "rejected",
                             "cancelled", "expired",  "timed_out_received", "timed_out_delivered",
                             "unknown",   "peer_up",  "peer_down",          "peer_moved"};
  return names[static_cast<std::size_t>(kind)];
}

}  // namespace

network_options model_world::draw_network(random_source& choices, std::uint64_t seed) {
  const auto share = [&](double most) {
    return most * static_cast<double>(choices.next() % 100) / 100;
  };
  network_options o;
  o.delay = 1ms + micros(choices.next() % 20'000);
  o.jitter = micros(choices.next() % 10'000);
  o.loss = share(0.3);
  o.duplicate = share(0.2);
  o.corrupt = share(0.05);
  o.seed = seed;
  return o;
}

engine::config model_world::draw_settings(random_source& choices) {
  engine::config c;
  c.max_enqueued_messages = 64;
  c.receive_window_messages = 48;
  c.receive_window_bytes = 300'000;
  c.max_message_bytes = 200'000;
  c.reassembly_bytes = 1 << 20;
  c.peer_timeout = 3s;
  c.connect_timeout = 4s;
  c.max_packet_bytes = choices.next() % 2 == 0 ? 1472 : 8972;
  c.pmtu_discovery = choices.next() % 2 == 0 || c.max_packet_bytes > 1472;
  c.zero_rtt = static_cast<engine::zero_rtt_policy>(choices.next() % 3);
  c.congestion_control = static_cast<engine::congestion_kind>(choices.next() % 5);
  if (choices.next() % 2 == 0) c.node_key = {choices.next() + 1, 2};
  return c;
}

model_world::model_world(random_source& choices, std::uint64_t seed)
    : choices_(choices), net_(draw_network(choices, seed)), settings_(draw_settings(choices)) {
  for (application_state& app : apps_) {
    app.node = &net_.add(settings_, {.blocks = 1024, .control = 64, .rx = 256});
    app.node->app.polls = false;  // this world is the application
    app.peers.fill(no_peer);
  }
  for (std::size_t i = 1; i < nodes; ++i)
    apps_[0].peers[i] = *apps_[0].node->engine->connect(net_.now(), apps_[i].node->address);
}

void model_world::expect(bool holds, const char* what, std::uint64_t serial) {
  if (!holds && violation_.empty())
    violation_ = std::string(what) + ", message " + std::to_string(serial);
}

void model_world::act() {
  application_state& at = apps_[draw(nodes)];
  const std::uint64_t what = draw(32);
  if (what < 18) {
    call(at);
  } else if (what < 23) {
    fault(at);
  } else {
    net_.run_for(micros(draw(40'000)));
  }
}

void model_world::call(application_state& at) {
  const std::uint64_t what = draw(20);
  if (what < 9) {
    submit();
  } else if (what < 13) {
    poll(at, 1 + draw(16));
  } else if (what < 16) {
    answer(at);
  } else if (what < 17) {
    cancel();
  } else if (what < 18) {
    change_peers();
  } else {
    ask(at);
  }
}

void model_world::fault(application_state& at) {
  const std::uint64_t what = draw(5);
  if (what < 2) {
    change_network();
  } else if (what < 3) {
    if (draw(40) == 0) restart(at);
  } else if (what < 4) {
    if (draw(8) == 0) move();
  } else if (draw(4) > 0) {
    net_.timer_lateness = draw(2) == 0 ? duration{} : micros(draw(50'000));
    ++covered_["late timers"];
  } else if (draw(5) == 0) {
    net_.jump(1ms * draw(8000));
    ++covered_["clock jump"];
  }
}

engine::send_options model_world::draw_options() {
  engine::send_options o;
  o.wants = static_cast<std::uint8_t>(draw(4));
  o.priority = static_cast<std::uint8_t>(draw(8));
  if (draw(4) == 0) o.channel = static_cast<std::uint16_t>(1 + draw(3));
  if (draw(8) == 0) o.lifetime = micros(1 + draw(500'000));
  if (draw(8) == 0) o.received_timeout = micros(1 + draw(500'000));
  if (draw(8) == 0 && (o.wants & engine::want_delivered) != 0)
    o.delivered_timeout = micros(1 + draw(500'000));
  o.idempotent = o.channel == 0 && draw(4) == 0;
  return o;
}

void model_world::submit() {
  const std::size_t from = draw(nodes);
  const std::size_t to = (from + 1 + draw(nodes - 1)) % nodes;
  const std::uint64_t serial = messages_.size();
  message m;
  m.from = from;
  m.to = to;
  m.size = draw(10) < 7 ? 8 + draw(300) : 8 + draw(60'000);
  m.options = draw_options();
  m.options.context = serial;
  m.from_life = apps_[from].life;
  m.to_life = apps_[to].life;
  const auto id = forms_.submit(*apps_[from].node->engine, net_.now(), apps_[from].peers[to],
                                payload_of(serial, m.size), m.options, draw(3));
  ++covered_[id ? m.options.idempotent ? "submit idempotent" : "submit" : "submit refused"];
  if (!id) return;
  m.id = *id;
  m.peer = apps_[from].peers[to];
  m.session = apps_[from].node->engine->find(m.peer)->session();
  messages_.push_back(m);
}

void model_world::cancel() {
  if (messages_.empty()) return;
  const std::uint64_t back = draw(std::min<std::size_t>(messages_.size(), 30));
  message& m = messages_[messages_.size() - 1 - back];
  application_state& at = apps_[m.from];
  if (at.life != m.from_life || !same_session(at, m.peer, m.session)) return;
  if (at.node->engine->cancel(net_.now(), m.peer, m.id)) {
    expect(!m.end, "cancelled after its end", m.options.context);
    m.cancel_accepted = true;
    ++covered_["cancel"];
  }
}

void model_world::poll(application_state& at, std::size_t at_most) {
  engine::event events[16];
  while (at_most > 0) {
    const std::size_t n =
        at.node->engine->poll_events(std::span(events, std::min<std::size_t>(at_most, 16)));
    if (n == 0) return;
    at_most -= n;
    for (std::size_t i = 0; i < n; ++i) on_event(at.node->number, events[i]);
    for (engine::event& e : events) e.payload.reset();
  }
}

void model_world::on_event(std::size_t at, const engine::event& e) {
  application_state& app = apps_[at];
  ++covered_[std::string("event ") + name_of(e.kind)];
  switch (e.kind) {
    case event_kind::message:
      take(at, e);
      break;
    case event_kind::peer_up:
      if (const engine::peer* p = app.node->engine->find(e.peer))
        app.peers[simulated_node(p->address())] = e.peer;
      break;
    case event_kind::peer_down:
    case event_kind::peer_moved:
      break;
    default:
      on_end(at, e);
  }
}

void model_world::take(std::size_t at, const engine::event& e) {
  std::uint64_t serial = ~std::uint64_t{0};
  if (e.payload.size() >= 8) std::memcpy(&serial, e.payload.data(), 8);
  expect(serial < messages_.size(), "a message that nobody sent", serial);
  if (serial >= messages_.size()) return;
  message& m = messages_[serial];
  const std::string text = payload_of(serial, m.size);
  expect(m.to == at, "taken by another node", serial);
  expect(!m.taken || m.options.idempotent, "taken twice", serial);
  expect(e.payload.size() == m.size &&
             std::equal(text.begin(), text.end(), reinterpret_cast<const char*>(e.payload.data())),
         "its bytes differ", serial);
  m.taken = true;
  if (m.options.channel > 0) {
    std::uint64_t& last = apps_[at].last_in_channel[{m.from, m.options.channel}];
    expect(last <= serial, "out of order in its channel", serial);
    last = serial;
  }
  // When the session is gone, nobody waits for an answer any more.
  expect(!e.confirm || (m.options.wants & engine::want_delivered) != 0, "wrongly asked to confirm",
         serial);
  if (e.confirm) apps_[at].unanswered.push_back({e.peer, e.session, e.id, serial});
}

void model_world::on_end(std::size_t at, const engine::event& e) {
  const std::uint64_t serial = e.context;
  if (serial >= messages_.size()) return expect(false, "an end of no message", serial);
  message& m = messages_[serial];
  expect(m.from == at && m.from_life == apps_[at].life, "reported to another", serial);
  if (e.kind == event_kind::received) {
    // Whoever gives a message up too late is told so, asked or not.
    expect((m.options.wants & engine::want_received) != 0 || may_be_given_up(m),
           "received without being asked", serial);
    expect(!m.received, "received twice", serial);
    expect(!m.end, "received after its end", serial);
    m.received = true;
    return;
  }
  expect(!m.end, "a second end", serial);
  m.end = e.kind;
  if (e.kind == event_kind::delivered) expect(m.confirmed, "falsely delivered", serial);
  if (e.kind == event_kind::rejected) expect(m.rejected, "falsely rejected", serial);
  if (e.kind == event_kind::cancelled) expect(m.cancel_accepted, "cancelled by nobody", serial);
}

void model_world::answer(application_state& at) {
  if (at.unanswered.empty()) return;
  const std::size_t i = draw(at.unanswered.size());
  const held h = at.unanswered[i];
  at.unanswered.erase(at.unanswered.begin() + static_cast<std::ptrdiff_t>(i));
  // Ids begin anew with each session: nobody waits for an answer about one of
  // an older session.
  if (!same_session(at, h.from, h.session)) return;
  message& m = messages_[h.serial];
  if (draw(4) == 0) {
    at.node->engine->reject(h.from, h.id);
    m.rejected = true;
    ++covered_["reject"];
  } else {
    at.node->engine->confirm(h.from, h.id);
    m.confirmed = true;
    ++covered_["confirm"];
  }
}

void model_world::answer_all() {
  for (application_state& at : apps_) {
    poll(at, ~std::size_t{0});
    while (!at.unanswered.empty()) answer(at);
  }
}

void model_world::change_network() {
  const std::size_t from = draw(nodes);
  const std::size_t to = (from + 1 + draw(nodes - 1)) % nodes;
  change_path(net_.link(*apps_[from].node, *apps_[to].node));
}

void model_world::change_path(network_options& way) {
  const std::uint64_t what = draw(6);
  if (what < 1) {
    way.loss = 1;  // until the next change
    ++covered_["blackout"];
  } else if (what < 4) {
    way.loss = static_cast<double>(draw(30)) / 100;
    ++covered_["loss"];
  } else if (what < 5) {
    if (!settings_.pmtu_discovery) return;  // who turns it off knows what the path carries
    way.mtu = 1200 + draw(8) * 1000;
    ++covered_["path MTU"];
  } else {
    way.mark = static_cast<double>(draw(30)) / 100;
    ++covered_["congestion marks"];
  }
}

// From now on it is heard from another port, as behind a NAT that was rebooted.
// Of two that moved at once neither could find the other: only the last node
// moves.
void model_world::move() {
  ++apps_.back().node->address.port;
  ++covered_["move"];
}

void model_world::count_engine(const application_state& at) {
  engine::for_each_stat(at.node->engine->counts(),
                        [this](const char* name, std::uint64_t value) { covered_[name] += value; });
}

void model_world::restart(application_state& at) {
  ++covered_["restart"];
  count_engine(at);
  at.node->restart();
  ++at.life;
  at.unanswered.clear();
  at.peers.fill(no_peer);
}
}  // namespace mdp::test
