// A few engines, a bad network, and a model of what was promised to their applications. act() draws
// one call or one fault; finish() heals the network, lets the applications answer everything, and
// holds what was reported against the model:
// - a message is taken at most once, whole, by the node that it was sent to, in a channel in order;
// - `delivered` and `rejected` are what the receiving application said;
// - what was cancelled, expired or timed out before it was received is never taken;
// - `unknown` is reported only when a session was lost;
// - each message that wants a confirmation has exactly one end; none is lost in silence;
// - what the engine answers about messages and peers agrees with what it reported;
// - with nothing left to do nobody goes on sending;
// - every block comes back.
// An idempotent message may be taken again when its node or the session starts anew.
// Draws come from a random_source: a seed for tests, the bytes of an input for fuzzing.
#pragma once
#include <array>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/engine_pair.hpp"
#include "tests/support/payload_forms.hpp"

namespace mdp::test {

class model_world {
 public:
  static constexpr std::size_t nodes = 3;

  // `choices` must outlive the world; `seed` is that of the network and of the engines.
  model_world(random_source& choices, std::uint64_t seed);
  void act();
  void finish();
  // How often each kind of call and of fault was drawn, and each effect reported.
  using coverage = std::map<std::string, std::uint64_t>;
  [[nodiscard]] const coverage& covered() const noexcept { return covered_; }
  // What broke the model first; empty: nothing.
  [[nodiscard]] const std::string& violation() const noexcept { return violation_; }

 private:
  struct message {
    std::size_t from = 0;
    std::size_t to = 0;
    engine::send_options options;
    std::size_t size = 0;
    message_id id{};
    int from_life = 0;  // lives of the two nodes when it was sent
    int to_life = 0;
    peer_id peer = no_peer;  // the receiver, as the sender knew it, and their session
    std::uint16_t session = 0;
    std::optional<engine::event_kind> end;
    bool cancel_accepted = false;
    bool received = false;
    bool taken = false;
    bool confirmed = false;
    bool rejected = false;
  };
  struct held {
    peer_id from;
    std::uint16_t session;
    message_id id;
    std::uint64_t serial;
  };
  struct application_state {
    engine_node* node = nullptr;
    int life = 0;
    std::array<peer_id, nodes> peers{};
    std::deque<held> unanswered;
    std::map<std::pair<std::size_t, std::uint16_t>, std::uint64_t> last_in_channel;
  };

  static engine::config draw_settings(random_source& choices);
  static network_options draw_network(random_source& choices, std::uint64_t seed);
  // Uniform below n.
  std::uint64_t draw(std::uint64_t n) { return choices_.next() % n; }
  void call(application_state& at);
  void fault(application_state& at);
  [[nodiscard]] engine::send_options draw_options();
  void submit();
  void cancel();
  void poll(application_state& at, std::size_t at_most);
  void answer(application_state& at);
  void answer_all();
  void change_network();
  void change_path(network_options& way);
  void restart(application_state& at);
  void move();
  void count_engine(const application_state& at);
  // Peers, and what is asked (model_world_peers.cpp).
  void change_peers();
  void unblacklist_all();
  void give_up_lost_addresses();
  void ask(application_state& at);
  void ask_state();
  void ask_unresolved(application_state& at, peer_id of);
  void ask_peers(application_state& at);
  void check_state(const message& m, engine::message_state s);
  void take(std::size_t at, const engine::event& e);
  void on_event(std::size_t at, const engine::event& e);
  void on_end(std::size_t at, const engine::event& e);
  [[nodiscard]] bool wants_end(const message& m) const;
  [[nodiscard]] bool all_ended() const;
  [[nodiscard]] static bool may_be_given_up(const message& m);
  [[nodiscard]] static bool same_session(const application_state& at, peer_id id,
                                         std::uint16_t session);
  [[nodiscard]] bool session_lasted(const message& m) const;
  void check_end(std::uint64_t serial, const message& m);
  void check_quiet();
  void check_blocks();
  void expect(bool holds, const char* what, std::uint64_t serial);

  random_source& choices_;
  payload_forms forms_;
  engine_network net_;
  engine::config settings_;
  std::array<application_state, nodes> apps_;
  std::deque<message> messages_;  // by serial
  coverage covered_;
  std::string violation_;
};

}  // namespace mdp::test
