#include "mdp/netsim/crossing.hpp"

#include <algorithm>
#include <cstring>
#include <tuple>

#include "mdp/base/assert.hpp"

namespace mdp::netsim {
namespace {

constexpr std::size_t store_blocks = 256;

bool later(const arrivals::entry& a, const arrivals::entry& b) noexcept {
  return std::tie(a.time, a.order, a.sequence) > std::tie(b.time, b.order, b.sequence);
}

}  // namespace

void outbox::add(const packet_slab& slab, std::uint32_t index, std::uint32_t link,
                 std::uint32_t order) {
  const packet& p = slab[index];
  crossing c{p, link, order};
  c.what.data.reset();
  c.what.gather = no_gather;
  c.what.next = no_packet;
  packets_.push_back(c);
  const auto append = [&](const buffer::slice& part) {
    bytes_.insert(bytes_.end(), part.data(), part.data() + part.size());
  };
  if (p.data) append(p.data);
  for (const buffer::slice& part : slab.more_parts(p)) append(part);
  earliest_ = std::min(earliest_, p.arrive);
}

buffer::slice payload_store::copy_of(const std::byte* data, std::uint32_t bytes) {
  MDP_ASSERT(bytes <= block_bytes_);
  buffer::block* b = pools_.empty() ? nullptr : pools_.back()->acquire();
  for (std::size_t i = 0; b == nullptr && i + 1 < pools_.size(); ++i) {
    b = pools_[i]->acquire();
    if (b != nullptr) std::swap(pools_[i], pools_.back());
  }
  if (b == nullptr) {
    pools_.push_back(std::make_unique<buffer::block_pool>(buffer::block_pool_options{
        .block_bytes = block_bytes_, .block_count = store_blocks, .prefault = false}));
    b = pools_.back()->acquire();
  }
  std::memcpy(b->data, data, bytes);
  return buffer::slice::adopt(*b, b->data, bytes);
}

void arrivals::push(entry e) {
  e.sequence = pushed_++;
  heap_.push_back(e);
  std::push_heap(heap_.begin(), heap_.end(), later);
}

arrivals::entry arrivals::pop() noexcept {
  std::pop_heap(heap_.begin(), heap_.end(), later);
  const entry first = heap_.back();
  heap_.pop_back();
  return first;
}

}  // namespace mdp::netsim
