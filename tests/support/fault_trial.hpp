// A conversation under a fault: a client sends messages to a server over a simulated network, and
// what both applications were told is kept. Deterministic: all of it follows from the options.
#pragma once
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "mdp/plugin/plugin_loader.hpp"
#include "mdp/runtime/node.hpp"

namespace mdp::test {

struct fault_setting {
  std::string network;            // options of the simulator; the nodes are "client", "server"
  std::size_t message_bytes = 8;  // at least 8: a serial number, then bytes that follow from it
  duration timeout{};             // of a message, until received and until delivered; 0: none
  int messages = 40;              // one each 100 ms
  int steps = 4000;               // of 10 ms
  std::uint64_t seed = 1;
};

struct fault_ending {
  std::map<std::uint64_t, std::map<messaging::event_kind, int>> of_message;  // at the client
  std::map<std::uint64_t, int> taken;  // by serial number, at the server
  int damaged = 0;                     // taken with other bytes than were sent
  int refused = 0;                     // by submit()
  int client_ups = 0;
  int client_downs = 0;
  int server_downs = 0;
  std::size_t unresolved = 0;                  // what the client answers about itself at the end
  std::map<std::string, std::uint64_t> facts;  // the simulator's numbers

  // Messages with this end.
  [[nodiscard]] int count(messaging::event_kind kind) const {
    return static_cast<int>(std::count_if(of_message.begin(), of_message.end(),
                                          [&](auto& m) { return m.second.contains(kind); }));
  }
  // Messages with any number of ends but one, and messages taken more than once.
  [[nodiscard]] int ambiguous() const {
    int found = 0;
    for (const auto& [serial, kinds] : of_message) {
      found += kinds.size() != 1 || kinds.begin()->second != 1 ? 1 : 0;
    }
    for (const auto& [serial, times] : taken) found += times != 1 ? 1 : 0;
    return found;
  }
  // Messages reported as delivered that no application took.
  [[nodiscard]] int invented() const {
    int found = 0;
    for (const auto& [serial, kinds] : of_message) {
      found += kinds.contains(messaging::event_kind::delivered) && !taken.contains(serial) ? 1 : 0;
    }
    return found;
  }
};

class fault_conversation {
 public:
  explicit fault_conversation(const fault_setting& setting)
      : setting_(setting),
        fabric_(plugin::create_fabric("netsim", setting.network, {MDP_PLUGIN_DIR})) {
    client_ = open("client", setting.seed * 3 + 1, {});
    server_ = open("server", setting.seed * 3 + 2, {});
    address_ = server_->local_address();
    peer_ = *client_->connect(address_);
    plan_ = fabric_->process_changes();
    turn(*server_, false);  // from now on the simulator says when it runs
  }

  fault_ending run() {
    for (int step = 0; step < setting_.steps; ++step) {
      if (step % 10 == 0 && sent_ < setting_.messages) send();
      turn(*client_, true);
      advance_to(at_ns(step * step_ns));
    }
    seen_.unresolved = client_->unresolved(peer_).size();
    for (const auto& [name, text] : fabric_->facts()) {
      std::from_chars(text.data(), text.data() + text.size(), seen_.facts[name]);
    }
    return seen_;
  }

 private:
  static constexpr std::int64_t step_ns = 10'000'000;

  std::unique_ptr<node> open(const char* name, std::uint64_t seed, endpoint_address at) {
    node_options o;
    o.fabric = fabric_.get();
    o.name = name;
    o.seed = seed;
    o.local = at;
    o.config.peer_timeout_ms = 3000;
    o.config.connect_timeout_ms = 2000;
    return make_node(o);
  }
  void advance_to(time_point limit) {
    for (;;) {
      const time_point change = changed_ < plan_.size() ? plan_[changed_].at : never;
      const std::int64_t ready = fabric_->advance(std::min(limit, change));
      if (ready == 0) turn(*client_, true);
      if (ready == 1) turn(*server_, false);
      if (ready >= 0) continue;
      if (change > limit) return;
      if (plan_[changed_++].begins) {
        server_ = open("server", setting_.seed * 3 + 2 + changed_, address_);
        turn(*server_, false);
      } else {
        server_.reset();
      }
    }
  }
  [[nodiscard]] std::vector<std::byte> content(std::uint64_t serial) const {
    std::vector<std::byte> bytes(setting_.message_bytes);
    for (std::size_t i = 8; i < bytes.size(); ++i) {
      bytes[i] = static_cast<std::byte>(serial * 31 + i);
    }
    std::memcpy(bytes.data(), &serial, sizeof serial);
    return bytes;
  }
  void send() {
    const auto serial = static_cast<std::uint64_t>(sent_++);
    messaging::send_options o;
    o.want = messaging::confirm::delivered;
    o.context = serial;
    o.received_timeout = setting_.timeout;
    o.delivered_timeout = setting_.timeout;
    if (!client_->submit(peer_, content(serial), o)) ++seen_.refused;
  }
  void turn(node& n, bool client) {
    messaging::event out[64];
    for (std::size_t count = 1; count > 0;) {
      count = n.poll(out, never);
      for (std::size_t i = 0; i < count; ++i) {
        client ? see_at_client(out[i]) : see_at_server(out[i]);
        out[i].payload.reset();
      }
    }
  }
  void see_at_client(const messaging::event& e) {
    using enum messaging::event_kind;
    if (e.kind == peer_up) ++seen_.client_ups;
    if (e.kind == peer_down) ++seen_.client_downs;
    // That a message is received, which an answered ABANDON tells, is on its way to its end.
    if (e.kind < peer_up && e.kind != received) ++seen_.of_message[e.context][e.kind];
  }
  void see_at_server(const messaging::event& e) {
    if (e.kind == messaging::event_kind::peer_down) ++seen_.server_downs;
    if (e.kind != messaging::event_kind::message) return;
    std::uint64_t serial = 0;
    std::memcpy(&serial, e.payload.data(), sizeof serial);
    ++seen_.taken[serial];
    const std::vector<std::byte> sent = content(serial);
    const bool same = e.payload.size() == sent.size() &&
                      std::memcmp(e.payload.data(), sent.data(), sent.size()) == 0;
    seen_.damaged += same ? 0 : 1;
  }

  fault_setting setting_;
  std::shared_ptr<transport::fabric> fabric_;
  std::unique_ptr<node> client_;
  std::unique_ptr<node> server_;
  endpoint_address address_;
  peer_id peer_ = no_peer;
  std::vector<transport::process_change> plan_;  // for the server
  std::size_t changed_ = 0;                      // of the plan
  int sent_ = 0;
  fault_ending seen_;
};

}  // namespace mdp::test
