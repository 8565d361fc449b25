// A reference-counted view of bytes: part of a block of a pool. Copying shares, moving transfers.
// Threading: as the pool's. An empty slice has no block.
#pragma once
#include <cstring>
#include <span>
#include <utility>

#include "mdp/buffer/block_pool.hpp"

namespace mdp::buffer {

class slice {
 public:
  slice() noexcept = default;
  // Takes over one reference that the caller holds on `owner`.
  static slice adopt(block& owner, std::byte* data, std::uint32_t size) noexcept {
    slice s;
    s.block_ = &owner;
    s.data_ = data;
    s.size_ = size;
    return s;
  }
  // Adds a reference.
  static slice share(block& owner, std::byte* data, std::uint32_t size) noexcept {
    owner.owner->add_refs(owner);
    return adopt(owner, data, size);
  }
  // A fresh block of `pool`, whole; empty when the pool is.
  static slice acquire(block_pool& pool) noexcept {
    block* b = pool.acquire();
    return b ? adopt(*b, b->data, b->capacity) : slice();
  }

  slice(const slice& other) noexcept
      : block_(other.block_), data_(other.data_), size_(other.size_) {
    if (block_) block_->owner->add_refs(*block_);
  }
  slice(slice&& other) noexcept
      : block_(std::exchange(other.block_, nullptr)),
        data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)) {}
  slice& operator=(slice other) noexcept {
    std::swap(block_, other.block_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~slice() { reset(); }

  void reset() noexcept {
    if (block_) block_->owner->release(*block_);
    block_ = nullptr;
    data_ = nullptr;
    size_ = 0;
  }

  [[nodiscard]] slice subslice(std::uint32_t offset, std::uint32_t size) const noexcept {
    return block_ ? share(*block_, data_ + offset, size) : slice();
  }
  [[nodiscard]] std::byte* data() const noexcept { return data_; }
  [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] explicit operator bool() const noexcept { return block_ != nullptr; }
  [[nodiscard]] block* owner() const noexcept { return block_; }
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {data_, size_}; }
  // True when nobody else holds the block: its bytes may be rewritten.
  [[nodiscard]] bool unique() const noexcept {
    return block_ && block_->refs.load(std::memory_order_acquire) == 1;
  }

 private:
  block* block_ = nullptr;
  std::byte* data_ = nullptr;
  std::uint32_t size_ = 0;
};

}  // namespace mdp::buffer
