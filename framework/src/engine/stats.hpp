// Counts of one engine. Every rejected packet is counted under its own cause and changes nothing
// else.
#pragma once
#include <cstdint>

namespace mdp::engine {

struct stats {
  std::uint64_t packets_sent = 0;
  std::uint64_t packets_received = 0;
  std::uint64_t packets_retransmitted = 0;
  std::uint64_t packets_lost = 0;        // declared lost by the loss detector
  std::uint64_t packets_spurious = 0;    // declared lost, acknowledged later
  std::uint64_t loss_events = 0;         // round trips with a loss
  std::uint64_t loss_events_undone = 0;  // all of their losses were acknowledged later
  std::uint64_t packets_probe = 0;
  std::uint64_t packets_duplicate = 0;
  std::uint64_t packets_marked = 0;    // came with a congestion mark
  std::uint64_t congestion_marks = 0;  // round trips in which the peer reported marks
  std::uint64_t packets_split = 0;     // cut because the path carries less than before
  std::uint64_t mtu_probes_sent = 0;
  std::uint64_t mtu_probes_lost = 0;
  std::uint64_t mtu_black_holes = 0;   // times that a path ceased to carry large packets
  std::uint64_t packets_affected = 0;  // whose content was retransmitted, however often
  std::uint64_t retry_max = 0;         // most retransmissions of one packet's content
  std::uint64_t wire_bytes_sent = 0;
  std::uint64_t wire_bytes_received = 0;
  std::uint64_t messages_sent = 0;      // first transmission
  std::uint64_t messages_received = 0;  // complete, handed to the application's queue
  std::uint64_t messages_delayed = 0;   // had a packet retransmitted
  std::uint64_t messages_duplicate = 0;
  std::uint64_t payload_bytes_sent = 0;
  std::uint64_t payload_bytes_received = 0;
  std::uint64_t confirmed_received = 0;
  std::uint64_t confirmed_delivered = 0;
  std::uint64_t confirmed_rejected = 0;
  std::uint64_t messages_cancelled = 0;
  std::uint64_t messages_expired = 0;
  std::uint64_t messages_timed_out = 0;  // received_timeout or delivered_timeout
  std::uint64_t messages_given_up = 0;   // closed unread, at their sender's request
  std::uint64_t unresolved_unknown = 0;
  std::uint64_t heartbeats_sent = 0;
  std::uint64_t acks_sent = 0;
  std::uint64_t early_sent = 0;     // messages that went with a HELLO
  std::uint64_t early_taken = 0;    // messages that were taken from one
  std::uint64_t early_refused = 0;  // HELLOs whose messages were left to the session
  std::uint64_t sessions_begun = 0;
  std::uint64_t sessions_ended = 0;
  std::uint64_t resets_sent = 0;   // RESET and UNKNOWN
  std::uint64_t retries_sent = 0;  // RETRY
  std::uint64_t peers_reset = 0;   // sessions that the peer had forgotten
  std::uint64_t peers_moved = 0;   // addresses validated
  std::uint64_t paths_failed = 0;  // addresses that did not answer a challenge
  std::uint64_t nacks_sent = 0;
  std::uint64_t packets_nacked = 0;  // declared lost because the peer said so
  // Rejected input, by cause.
  std::uint64_t rejected_malformed = 0;
  std::uint64_t rejected_checksum = 0;
  std::uint64_t rejected_no_session = 0;
  std::uint64_t rejected_wrong_source = 0;
  std::uint64_t rejected_bad_ack = 0;
  std::uint64_t rejected_bad_outcome = 0;  // about messages that were never sent
  std::uint64_t rejected_flow_control = 0;
  std::uint64_t rejected_too_large = 0;
  std::uint64_t rejected_conflict = 0;  // fragments of one id that disagree
  std::uint64_t rejected_old = 0;       // below the acknowledgement window
  std::uint64_t rejected_window = 0;    // message id beyond the window
  std::uint64_t rejected_no_memory = 0;
  std::uint64_t rejected_peer_limit = 0;
  std::uint64_t rejected_stale_hello = 0;
  std::uint64_t rejected_reflected = 0;  // HELLO or HELLO_ACK of our own
  std::uint64_t rejected_blacklisted = 0;
  std::uint64_t rejected_path = 0;       // PATH_RESPONSE to no challenge of ours
  std::uint64_t rejected_reset = 0;      // RESET or UNKNOWN about nothing that we sent
  std::uint64_t rejected_cookie = 0;     // HELLO with a wrong or old cookie, RETRY to no HELLO
  std::uint64_t replies_suppressed = 0;  // RESET, UNKNOWN, RETRY not sent: over their bounds
};

// Calls visit("name", value) for each count, in the order above. Names are stable.
template <class Visit>
void for_each_stat(const stats& s, Visit&& visit) {
#define MDP_STAT(name) visit(#name, s.name)
  MDP_STAT(packets_sent);
  MDP_STAT(packets_received);
  MDP_STAT(packets_retransmitted);
  MDP_STAT(packets_lost);
  MDP_STAT(packets_spurious);
  MDP_STAT(loss_events);
  MDP_STAT(loss_events_undone);
  MDP_STAT(packets_probe);
  MDP_STAT(packets_duplicate);
  MDP_STAT(packets_marked);
  MDP_STAT(congestion_marks);
  MDP_STAT(packets_split);
  MDP_STAT(mtu_probes_sent);
  MDP_STAT(mtu_probes_lost);
  MDP_STAT(mtu_black_holes);
  MDP_STAT(packets_affected);
  MDP_STAT(retry_max);
  MDP_STAT(wire_bytes_sent);
  MDP_STAT(wire_bytes_received);
  MDP_STAT(messages_sent);
  MDP_STAT(messages_received);
  MDP_STAT(messages_delayed);
  MDP_STAT(messages_duplicate);
  MDP_STAT(payload_bytes_sent);
  MDP_STAT(payload_bytes_received);
  MDP_STAT(confirmed_received);
  MDP_STAT(confirmed_delivered);
  MDP_STAT(confirmed_rejected);
  MDP_STAT(messages_cancelled);
  MDP_STAT(messages_expired);
  MDP_STAT(messages_timed_out);
  MDP_STAT(messages_given_up);
  MDP_STAT(unresolved_unknown);
  MDP_STAT(heartbeats_sent);
  MDP_STAT(acks_sent);
  MDP_STAT(early_sent);
  MDP_STAT(early_taken);
  MDP_STAT(early_refused);
  MDP_STAT(sessions_begun);
  MDP_STAT(sessions_ended);
  MDP_STAT(resets_sent);
  MDP_STAT(retries_sent);
  MDP_STAT(peers_reset);
  MDP_STAT(peers_moved);
  MDP_STAT(paths_failed);
  MDP_STAT(nacks_sent);
  MDP_STAT(packets_nacked);
  MDP_STAT(rejected_malformed);
  MDP_STAT(rejected_checksum);
  MDP_STAT(rejected_no_session);
  MDP_STAT(rejected_wrong_source);
  MDP_STAT(rejected_bad_ack);
  MDP_STAT(rejected_bad_outcome);
  MDP_STAT(rejected_flow_control);
  MDP_STAT(rejected_too_large);
  MDP_STAT(rejected_conflict);
  MDP_STAT(rejected_old);
  MDP_STAT(rejected_window);
  MDP_STAT(rejected_no_memory);
  MDP_STAT(rejected_peer_limit);
  MDP_STAT(rejected_stale_hello);
  MDP_STAT(rejected_reflected);
  MDP_STAT(rejected_blacklisted);
  MDP_STAT(rejected_path);
  MDP_STAT(rejected_reset);
  MDP_STAT(rejected_cookie);
  MDP_STAT(replies_suppressed);
#undef MDP_STAT
}

}  // namespace mdp::engine
