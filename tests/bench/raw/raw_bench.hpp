// How fast this machine moves small messages without MDP: the denominators of its benchmarks.
//
// Each function runs a sender and a receiver on two threads (pinned to two cpus when there are two)
// over loopback for `seconds`, and counts what arrived. They own everything they use and may be
// called one after another from any thread. Errors: `note` says why a row could not be measured;
// the rate is 0 then.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

namespace mdp::raw_bench {

struct options {
  double seconds = 1.0;
  std::size_t message_bytes = 64;
};

struct rate {
  double per_second = 0;  // messages that arrived, per second of the receiver's time
  std::uint64_t sent = 0;
  std::uint64_t arrived = 0;
  double cpu_seconds = 0;  // user and system time of both threads
  std::string note;        // empty: measured
};

// Plain blocking sendto and recvfrom, unconnected: what a first UDP program does.
[[nodiscard]] rate plain_sendto(const options& o);
// The same over connected sockets, with a receiver that spins.
[[nodiscard]] rate connected_spinning(const options& o);
// sendmmsg and recvmmsg, 64 at a time, connected, receiver spins.
[[nodiscard]] rate batched_mmsg(const options& o);
// Trains with UDP_SEGMENT, merged with UDP_GRO, receiver spins.
[[nodiscard]] rate segmented_gso_gro(const options& o);
// Kernel TCP: four bytes of length in front of each message, batched writev, large reads, parsed.
[[nodiscard]] rate framed_tcp(const options& o);

}  // namespace mdp::raw_bench
