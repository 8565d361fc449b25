// Which data packets a peer takes. "Reserve, then acknowledge": a packet is recorded as received
// only if every frame in it was accepted or is irrelevant; one that is refused changes nothing
// (docs/protocol.md R-ACK-2).
#include "outcome_run.hpp"
#include "peer.hpp"

namespace mdp::engine {
namespace {

constexpr std::size_t outcomes_repeated_max = 1024;

}  // namespace

bool peer::admit_message(std::uint64_t id, std::uint64_t bytes, credit& reserved) noexcept {
  stats& s = shared_.counts;
  if (flow_->window.beyond(id)) {
    ++s.rejected_window;
    return false;
  }
  if (flow_->window.closed(id)) return true;
  if (bytes > shared_.settings.max_message_bytes) {
    ++s.rejected_too_large;
    return false;
  }
  credit more = reserved;
  more += {bytes, 1};
  if (!credit_.admits(more)) {
    ++s.rejected_flow_control;
    return false;
  }
  reserved = more;
  return true;
}

bool peer::admit_fragment(const wire::frame_view& frame, credit& reserved) noexcept {
  stats& s = shared_.counts;
  const std::uint64_t id = wire::expand(flow_->id_base, frame.id);
  const auto total = wire::load<std::uint32_t>(frame.body.data());
  if (!flow_->window.beyond(id) && flow_->window.closed(id)) return true;
  const bool known = flow_->partials.knows(id);
  const credit before = reserved;
  if (!known && !admit_message(id, total, reserved)) return false;
  switch (flow_->partials.reserve(shared_.buffers, id, total)) {
    case reassembler::verdict::known:
      return true;
    case reassembler::verdict::reserved:
      // Charged now, so that every message that was begun can be completed.
      reserved = before;
      credit_.on_accepted(total);
      return true;
    case reassembler::verdict::conflict:
      ++s.rejected_conflict;
      return false;
    case reassembler::verdict::no_memory:
      ++s.rejected_no_memory;
      return false;
  }
  return false;
}

bool peer::admit_abandons(const wire::frame_view& frame, credit& reserved) noexcept {
  const std::size_t entries = frame.body.size() / wire::abandon_entry_bytes;
  if (flow_->channels.skips() + entries > message_window::width) {
    ++shared_.counts.rejected_no_memory;
    return false;
  }
  for (std::size_t i = 0; i < entries; ++i) {
    const std::byte* at = frame.body.data() + i * wire::abandon_entry_bytes;
    const std::uint64_t id = wire::expand(flow_->id_base, wire::load<std::uint32_t>(at));
    if (flow_->window.beyond(id)) {
      ++shared_.counts.rejected_window;
      return false;
    }
    const bool charged = (wire::load<std::uint16_t>(at + 14) & wire::abandon_charged) != 0;
    if (!charged || flow_->window.closed(id) || flow_->partials.knows(id)) continue;
    if (!admit_message(id, wire::load<std::uint32_t>(at + 4), reserved)) return false;
  }
  return true;
}

bool peer::admit_whole(const wire::frame_view& frame, credit& reserved) noexcept {
  const std::uint64_t id = wire::expand(flow_->id_base, frame.id);
  if (!flow_->partials.knows(id)) return admit_message(id, frame.body.size(), reserved);
  // One that was cut into fragments on its way here is charged already.
  if (flow_->partials.total(id) == frame.body.size()) return true;
  ++shared_.counts.rejected_conflict;
  return false;
}

bool peer::admit_ack(const wire::frame_view& frame) noexcept {
  if (flow_->sent.ack_valid(frame.body)) return true;
  ++shared_.counts.rejected_bad_ack;
  return false;
}

// An OUTCOME names each message once; a few of them may repeat it. Whoever names them again and
// again wants us busy.
bool peer::admit_outcome(const wire::frame_view& frame, std::size_t& named) noexcept {
  const std::size_t named_max = 4 * flow_->queue.kept_messages() + outcomes_repeated_max;
  const std::uint64_t next = flow_->queue.next_id();
  for (std::size_t at = 0; at < frame.body.size(); at += 8) {
    const outcome_run run = outcome_at(frame, at);
    if (run.first < next && run.count <= next - run.first) {
      named += flow_->queue.messages_in(run.first, run.count);
      if (named <= named_max) continue;
    }
    ++shared_.counts.rejected_bad_outcome;
    return false;
  }
  return true;
}

bool peer::admit_frame(const wire::frame_view& frame, claims& all) noexcept {
  switch (frame.type) {
    case wire::frame_type::message:
      return admit_whole(frame, all.reserved);
    case wire::frame_type::fragment:
      return admit_fragment(frame, all.reserved);
    case wire::frame_type::abandon:
      return admit_abandons(frame, all.reserved);
    case wire::frame_type::ack:
      return admit_ack(frame);
    case wire::frame_type::outcome:
      return admit_outcome(frame, all.named);
    default:
      return true;  // the others say nothing that could be wrong, or can be ignored by itself
  }
}

bool peer::admit(std::span<const std::byte> frames) noexcept {
  wire::frame_reader reader(frames);
  wire::frame_view frame;
  claims all;
  while (reader.next(frame)) {
    if (admit_frame(frame, all)) continue;
    unreserve(frames);
    return false;
  }
  return true;
}

// A message of which nothing has come was begun by this very packet: an earlier one would have
// brought something of it.
void peer::unreserve(std::span<const std::byte> frames) noexcept {
  wire::frame_reader reader(frames);
  wire::frame_view frame;
  while (reader.next(frame)) {
    if (frame.type != wire::frame_type::fragment) continue;
    const std::uint64_t id = wire::expand(flow_->id_base, frame.id);
    if (flow_->partials.untouched(id)) credit_.on_refused(flow_->partials.drop(id));
  }
}

}  // namespace mdp::engine
