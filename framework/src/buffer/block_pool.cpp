#include "mdp/buffer/block_pool.hpp"

#include <cstring>
#include <new>

#include "mdp/base/assert.hpp"

namespace mdp::buffer {
namespace {
constexpr std::size_t alignment_bytes = 4096;
constexpr std::uint64_t index_mask = 0xffffffffu;
}  // namespace

block_pool::block_pool(const block_pool_options& options)
    : block_bytes_((options.block_bytes + 63) / 64 * 64),
      count_(options.block_count),
      shared_(options.shared),
      available_(options.block_count) {
  MDP_ASSERT(block_bytes_ > 0 && block_bytes_ <= index_mask);
  MDP_ASSERT(count_ > 0 && count_ < (std::size_t{1} << 31));
  const std::size_t bytes =
      (block_bytes_ * count_ + alignment_bytes - 1) / alignment_bytes * alignment_bytes;
  memory_.reset(static_cast<std::byte*>(std::aligned_alloc(alignment_bytes, bytes)));
  blocks_.reset(static_cast<block*>(std::malloc(count_ * sizeof(block))));
  if (!memory_ || !blocks_) throw std::bad_alloc();
  if (!options.prefault) return;
  std::memset(memory_.get(), 0, bytes);
  std::memset(static_cast<void*>(blocks_.get()), 0, count_ * sizeof(block));
}

std::size_t block_pool::available() const noexcept {
  return available_.load(std::memory_order_acquire);
}

block* block_pool::acquire() noexcept {
  std::uint64_t head = head_.load(std::memory_order_acquire);
  for (;;) {
    const auto position = static_cast<std::uint32_t>(head & index_mask);
    if (position == 0) return acquire_fresh();
    block& b = blocks_[position - 1];
    const std::uint64_t next = b.next_free.load(std::memory_order_relaxed);
    if (shared_ == sharing::one_thread) {
      head_.store(next, std::memory_order_relaxed);
      available_.store(available_.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
    } else {
      const std::uint64_t tagged = ((head >> 32) + 1) << 32 | next;
      if (!head_.compare_exchange_weak(head, tagged, std::memory_order_acq_rel,
                                       std::memory_order_acquire))
        continue;
      available_.fetch_sub(1, std::memory_order_relaxed);
    }
    b.refs.store(1, std::memory_order_relaxed);
    return &b;
  }
}

// Blocks enter the free list when they come back for the first time: what never was in use at once
// is never touched.
[[gnu::noinline]] block* block_pool::acquire_fresh() noexcept {
  std::uint32_t index = fresh_.load(std::memory_order_relaxed);
  do {
    if (index == count_) return nullptr;
  } while (!fresh_.compare_exchange_weak(index, index + 1, std::memory_order_relaxed));
  available_.fetch_sub(1, std::memory_order_relaxed);
  block& b = *std::construct_at(&blocks_[index]);
  b.data = memory_.get() + index * block_bytes_;
  b.owner = this;
  b.capacity = static_cast<std::uint32_t>(block_bytes_);
  b.index = index;
  b.refs.store(1, std::memory_order_relaxed);
  return &b;
}

void block_pool::push_free(block& b) noexcept {
  const std::uint64_t position = std::uint64_t{b.index} + 1;
  std::uint64_t head = head_.load(std::memory_order_relaxed);
  if (shared_ == sharing::one_thread) {
    b.next_free.store(static_cast<std::uint32_t>(head), std::memory_order_relaxed);
    head_.store(position, std::memory_order_relaxed);
    available_.store(available_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    return;
  }
  do {
    b.next_free.store(static_cast<std::uint32_t>(head & index_mask), std::memory_order_relaxed);
  } while (!head_.compare_exchange_weak(head, ((head >> 32) + 1) << 32 | position,
                                        std::memory_order_acq_rel, std::memory_order_relaxed));
  // The last that a release does to its pool: who then sees all blocks at home may destroy it.
  available_.fetch_add(1, std::memory_order_release);
}

}  // namespace mdp::buffer
