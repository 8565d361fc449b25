#include "mdp/netsim/codel.hpp"

#include <bit>

#include "mdp/base/random.hpp"

namespace mdp::netsim {
namespace {

constexpr std::uint64_t packet_bytes_max = 1514;  // a queue of no more needs no control

std::uint64_t square_root(std::uint64_t n) noexcept {
  std::uint64_t root = 0;
  for (std::uint64_t bit = std::uint64_t{1} << 31; bit > 0; bit >>= 1) {
    const std::uint64_t trial = root | bit;
    if (trial * trial <= n) root = trial;
  }
  return root;
}

}  // namespace

std::int64_t codel_next(std::int64_t time, std::int64_t interval_ns, std::uint32_t count) noexcept {
  const auto interval = static_cast<std::uint64_t>(interval_ns);
  return time + static_cast<std::int64_t>(square_root(interval * interval / count));
}

bool set_congestion_mark(packet& p) noexcept {
  if (p.codepoint != buffer::ecn::ect0 && p.codepoint != buffer::ecn::ect1) return false;
  p.codepoint = buffer::ecn::ce;
  return true;
}

void codel::fifo::push(packet_slab& slab, std::uint32_t index) noexcept {
  slab[index].next = no_packet;
  if (head == no_packet) {
    head = index;
  } else {
    slab[tail].next = index;
  }
  tail = index;
  ++packets;
  bytes += slab[index].bytes;
}

std::uint32_t codel::fifo::pop(packet_slab& slab) noexcept {
  const std::uint32_t index = head;
  if (index == no_packet) return index;
  head = slab[index].next;
  --packets;
  bytes -= slab[index].bytes;
  return index;
}

// RFC 8289: dodequeue.
codel::head codel::next(std::int64_t now, const queue_spec& spec, packet_slab& slab) noexcept {
  head h{waiting.pop(slab)};
  if (h.index == no_packet) {
    first_above_ = 0;
    return h;
  }
  const std::int64_t sojourn = now - slab[h.index].depart;
  if (sojourn < spec.target_ns || waiting.bytes <= packet_bytes_max) {
    first_above_ = 0;
  } else if (first_above_ == 0) {
    first_above_ = now + spec.interval_ns;
  } else {
    h.may_drop = now >= first_above_;
  }
  return h;
}

// RFC 8289: deque; a packet that can be marked is marked and leaves.
std::uint32_t codel::take(std::int64_t now, const queue_spec& spec, packet_slab& slab,
                          std::vector<std::uint32_t>& dropped) {
  head h = next(now, spec, slab);
  const auto marks = [&] {
    const bool marked = spec.ecn && set_congestion_mark(slab[h.index]);
    if (marked) ++marked_;
    return marked;
  };
  if (dropping_) {
    if (!h.may_drop) dropping_ = false;
    while (dropping_ && now >= drop_next_) {
      ++count_;
      if (marks()) {
        drop_next_ = codel_next(drop_next_, spec.interval_ns, count_);
        return h.index;
      }
      dropped.push_back(h.index);
      h = next(now, spec, slab);
      if (!h.may_drop) {
        dropping_ = false;
      } else {
        drop_next_ = codel_next(drop_next_, spec.interval_ns, count_);
      }
    }
  } else if (h.may_drop) {
    if (!marks()) {
      dropped.push_back(h.index);
      h = next(now, spec, slab);
    }
    dropping_ = true;
    // It went on until lately: from the rate that held then.
    const std::uint32_t delta = count_ - last_count_;
    count_ = delta > 1 && now - drop_next_ < 16 * spec.interval_ns ? delta : 1;
    drop_next_ = codel_next(now, spec.interval_ns, count_);
    last_count_ = count_;
  }
  return h.index;
}

managed_queue::managed_queue(const queue_spec& spec, std::uint64_t salt)
    : spec_(spec), salt_(salt), flows_(spec.kind == discipline::fq_codel ? spec.flows : 1) {}

void managed_queue::push(std::int64_t now, std::uint32_t index, packet_slab& slab) {
  packet& p = slab[index];
  p.depart = now;
  const std::uint64_t pair = std::uint64_t{p.from} << 32 | p.to;
  const auto place = static_cast<std::uint32_t>(splitmix64(pair ^ salt_) % flows_.size());
  flow& f = flows_[place];
  f.queue.waiting.push(slab, index);
  ++packets_;
  bytes_ += p.bytes;
  if (f.active) return;
  f.active = true;
  f.deficit = spec_.quantum_bytes;
  fresh_.push_back(place);
}

void managed_queue::account(packet_slab& slab, std::uint32_t index) noexcept {
  --packets_;
  bytes_ -= slab[index].bytes;
}

// RFC 8290, section 4.2.
std::uint32_t managed_queue::take(std::int64_t now, packet_slab& slab,
                                  std::vector<std::uint32_t>& dropped) {
  const std::size_t known = dropped.size();
  std::uint32_t taken = no_packet;
  while (taken == no_packet && !(fresh_.empty() && old_.empty())) {
    const bool fresh = !fresh_.empty();
    std::deque<std::uint32_t>& list = fresh ? fresh_ : old_;
    const std::uint32_t place = list.front();
    flow& f = flows_[place];
    if (f.deficit <= 0) {
      f.deficit += spec_.quantum_bytes;
      list.pop_front();
      old_.push_back(place);
      continue;
    }
    const std::uint64_t before = f.queue.marked();
    taken = f.queue.take(now, spec_, slab, dropped);
    marked_ += f.queue.marked() - before;
    if (taken != no_packet) {
      f.deficit -= static_cast<std::int64_t>(slab[taken].bytes);
      continue;
    }
    // An empty flow that is new waits behind the old ones once, so that it cannot jump ahead again
    // and again.
    list.pop_front();
    if (fresh && !old_.empty()) {
      old_.push_back(place);
    } else {
      f.active = false;
    }
  }
  for (std::size_t i = known; i < dropped.size(); ++i) account(slab, dropped[i]);
  if (taken != no_packet) account(slab, taken);
  return taken;
}

std::uint32_t managed_queue::evict(packet_slab& slab) noexcept {
  flow* longest = &flows_.front();
  for (flow& f : flows_)
    if (f.queue.waiting.bytes > longest->queue.waiting.bytes) longest = &f;
  const std::uint32_t index = longest->queue.waiting.pop(slab);
  if (index != no_packet) account(slab, index);
  return index;
}

}  // namespace mdp::netsim
