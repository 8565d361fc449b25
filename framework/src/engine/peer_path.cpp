// How a peer's change of address is noticed, proven and taken up. Members of `peer`.
// Rules: docs/protocol.md R-PATH-*.
#include "peer.hpp"

namespace mdp::engine {
namespace {

constexpr std::size_t path_packet_bytes = wire::header_bytes + wire::frame_bytes(8);

}  // namespace

void peer::note_source(const endpoint_address& from, const wire::packet_header& header) noexcept {
  const bool newest = header.number >= newest_;
  if (newest) newest_ = header.number + 1;
  if (from == address_) {
    // The newest packet is from where the peer always was: whatever came from elsewhere is older.
    if (newest && path_ && path_->validating()) path_->end();
    return;
  }
  if (path_ && path_->validating() && path_->candidate() == from) {
    path_->on_received(header.length);
  } else if (newest) {
    if (!path_) path_ = std::make_unique<path_validator>();
    path_->begin(from, shared_.random.next(), header.length,
                 rtt_.probe_timeout(shared_.settings.granularity, ack_delay()));
  }
}

void peer::on_path_challenge(const endpoint_address& from, const wire::frame_view& frame) noexcept {
  if (!path_) path_ = std::make_unique<path_validator>();
  path_->owe_response(from, wire::load<std::uint64_t>(frame.body.data()));
}

void peer::on_path_response(const wire::frame_view& frame) noexcept {
  if (!path_ || !path_->answered_by(wire::load<std::uint64_t>(frame.body.data()))) {
    ++shared_.counts.rejected_path;
    return;
  }
  path_->on_validated();
}

endpoint_address peer::take_validated() noexcept {
  if (!path_ || !path_->validated()) return {};
  const endpoint_address address = path_->candidate();
  path_->end();
  return address;
}

void peer::move_to(const endpoint_address& address) noexcept {
  // What was learnt about the old path holds only if nothing but the port changed (RFC 9000 9.4).
  if (address.ip != address_.ip || address.scope_id != address_.scope_id) {
    rtt_ = rtt_estimator(shared_.settings.initial_rtt);
    start_path_mtu();
    if (flow_) flow_->regulator = new_regulator();
  }
  address_ = address;
}

bool peer::path_due() const noexcept {
  return path_ && (path_->response_due() || path_->challenge_due(path_packet_bytes));
}

bool peer::send_path_frames(time_point now, buffer::tx_batch& batch) noexcept {
  if (path_->response_due()) {
    if (!send_path_frame(now, batch, wire::frame_type::path_response, path_->respond_to(),
                         path_->response()))
      return false;
    path_->on_response_sent();
  }
  if (path_->challenge_due(path_packet_bytes)) {
    if (!send_path_frame(now, batch, wire::frame_type::path_challenge, path_->candidate(),
                         path_->challenge()))
      return false;
    path_->on_challenge_sent(now, path_packet_bytes);
  }
  return true;
}

bool peer::send_path_frame(time_point now, buffer::tx_batch& batch, wire::frame_type type,
                           const endpoint_address& to, std::uint64_t data) noexcept {
  train_builder train(batch, to, shared_, buffer::ecn::not_ect);
  if (train.full()) return false;
  buffer::slice block = buffer::slice::acquire(shared_.control_blocks);
  if (!block) {
    resume_ = now + shared_.settings.granularity;
    return false;
  }
  wire::store(wire::write_frame_head(block.data() + wire::header_bytes, type, 0, 8, 0), data);
  sent_packet record;
  finish_packet(now, {block.subslice(0, path_packet_bytes)}, 0, record, train);
  return true;
}

}  // namespace mdp::engine
