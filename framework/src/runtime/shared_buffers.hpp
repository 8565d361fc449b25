// Memory for payloads on their way between threads: size classes of powers of two, each made of
// block pools that are created on demand and kept. acquire() and the release of slices may come
// from any thread, without a lock once the working set has been seen. Bounded for each class, so
// one size never starves another; nothing is touched before it is used.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>

#include "mdp/buffer/slice.hpp"

namespace mdp::runtime {

class shared_buffers {
 public:
  explicit shared_buffers(std::uint64_t class_bytes_max) noexcept
      : class_bytes_max_(class_bytes_max) {}
  ~shared_buffers();
  shared_buffers(const shared_buffers&) = delete;
  shared_buffers& operator=(const shared_buffers&) = delete;

  // A contiguous slice of exactly `bytes`; no block when the bound (or the machine's memory) is
  // reached.
  [[nodiscard]] buffer::slice acquire(std::size_t bytes) noexcept;

 private:
  static constexpr unsigned log_min = 8;
  static constexpr std::size_t classes = 23;  // 256 B .. 1 GiB
  static constexpr std::size_t pools_max = 16;
  // Pools of one class, each twice the one before; the first null ends them.
  using pool_list = std::array<std::atomic<buffer::block_pool*>, pools_max>;

  [[nodiscard]] bool grow(pool_list& pools, std::size_t known, unsigned log) noexcept;

  std::uint64_t class_bytes_max_;
  std::array<pool_list, classes> classes_{};
  std::mutex growing_;
};

}  // namespace mdp::runtime
