#include "path_mtu.hpp"

#include <algorithm>

namespace mdp::engine {
namespace {

// What common networks carry: Ethernet with IPv4, jumbo frames, loopback.
constexpr std::array<std::uint32_t, 3> candidates{1472, 8960, 65507};

}  // namespace

void path_mtu::start(std::uint32_t least_bytes, std::uint32_t max_bytes, bool discover,
                     duration raise_interval) noexcept {
  *this = path_mtu();
  least_ = std::min(least_bytes, max_bytes);
  max_ = max_bytes;
  discover_ = discover;
  raise_interval_ = raise_interval;
  current_ = discover ? least_ : max_bytes;
}

std::uint32_t path_mtu::next_size() const noexcept {
  if (!discover_ || current_ >= max_) return 0;
  if (failed_ == 0) {
    for (const std::uint32_t size : candidates)
      if (size > current_) return std::min(size, max_);
    return max_;
  }
  if (failed_ <= current_ + resolution) return 0;
  // Between what passes and what does not.
  return (current_ + failed_) / 2 / 8 * 8;
}

void path_mtu::on_probe_sent(time_point expiry) noexcept {
  probe_bytes_ = next_size();
  probing_ = true;
  deadline_ = expiry;
}

bool path_mtu::on_probe_acked(time_point now, std::uint32_t bytes) noexcept {
  if (probing_ && bytes == probe_bytes_) {
    probing_ = false;
    deadline_ = never;
  }
  // One that was given up proves as much when it arrives late.
  if (bytes <= current_) return false;
  current_ = bytes;
  tries_ = 0;
  if (failed_ <= bytes) failed_ = 0;
  end_search_if_done(now);
  return true;
}

void path_mtu::on_probe_lost(time_point now, std::uint32_t bytes) noexcept {
  if (!probing_ || bytes != probe_bytes_) return;
  probing_ = false;
  deadline_ = never;
  if (++tries_ < probes_max) return;
  tries_ = 0;
  failed_ = bytes;
  end_search_if_done(now);
}

void path_mtu::end_search_if_done(time_point now) noexcept {
  // The path may change for the better: look again later (PMTU_RAISE_TIMER).
  if (!probing_ && next_size() == 0 && current_ < max_) deadline_ = now + raise_interval_;
}

void path_mtu::on_deadline(time_point now) noexcept {
  if (deadline_ > now) return;
  if (probing_) {
    on_probe_lost(now, probe_bytes_);
  } else {
    deadline_ = never;
    failed_ = 0;
  }
}

void path_mtu::on_acked(std::uint32_t bytes) noexcept {
  round_acked_ = std::max(round_acked_, static_cast<std::uint16_t>(bytes));
  if (evidence_count_ == 0) return;
  const auto end = std::remove_if(evidence_.begin(), evidence_.begin() + evidence_count_,
                                  [=](std::uint16_t size) { return size <= bytes; });
  evidence_count_ = static_cast<std::uint8_t>(end - evidence_.begin());
}

void path_mtu::on_lost(std::uint32_t bytes) noexcept {
  const auto size = static_cast<std::uint16_t>(bytes);
  round_lost_ = round_lost_ == 0 ? size : std::min(round_lost_, size);
}

bool path_mtu::end_of_round(time_point now) noexcept {
  const std::uint32_t lost = round_lost_;
  const std::uint32_t acked = round_acked_;
  round_lost_ = round_acked_ = 0;
  // A loss is only ever seen by the acknowledgement of a later packet: when that was smaller, size
  // may be the reason.
  if (!discover_ || lost <= least_ || lost <= acked) return false;
  evidence_[evidence_count_++] = static_cast<std::uint16_t>(lost);
  if (evidence_count_ < evidence_.size()) return false;
  const std::uint32_t least = *std::min_element(evidence_.begin(), evidence_.end());
  evidence_count_ = 0;
  if (current_ <= least_) return false;
  current_ = least_;
  failed_ = least;
  tries_ = 0;
  probing_ = false;
  deadline_ = never;
  end_search_if_done(now);
  return true;
}

}  // namespace mdp::engine
