#include "loss_detector.hpp"

namespace mdp::engine {

bool loss_detector::ack_valid(std::span<const std::byte> body) const noexcept {
  const std::uint64_t largest = wire::load<std::uint64_t>(body.data());
  if (largest >= next_number()) return false;
  const std::uint64_t below = wire::load<std::uint32_t>(body.data() + 8);
  if (below > largest) return false;
  std::uint64_t first = largest - below;
  for (std::size_t at = wire::ack_body_bytes_min; at + 8 <= body.size(); at += 8) {
    const std::uint64_t missing = wire::load<std::uint32_t>(body.data() + at);
    const std::uint64_t run = wire::load<std::uint32_t>(body.data() + at + 4);
    if (missing == 0 || run == 0 || missing + run > first) return false;
    first -= missing + run;
  }
  return true;
}

sent_packet* loss_detector::oldest_with_content() noexcept {
  for (std::uint64_t n = std::max(first_unsettled_, base_); n < next_number(); ++n) {
    sent_packet& p = packets_[static_cast<std::size_t>(n - base_)];
    const bool content = p.body != no_index || p.outcomes != no_index || p.credit;
    if (p.state == sent_packet::fate::in_flight && content) return &p;
  }
  return nullptr;
}

bool loss_detector::front_settled(time_point lost_before) const noexcept {
  const sent_packet& p = packets_[0];
  switch (p.state) {
    case sent_packet::fate::acked:
      return true;
    case sent_packet::fate::lost:
      return p.body == no_index || p.sent <= lost_before;
    case sent_packet::fate::in_flight:
      return false;
  }
  return false;
}

}  // namespace mdp::engine
