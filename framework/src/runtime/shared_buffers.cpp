#include "shared_buffers.hpp"

#include <algorithm>
#include <bit>
#include <new>

namespace mdp::runtime {
namespace {

constexpr std::uint64_t first_pool_bytes = 64 << 10;

}  // namespace

shared_buffers::~shared_buffers() {
  for (pool_list& pools : classes_)
    for (auto& pool : pools) delete pool.load(std::memory_order_relaxed);
}

buffer::slice shared_buffers::acquire(std::size_t bytes) noexcept {
  const auto log = static_cast<unsigned>(
      std::bit_width(std::max<std::size_t>(bytes, std::size_t{1} << log_min) - 1));
  if (log - log_min >= classes) return {};
  pool_list& pools = classes_[log - log_min];
  for (std::size_t i = 0; i < pools_max; ++i) {
    buffer::block_pool* pool = pools[i].load(std::memory_order_acquire);
    if (!pool && !grow(pools, i, log)) return {};
    if (!pool) pool = pools[i].load(std::memory_order_acquire);
    if (buffer::block* block = pool->acquire())
      return buffer::slice::adopt(*block, block->data, static_cast<std::uint32_t>(bytes));
  }
  return {};
}

// True: pool number `known` is there, by us or by another thread.
bool shared_buffers::grow(pool_list& pools, std::size_t known, unsigned log) noexcept {
  const std::lock_guard lock(growing_);
  if (pools[known].load(std::memory_order_relaxed)) return true;
  const std::uint64_t block = std::uint64_t{1} << log;
  std::uint64_t used = 0;
  for (std::size_t i = 0; i < known; ++i) {
    const buffer::block_pool* pool = pools[i].load(std::memory_order_relaxed);
    used += pool->block_bytes() * pool->block_count();
  }
  const std::uint64_t wanted = std::max(first_pool_bytes << known, block) / block;
  // One of any size can always go.
  const std::uint64_t fits = used == 0
                                 ? std::max<std::uint64_t>(class_bytes_max_ / block, 1)
                                 : (class_bytes_max_ - std::min(used, class_bytes_max_)) / block;
  const std::uint64_t count = std::min(wanted, fits);
  if (count == 0) return false;
  try {
    pools[known].store(
        new buffer::block_pool({static_cast<std::size_t>(block), static_cast<std::size_t>(count),
                                buffer::sharing::many_threads, false}),
        std::memory_order_release);
  } catch (const std::bad_alloc&) {
    return false;
  }
  return true;
}

}  // namespace mdp::runtime
