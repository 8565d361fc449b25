#include "packet_timeline.hpp"

#include <algorithm>

#include "mdp/wire/packet.hpp"

namespace mdp::trace {
namespace {

using transport::packet_event;
using transport::packet_fate;

// What a link does with a packet that is offered to it.
bool offered(packet_fate fate) noexcept {
  return fate >= packet_fate::sent && fate <= packet_fate::closed;
}

}  // namespace

packet_timeline::packet_timeline(timeline_options options) : options_(std::move(options)) {
  packets_.reserve(options_.packets_max);
}

void packet_timeline::on_place(std::uint32_t number, std::string_view name) noexcept {
  place& p = places_[number];
  p.name = name;
  if (p.name == options_.node + "/up") p.kind = place_kind::first_link;
  if (p.name.find('/') == std::string::npos && p.name.find("->") == std::string::npos)
    p.kind = place_kind::node;
}

std::span<const std::byte> packet_timeline::flat(std::span<const std::byte> first,
                                                 std::span<const buffer::slice> rest) {
  if (rest.empty()) return first;
  joined_.assign(first.begin(), first.end());
  for (const buffer::slice& s : rest) {
    const auto bytes = s.bytes();
    joined_.insert(joined_.end(), bytes.begin(), bytes.end());
  }
  return joined_;
}

void packet_timeline::on_packet(const packet_event& event, std::span<const std::byte> first,
                                std::span<const buffer::slice> rest) noexcept {
  const auto at = places_.find(event.place);
  if (at == places_.end() || event.fate == packet_fate::wake_up) return;
  place& where = at->second;
  if (where.kind == place_kind::node) {
    if (event.to == to_ && to_name_.empty()) to_name_ = where.name;
    if (event.fate == packet_fate::delivered && event.from == to_ && event.to == node_)
      on_answer(event, flat(first, rest));
    return;
  }
  if (event.fate == packet_fate::sent || event.fate == packet_fate::queue_full)
    note_queue(where, event);
  if (where.kind == place_kind::first_link && to_ == nobody) {
    node_ = event.from;
    to_ = event.to;
  }
  if (event.from != node_ || event.to != to_) return;
  const std::span<const std::byte> packet = flat(first, rest);
  if (where.kind == place_kind::first_link && offered(event.fate)) on_sent(event, packet);
  if (event.fate == packet_fate::damaged ||
      (offered(event.fate) && event.fate != packet_fate::sent))
    on_harm(event, packet);
}

void packet_timeline::on_sent(const packet_event& event, std::span<const std::byte> packet) {
  traced_packet p{event.number, event.time_ns, -1, -1, event.bytes, packet_fate::sent, false};
  outstanding o{nowhere, {}};
  const auto header = wire::parse_header(packet);
  const bool data = header && header->type == wire::packet_type::data;
  if (header) p.number = header->number;
  if (data) {
    wire::frame_reader frames(packet.subspan(wire::header_bytes));
    for (wire::frame_view f; frames.next(f);) {
      if (f.type == wire::frame_type::message) o.holds.emplace_back(f.id, 0);
      if (f.type == wire::frame_type::fragment && f.body.size() >= 8)
        o.holds.emplace_back(f.id, wire::load<std::uint32_t>(f.body.data() + 4));
    }
    for (const content& c : o.holds) p.retransmission = !seen_.insert(c).second || p.retransmission;
  }
  ++totals_.sent;
  totals_.retransmissions += p.retransmission ? 1u : 0u;
  if (event.time_ns >= options_.from_ns && packets_.size() < options_.packets_max) {
    o.at = packets_.size();
    packets_.push_back(p);
  }
  if (!data) return;
  if (header->connection != connection_) outstanding_.clear();
  connection_ = header->connection;
  outstanding_[p.number] = std::move(o);
}

void packet_timeline::on_harm(const packet_event& event, std::span<const std::byte> packet) {
  ++(event.fate == packet_fate::damaged ? totals_.damaged : totals_.dropped);
  const auto header = wire::parse_header(packet);
  std::size_t at = packets_.empty() ? nowhere : packets_.size() - 1;
  if (header && header->type == wire::packet_type::data) {
    const auto found = outstanding_.find(header->number);
    at = found == outstanding_.end() ? nowhere : found->second.at;
  } else if (at != nowhere && packets_[at].sent_ns != event.time_ns) {
    at = nowhere;  // of a packet without a number of its own only the first link is known
  }
  if (at == nowhere) return;
  packets_[at].harmed_ns = event.time_ns;
  packets_[at].fate = event.fate;
}

void packet_timeline::on_answer(const packet_event& event, std::span<const std::byte> packet) {
  const auto header = wire::parse_header(packet);
  if (!header || header->type != wire::packet_type::data) return;
  wire::frame_reader frames(packet.subspan(wire::header_bytes));
  for (wire::frame_view f; frames.next(f);) {
    if (f.type != wire::frame_type::ack || f.body.size() < wire::ack_body_bytes_min) continue;
    std::uint64_t last = wire::load<std::uint64_t>(f.body.data());
    std::uint64_t below = wire::load<std::uint32_t>(f.body.data() + 8);
    for (std::size_t at = wire::ack_body_bytes_min;; at += 8) {
      if (below > last) break;
      confirm(last - below, last, event.time_ns);
      if (at + 8 > f.body.size()) break;
      const std::uint64_t missing = wire::load<std::uint32_t>(f.body.data() + at);
      const std::uint64_t run = wire::load<std::uint32_t>(f.body.data() + at + 4);
      if (last - below < missing + 1 || run == 0) break;
      last = last - below - missing - 1;
      below = run - 1;
    }
  }
}

void packet_timeline::confirm(std::uint64_t first, std::uint64_t last, std::int64_t now_ns) {
  for (auto o = outstanding_.lower_bound(first); o != outstanding_.end() && o->first <= last;
       o = outstanding_.erase(o)) {
    ++totals_.confirmed;
    for (const content& c : o->second.holds) seen_.erase(c);
    if (o->second.at != nowhere) packets_[o->second.at].confirmed_ns = now_ns;
  }
}

void packet_timeline::note_queue(place& at, const packet_event& event) {
  const auto interval = static_cast<std::size_t>(event.time_ns / options_.interval_ns);
  if (interval >= options_.intervals_max) return;
  if (interval >= at.most.size()) at.most.resize(interval + 1, -1);
  at.most[interval] = std::max(at.most[interval], static_cast<std::int64_t>(event.queued));
}

std::vector<queue_series> packet_timeline::queues() const {
  std::vector<queue_series> out;
  for (const auto& [number, p] : places_)
    if (!p.most.empty()) out.push_back({p.name, p.most});
  return out;
}

}  // namespace mdp::trace
