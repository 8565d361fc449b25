// Memory for reassembled messages: size classes of powers of two, each made of block pools that are
// created on demand and kept until another size needs their bytes. Bounded in total; nothing is
// allocated once the working set has been seen.
#pragma once
#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <new>
#include <vector>

#include "mdp/buffer/slice.hpp"

namespace mdp::engine {

class message_buffers {
 public:
  message_buffers(std::uint64_t bytes_max, buffer::sharing shared) noexcept
      : bytes_max_(bytes_max), shared_(shared) {}

  // A contiguous buffer of at least `bytes`, or an empty slice when the bound is reached.
  [[nodiscard]] buffer::slice acquire(std::size_t bytes) {
    const auto log = static_cast<unsigned>(std::bit_width(std::max<std::size_t>(bytes, 2048) - 1));
    if (log - log_min >= classes_.size()) return {};
    auto& pools = classes_[log - log_min];
    for (std::size_t i = pools.size(); i-- > 0;)
      if (auto s = buffer::slice::acquire(*pools[i])) return s;
    if (grow(pools, log)) return buffer::slice::acquire(*pools.back());
    // Memory that messages of another size have left idle must not starve this one.
    give_back_idle();
    if (!grow(pools, log)) return {};
    return buffer::slice::acquire(*pools.back());
  }
  [[nodiscard]] std::uint64_t bytes_used() const noexcept { return bytes_used_; }

 private:
  using pool_list = std::vector<std::unique_ptr<buffer::block_pool>>;

  bool grow(pool_list& pools, unsigned log) {
    const std::uint64_t block = std::uint64_t{1} << log;
    const std::uint64_t wanted =
        std::max<std::uint64_t>(1, std::min<std::uint64_t>(64, (1u << 20) >> log));
    // A pool takes an eighth of all at most: one class cannot take everything at a stroke.
    const std::uint64_t most = std::max<std::uint64_t>(1, bytes_max_ / 8 / block);
    const std::uint64_t fits = (bytes_max_ - bytes_used_) / block;
    const std::uint64_t count =
        std::min({wanted << std::min<std::size_t>(pools.size(), 5), most, fits});
    if (count == 0) return false;
    try {
      pools.push_back(std::make_unique<buffer::block_pool>(buffer::block_pool_options{
          static_cast<std::size_t>(block), static_cast<std::size_t>(count), shared_, false}));
    } catch (const std::bad_alloc&) {
      return false;  // the machine's memory is a bound like ours
    }
    bytes_used_ += count * block;
    return true;
  }
  void give_back_idle() {
    for (pool_list& pools : classes_)
      std::erase_if(pools, [this](const auto& pool) {
        if (pool->available() != pool->block_count()) return false;
        bytes_used_ -= pool->block_count() * pool->block_bytes();
        return true;
      });
  }

  static constexpr unsigned log_min = 11;
  std::uint64_t bytes_max_;
  std::uint64_t bytes_used_ = 0;
  buffer::sharing shared_;
  std::array<pool_list, 21> classes_;  // 2 KiB .. 2 GiB
};

}  // namespace mdp::engine
