// Blocks of one size, preallocated, reference-counted, handed out from a free list.
//
// Ownership: a pool owns the memory; whoever holds a `slice` (or has called add_refs) keeps its
// block from being reused. The pool must outlive every slice of its blocks. Threading:
// `sharing::one_thread` uses plain loads and stores; `sharing::many_threads` lets blocks be
// acquired and released on any thread (lock-free). Neither allocates after construction. Without
// `prefault` a pool takes no more memory than the blocks that were ever in use at once.
// Errors: an empty pool gives an empty slice; that is backpressure, never an exception.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>

namespace mdp::buffer {

// Room in front of a payload for the 24-byte packet header, so payloads stay 8-byte aligned.
inline constexpr std::size_t headroom_bytes = 24;

class block_pool;

// The head of one block; its bytes lie elsewhere, aligned to 64.
struct block {
  std::byte* data = nullptr;
  block_pool* owner = nullptr;
  std::uint32_t capacity = 0;
  std::uint32_t index = 0;  // position in the pool: stable, < block_count
  std::atomic<std::uint32_t> refs{0};
  std::atomic<std::uint32_t> next_free{0};
};

enum class sharing : std::uint8_t { one_thread, many_threads };

struct block_pool_options {
  std::size_t block_bytes = 2048;  // capacity of each block; rounded up to a multiple of 64
  std::size_t block_count = 1024;  // 1 .. 2^31
  sharing shared = sharing::one_thread;
  bool prefault = true;  // touch every page at construction, so that no use of a block is the first
};

class block_pool {
 public:
  explicit block_pool(const block_pool_options& options);
  block_pool(const block_pool&) = delete;
  block_pool& operator=(const block_pool&) = delete;

  // A block with one reference, or nullptr when the pool is empty.
  [[nodiscard]] block* acquire() noexcept;
  void add_refs(block& b, std::uint32_t count = 1) noexcept;
  // Gives `count` references back; the last one returns the block to the free list.
  void release(block& b, std::uint32_t count = 1) noexcept;

  [[nodiscard]] std::size_t block_bytes() const noexcept { return block_bytes_; }
  [[nodiscard]] std::size_t block_count() const noexcept { return count_; }
  // Exact on one thread; a snapshot otherwise.
  [[nodiscard]] std::size_t available() const noexcept;
  // A block that has been acquired before, by its index.
  [[nodiscard]] block& at(std::size_t index) noexcept { return blocks_[index]; }
  // All memory of the pool, for transports that register it once.
  [[nodiscard]] std::span<std::byte> memory() noexcept {
    return {memory_.get(), block_bytes_ * count_};
  }

 private:
  struct free_memory {
    void operator()(void* memory) const noexcept { std::free(memory); }
  };
  [[nodiscard]] block* acquire_fresh() noexcept;
  void push_free(block& b) noexcept;

  std::size_t block_bytes_;
  std::size_t count_;
  sharing shared_;
  std::unique_ptr<std::byte[], free_memory> memory_;
  std::unique_ptr<block[], free_memory> blocks_;  // those below fresh_ are constructed
  std::atomic<std::uint32_t> fresh_{0};           // from here on none was ever acquired
  std::atomic<std::uint64_t> head_{0};  // tag << 32 | index + 1 (0: empty); the tag defeats ABA
  std::atomic<std::size_t> available_{0};
};

inline void block_pool::add_refs(block& b, std::uint32_t count) noexcept {
  if (shared_ == sharing::one_thread) {
    b.refs.store(b.refs.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
  } else {
    b.refs.fetch_add(count, std::memory_order_relaxed);
  }
}

inline void block_pool::release(block& b, std::uint32_t count) noexcept {
  if (shared_ == sharing::one_thread) {
    const std::uint32_t left = b.refs.load(std::memory_order_relaxed) - count;
    b.refs.store(left, std::memory_order_relaxed);
    if (left == 0) push_free(b);
  } else if (b.refs.fetch_sub(count, std::memory_order_acq_rel) == count) {
    push_free(b);
  }
}

}  // namespace mdp::buffer
