// Is a peer reachable where its packets seem to come from now? A challenge goes there, and only its
// answer proves it; until then no more than three times the bytes that came from there are sent
// there. RFC 9000 sections 8.2 and 9.3. Rules: docs/protocol.md R-PATH-*. Values in, values out.
#pragma once
#include <cstdint>

#include "mdp/base/endpoint_address.hpp"
#include "mdp/base/time.hpp"

namespace mdp::engine {

class path_validator {
 public:
  static constexpr std::uint64_t amplification_max = 3;
  static constexpr int attempts_max = 3;

  // A packet of `bytes` came from `candidate`. Begins, or begins anew for yet another address.
  // `timeout`: when a challenge counts as lost.
  void begin(const endpoint_address& candidate, std::uint64_t challenge, std::uint64_t bytes,
             duration timeout) noexcept {
    candidate_ = candidate;
    challenge_ = challenge;
    received_ = bytes;
    sent_ = 0;
    timeout_ = timeout;
    attempts_ = 0;
    challenge_due_ = true;
    validated_ = false;
    deadline_ = never;
  }
  void end() noexcept {
    candidate_ = {};
    challenge_due_ = validated_ = false;
    deadline_ = never;
  }
  // The answer came: the candidate is the peer's address until end().
  void on_validated() noexcept { validated_ = true; }
  [[nodiscard]] bool validated() const noexcept { return validated_; }
  [[nodiscard]] bool validating() const noexcept {
    return candidate_.family != address_family::none;
  }
  [[nodiscard]] const endpoint_address& candidate() const noexcept { return candidate_; }
  void on_received(std::uint64_t bytes) noexcept { received_ += bytes; }

  // A challenge of `bytes` may and should go out.
  [[nodiscard]] bool challenge_due(std::uint64_t bytes) const noexcept {
    return challenge_due_ && sent_ + bytes <= amplification_max * received_;
  }
  [[nodiscard]] std::uint64_t challenge() const noexcept { return challenge_; }
  void on_challenge_sent(time_point now, std::uint64_t bytes) noexcept {
    sent_ += bytes;
    ++attempts_;
    challenge_due_ = false;
    deadline_ = now + timeout_;
  }
  [[nodiscard]] bool answered_by(std::uint64_t response) const noexcept {
    return validating() && attempts_ > 0 && response == challenge_;
  }
  [[nodiscard]] time_point deadline() const noexcept { return deadline_; }
  // False: the last attempt went unanswered; the candidate is dropped.
  [[nodiscard]] bool on_deadline(time_point now) noexcept {
    if (deadline_ > now) return true;
    deadline_ = never;
    challenge_due_ = attempts_ < attempts_max;
    if (!challenge_due_) end();
    return challenge_due_;
  }

  // The other side's part: a challenge came from `to` and is to be answered there, once.
  void owe_response(const endpoint_address& to, std::uint64_t data) noexcept {
    respond_to_ = to;
    response_ = data;
  }
  [[nodiscard]] bool response_due() const noexcept {
    return respond_to_.family != address_family::none;
  }
  [[nodiscard]] const endpoint_address& respond_to() const noexcept { return respond_to_; }
  [[nodiscard]] std::uint64_t response() const noexcept { return response_; }
  void on_response_sent() noexcept { respond_to_ = {}; }

 private:
  endpoint_address candidate_;  // family none: nothing to validate
  std::uint64_t challenge_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t sent_ = 0;
  duration timeout_{};
  time_point deadline_ = never;
  endpoint_address respond_to_;  // family none: nothing to answer
  std::uint64_t response_ = 0;
  int attempts_ = 0;
  bool challenge_due_ = false;
  bool validated_ = false;
};

}  // namespace mdp::engine
