// Messages that stay incomplete: the receiver asks for their missing parts with NACK, the sender
// repeats what it has in flight of them (docs/protocol.md R-NACK-*).
#include <algorithm>
#include <array>
#include <cstring>

#include "peer.hpp"

namespace mdp::engine {
namespace {

constexpr std::size_t ids_max = 16;          // in one NACK
constexpr std::uint64_t ids_looked_at = 64;  // the oldest are those that others wait for

}  // namespace

void peer::watch_stalls(time_point now) noexcept {
  if (flow_->partials.size() == 0) {
    flow_->stall_check = never;
  } else if (flow_->stall_check == never) {
    flow_->stall_wait = loss_delay();
    flow_->stall_check = now + flow_->stall_wait;
  }
}

void peer::check_stalls(time_point now) noexcept {
  if (flow_->stall_check > now) return;
  flow_->nack_due = true;
  flow_->acks.on_duplicate();  // our acknowledgement says which parts are here
  flow_->stall_wait =
      std::min(2 * flow_->stall_wait, std::max(shared_.settings.pto_max, loss_delay()));
  flow_->stall_check = now + flow_->stall_wait;
}

std::size_t peer::write_nack(time_point now, std::span<std::byte> out) noexcept {
  if (out.size() < wire::frame_bytes(ids_max * 4)) return 0;  // behind the next packet
  flow_->nack_due = false;
  std::array<std::uint32_t, ids_max> ids;
  std::size_t count = 0;
  const std::uint64_t first = flow_->window.floor();
  for (std::uint64_t id = first; id < first + ids_looked_at && count < ids_max; ++id)
    if (flow_->partials.stalled(id, now - loss_delay()))
      ids[count++] = static_cast<std::uint32_t>(id);
  if (count == 0) {
    // Something comes still: patience begins anew.
    flow_->stall_check = never;
    watch_stalls(now);
    return 0;
  }
  const std::size_t whole = wire::frame_bytes(count * 4);
  wire::store(out.data() + whole - 8, std::uint64_t{0});
  std::byte* p = wire::write_frame_head(out.data(), wire::frame_type::nack, 0, count * 4, 0);
  for (std::size_t i = 0; i < count; ++i) wire::store(p + 4 * i, ids[i]);
  ++shared_.counts.nacks_sent;
  return whole;
}

void peer::on_nack(time_point now, const wire::frame_view& frame) noexcept {
  // What is in flight is looked through: not more often than it can change.
  if (now < flow_->nack_heeded + loss_delay() / 2) return;
  flow_->nack_heeded = now;
  std::array<std::uint32_t, ids_max> ids;
  const std::size_t count = std::min(frame.body.size() / 4, ids_max);
  std::memcpy(ids.data(), frame.body.data(), count * 4);
  const auto named = [&](const sent_packet& p) {
    if (p.body == no_index || shared_.bodies[p.body].message_count > 0) return false;
    const auto id = static_cast<std::uint32_t>(shared_.bodies[p.body].first_id);
    return std::find(ids.begin(), ids.begin() + count, id) != ids.begin() + count;
  };
  flow_->sent.declare_lost(now - loss_delay(), named, [&](sent_packet& p) {
    ++shared_.counts.packets_nacked;
    on_lost(now, p);
  });
}

}  // namespace mdp::engine
