// How fast this machine moves small messages without MDP: the denominators of its benchmarks.
//
// Each function runs two threads (pinned to the first and the last cpu of the process) over
// loopback for `warm_up_seconds` and then `seconds`, and counts what happened in the latter. They
// own everything they use and may be called one after another from any thread that is not pinned
// itself. Errors: `note` says why a row could not be measured; the figures are 0 then.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

namespace mdp::raw_bench {

struct options {
  double seconds = 1.0;
  std::size_t message_bytes = 64;
  double warm_up_seconds = 0.05;  // threads start, buffers grow; not counted
  std::size_t outstanding = 1;    // requests under way at once; round trips only
  bool spin = true;               // wait by asking again, not in the kernel; round trips only
  bool connected = true;          // false: each send names its address; batches and trains only
};

struct rate {
  double per_second = 0;      // messages that arrived (round trips: that came back)
  std::uint64_t sent = 0;     // what the first thread counted in the window
  std::uint64_t arrived = 0;  // what the second thread counted in the window
  double cpu_seconds = 0;     // user and system time of both threads in the window
  double p50_us = 0;          // of a round trip
  double p99_us = 0;
  std::string note;  // empty: measured
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

// Requests and their echoes over connected UDP sockets; all are sent again after some
// 50 ms of silence.
[[nodiscard]] rate udp_round_trips(const options& o);
// The same over one TCP connection with TCP_NODELAY, framed; what has come is answered at once.
[[nodiscard]] rate tcp_round_trips(const options& o);

}  // namespace mdp::raw_bench
