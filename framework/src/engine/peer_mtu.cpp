// A peer's path MTU discovery: sends the probes, tells path_mtu what became of packets, and follows
// its decisions.
#include <algorithm>
#include <cstring>

#include "peer.hpp"

namespace mdp::engine {
namespace {

constexpr duration probe_timer_min = std::chrono::seconds(1);  // PROBE_TIMER (RFC 8899 5.1.1)

}  // namespace

void peer::start_path_mtu() noexcept {
  const config& c = shared_.settings;
  mtu_.start(c.min_packet_bytes, std::min(c.max_packet_bytes, shake.theirs.packet_bytes),
             c.pmtu_discovery, c.pmtu_raise);
  follow_path_mtu();
}

void peer::follow_path_mtu() noexcept {
  packet_bytes_ = mtu_.packet_bytes();
  if (!flow_) return;
  flow_->queue.set_body_bytes(body_bytes_of(packet_bytes_));
  flow_->regulator.set_packet_bytes(packet_bytes_);
}

std::uint32_t peer::mtu_probe_due() const noexcept {
  // Whoever sends no messages needs no larger packets.
  return state_ == peer_state::established && sends_messages() ? mtu_.probe_wanted() : 0;
}

bool peer::send_mtu_probe(time_point now, train_builder& train) noexcept {
  buffer::slice block = buffer::slice::acquire(shared_.control_blocks);
  if (!block) return false;
  const std::uint32_t bytes = mtu_.probe_wanted();
  std::byte* const ping = block.data() + wire::header_bytes;
  wire::write_frame_head(ping, wire::frame_type::ping, 0, 0, 0);
  std::byte* const pad = ping + wire::frame_head_bytes;
  const std::size_t pad_bytes = bytes - wire::header_bytes - 2 * wire::frame_head_bytes;
  wire::write_frame_head(pad, wire::frame_type::pad, 0, pad_bytes, 0);
  std::memset(pad + wire::frame_head_bytes, 0, pad_bytes);
  sent_packet
      record;  // not ack-eliciting to us: it counts for no window, no loss, no probe timeout
  record.mtu_probe = true;
  const config& c = shared_.settings;
  mtu_.on_probe_sent(now +
                     std::max(probe_timer_min, 2 * rtt_.probe_timeout(c.granularity, ack_delay())));
  ++shared_.counts.mtu_probes_sent;
  finish_packet(now, {block.subslice(0, bytes)}, wire::flag_ack_now, record, train);
  return true;
}

void peer::on_mtu_probe_acked(time_point now, const sent_packet& packet) noexcept {
  if (mtu_.on_probe_acked(now, packet.bytes)) follow_path_mtu();
}

void peer::end_mtu_round(time_point now) noexcept {
  if (!mtu_.end_of_round(now)) return;
  ++shared_.counts.mtu_black_holes;
  follow_path_mtu();
}

bool peer::cut_to_path_mtu(std::uint32_t index) noexcept {
  const packet_body& body = shared_.bodies[index];
  while (wire::header_bytes + body.length > packet_bytes_) {
    buffer::slice spare = buffer::slice::acquire(shared_.blocks);
    // The queue may hold every block: without one from elsewhere it could never be cut. Half of
    // them stay for control.
    if (!spare && shared_.control_blocks.available() * 2 > shared_.control_blocks.block_count())
      spare = buffer::slice::acquire(shared_.control_blocks);
    if (!spare || !flow_->queue.split(index, std::move(spare))) return false;
    ++shared_.counts.packets_split;
  }
  return true;
}

}  // namespace mdp::engine
