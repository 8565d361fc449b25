// The public face of the library: a node sends and receives messages through one transport.
//
//   auto fabric = mdp::plugin::create_fabric("socket");
//   mdp::node_options options;
//   options.fabric = fabric.get();
//   auto node = mdp::make_node(options);
//   auto peer = node->connect(*mdp::parse_endpoint_address("127.0.0.1:4433"));
//   node->submit(*peer, bytes, {.want = mdp::messaging::confirm::delivered});
//   while (node->poll(events, node->now() + 1ms) == 0) {}
//
// Threads (mdp/base/thread_plan.hpp): `inline_` runs protocol and I/O inside poll(), on the
// caller's thread; nothing happens between calls, and the node belongs to one thread. The other
// layouts run them on threads of the node's own. There every call may come from any thread, several
// at once: submit, poll and answers without a lock; an event goes to one of the threads that poll.
// Refusals that only the protocol can know come as events or not at all (each call says which), and
// rare calls wait for one turn of the node's thread. Not possible in virtual time.
//
// Errors: make_node throws std::runtime_error with one sentence; afterwards refusals are values
// and outcomes are events. docs/api.md has a page of examples.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mdp/base/siphash.hpp"
#include "mdp/base/thread_plan.hpp"
#include "mdp/messaging/messenger.hpp"
#include "mdp/runtime/config.hpp"
#include "mdp/runtime/message_state.hpp"
#include "mdp/runtime/peer_info.hpp"

namespace mdp {

// Who tells a sender that its message was delivered.
enum class confirm_mode : std::uint8_t {
  automatic,   // poll(), by returning the message
  on_request,  // the application, by node::confirm() or node::reject(), when it likes
};

struct node_options {
  transport::fabric* fabric = nullptr;  // required; must outlive the node
  endpoint_address local;               // family none: the fabric's default
  // Further ports of the same node, of either family (at most 63; not in a simulated network). A
  // peer is answered from the port it speaks to.
  std::vector<endpoint_address> more_locals;
  std::string name;  // in a simulated topology
  // 0: the system's entropy. Nodes that talk to each other need different ones: a node takes what
  // comes from a node of its own seed for an echo of itself. `sharded`: this one and those after
  // it, one for each shard.
  std::uint64_t seed = 0;
  thread_plan threads;
  confirm_mode confirm = confirm_mode::automatic;
  // A secret that stays the same when the node starts anew: its peers then learn at their next
  // packet, with proof, that it forgot them (docs/protocol.md section 5.3). All zero: none, and
  // they have to ask. From text: parse_node_key().
  siphash_key node_key{};
  duration spin{};  // busy-poll before sleeping
  node_config config;
};

// One item of node::submit_batch(): a message of one or more parts, to one or more peers.
struct submission {
  std::span<const peer_id> to;
  std::span<const std::span<const std::byte>> parts;  // joined in this order
  messaging::send_options options;                    // the same for every peer
};
using submit_result = result<message_id, messaging::refusal>;

class node : public messaging::messenger {
 public:
  // Of every port: `local`, then `more_locals`; endpoint_address::local counts them. connect()
  // leaves through the port that its address names, or, if that has another family, through the
  // first of the right one; find(), blacklist() and unblacklist() mean an address at every port.
  [[nodiscard]] virtual std::vector<endpoint_address> local_addresses() const = 0;

  // submit() without its copy: packets refer to the bytes of the slice until the peer has received
  // the message or it ended otherwise; until then they must not change. A message of up to half a
  // packet, which may share one with others, is copied all the same. The slice is of a pool of the
  // application's (it must outlive the node) or the payload of an event, which is forwarded like
  // this. Its pool is for buffer::sharing::many_threads if another thread has to do with it: with
  // every layout but inline_, and for a slice that came from another node.
  [[nodiscard]] virtual result<message_id, messaging::refusal> submit_zero_copy(
      peer_id to, const buffer::slice& payload,
      const messaging::send_options& options) noexcept = 0;

  // Sends every item to each of its peers: one message to one or to many, many to one, many each
  // to its own, many each to many. results[k] belongs to the k-th (item, peer) in that order; a
  // refusal concerns its own message only. Stops where `results` ends. Returns how many results
  // were written.
  [[nodiscard]] virtual std::size_t submit_batch(std::span<const submission> items,
                                                 std::span<submit_result> results) noexcept = 0;
  // Runs the node (in virtual time: does nothing) until `to` takes a message of `bytes` or
  // `deadline` comes. Refusals: queue_full (still), unknown_peer, too_large. Events stay for
  // poll().
  [[nodiscard]] virtual result<void, messaging::refusal> wait_writable(
      peer_id to, std::size_t bytes, time_point deadline) noexcept = 0;

  // Gives a message up; its end is the event `cancelled`. Refusals: unknown_peer, unknown_message
  // (also: final already), too_late (the peer has it whole).
  [[nodiscard]] virtual result<void, messaging::refusal> cancel(peer_id to,
                                                                message_id id) noexcept = 0;

  // Answers a message whose event says `confirm`, once; confirm_mode::on_request only (else
  // not_supported). Refusals: unknown_message (not such a message, answered already, its session
  // over), queue_full (not `inline_`: poll() first). Only `inline_` reports unknown_message.
  [[nodiscard]] result<void, messaging::refusal> confirm(peer_id from, message_id id) noexcept {
    return answer(from, id, true);
  }
  // The same; the sender's event is `rejected`.
  [[nodiscard]] result<void, messaging::refusal> reject(peer_id from, message_id id) noexcept {
    return answer(from, id, false);
  }

  // Where messages to one peer stand: one, several (out[k] of ids[k], as far as both reach; returns
  // how many), or all that are not final, oldest first.
  [[nodiscard]] message_state state(peer_id to, message_id id) noexcept;
  virtual std::size_t states(peer_id to, std::span<const message_id> ids,
                             std::span<message_state> out) noexcept = 0;
  [[nodiscard]] virtual std::vector<message_status> unresolved(peer_id to) = 0;

  // Takes connect()'s pin away: the session goes on, and once the peer is silent for peer_timeout
  // and nothing waits for it, it is forgotten. Refusal: unknown_peer.
  [[nodiscard]] virtual result<void, messaging::refusal> disconnect(peer_id peer) noexcept = 0;
  // From now on messages to this peer go by this algorithm, which begins as on a new path. The
  // configuration's choice holds again once the peer was forgotten. Refusal: unknown_peer.
  [[nodiscard]] virtual result<void, messaging::refusal> set_congestion_control(
      peer_id peer, congestion_control_kind kind) noexcept = 0;
  // Drops whatever comes from `address` before any other work; a session with it ends (peer_down).
  virtual void blacklist(const endpoint_address& address) = 0;
  virtual void unblacklist(const endpoint_address& address) noexcept = 0;
  [[nodiscard]] virtual std::optional<peer_id> find(const endpoint_address& address) noexcept = 0;
  // A peer by its id; nothing: it is not known, or not any more.
  [[nodiscard]] virtual std::optional<peer_info> info(peer_id peer) = 0;
  [[nodiscard]] virtual std::vector<peer_info> peers(peer_filter filter) = 0;
  // Who became active or inactive since the last call; who came and went in between is left out.
  [[nodiscard]] virtual std::vector<peer_change> peer_changes() = 0;
  // Counts of one peer over all its sessions (empty: no such peer), and their sums over those that
  // are active. The whole node's: stats().
  [[nodiscard]] messaging::statistics peer_stats(peer_id peer) override = 0;
  [[nodiscard]] virtual messaging::statistics active_stats() = 0;

  // Ends the node's work in good order. From now on no message is taken (refusal `closed`). Waits
  // until every message has its end, or until `deadline`; what has none by then and asked for a
  // confirmation is reported `unknown`, and every session ends (peer_down). Events stay for poll();
  // the peers learn from our silence. True: everything had its end. In virtual time it does not
  // wait: run the network until idle() first. A node that is destroyed without it drops what it has
  // not sent.
  [[nodiscard]] virtual bool shutdown(time_point deadline) noexcept = 0;

 protected:
  [[nodiscard]] virtual result<void, messaging::refusal> answer(peer_id from, message_id id,
                                                                bool accepted) noexcept = 0;
};

[[nodiscard]] std::unique_ptr<node> make_node(const node_options& options);

// A key of 32 hexadecimal digits, e.g. from `openssl rand -hex 16`. The error is one sentence,
// which does not repeat the text.
[[nodiscard]] result<siphash_key, std::string> parse_node_key(std::string_view text);

}  // namespace mdp
