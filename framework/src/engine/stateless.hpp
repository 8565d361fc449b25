// What a node says to addresses it keeps no state about: RESET, UNKNOWN and RETRY, and the secrets
// behind them. Memory is fixed and the rate bounded, so a flood costs the same as a trickle.
// Rules: docs/protocol.md R-RESET-*, R-COOKIE-*.
#pragma once
#include <array>
#include <cstdint>
#include <memory>

#include "mdp/base/endpoint_address.hpp"
#include "mdp/base/siphash.hpp"
#include "mdp/base/time.hpp"
#include "mdp/buffer/datagram.hpp"
#include "mdp/wire/packet.hpp"
#include "stats.hpp"

namespace mdp::engine {

// Allows `per_second` events a second, in bursts of a tenth of that (at least one).
class rate_limit {
 public:
  explicit rate_limit(std::uint32_t per_second) noexcept;
  [[nodiscard]] bool allows(time_point now) noexcept;

 private:
  duration spacing_;
  duration burst_;
  time_point due_{};  // when the next event would be due at an even pace
};

class stateless_replies {
 public:
  static constexpr std::size_t queue_max = 256;
  // A cookie of a RETRY is good for one to two of these.
  static constexpr duration cookie_period = std::chrono::seconds(8);
  // The same of a cookie for the next session.
  static constexpr duration return_period = std::chrono::hours(1);

  // `node_key`: all zero for none, then there are no tokens. `cookie_key`: secret of this instance.
  stateless_replies(const siphash_key& node_key, const siphash_key& cookie_key,
                    std::uint32_t resets_per_second, stats& counts) noexcept;

  // The proof that we gave `connection` to the peer at `to`; all zero without a key.
  [[nodiscard]] wire::reset_token token_of(std::uint32_t connection,
                                           const endpoint_address& to) const noexcept;
  // For the next HELLO from this address: a session was opened from there.
  [[nodiscard]] std::uint64_t next_cookie(time_point now,
                                          const endpoint_address& to) const noexcept {
    return return_cookie_of(ns_of(now) / return_period.count(), to);
  }
  // The HELLO carries a cookie that we gave to this address, for this nonce or for its return.
  [[nodiscard]] bool cookie_valid(time_point now, const endpoint_address& from,
                                  const wire::hello& hello) const noexcept;

  // Each queues one reply to `to`, or counts that it did not: the rate or the queue is full.
  void forgotten(time_point now, const endpoint_address& to,
                 const wire::packet_header& trigger) noexcept;
  void retry(time_point now, const endpoint_address& to, const wire::hello& hello) noexcept;

  // Moves replies into the batch while it takes them and blocks last.
  void flush(buffer::block_pool& blocks, buffer::tx_batch& batch) noexcept;
  [[nodiscard]] bool pending() const noexcept { return count_ > 0; }

 private:
  struct reply {
    endpoint_address to;
    wire::packet_header header;
    std::array<std::uint64_t, 2> body{};
  };
  [[nodiscard]] std::uint64_t cookie_of(std::int64_t period, const endpoint_address& to,
                                        std::uint64_t nonce) const noexcept;
  [[nodiscard]] std::uint64_t return_cookie_of(std::int64_t period,
                                               const endpoint_address& to) const noexcept;
  // The HELLO carries a next_cookie() of this address that is not too old.
  [[nodiscard]] bool returns(time_point now, const endpoint_address& from,
                             const wire::hello& hello) const noexcept;
  [[nodiscard]] reply* add() noexcept;

  siphash_key node_key_;
  siphash_key cookie_key_;
  rate_limit resets_;
  stats& counts_;
  std::unique_ptr<std::array<reply, queue_max>> queue_;  // made for the first reply
  std::size_t first_ = 0;
  std::size_t count_ = 0;
};

}  // namespace mdp::engine
