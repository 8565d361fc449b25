// Counts calls of the global operator new in this executable, and the bytes that are held: include
// it in exactly one source.
#pragma once
#include <malloc.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace mdp::test {
inline std::atomic<std::uint64_t> allocations{0};
[[nodiscard]] inline std::uint64_t allocation_count() {
  return allocations.load();
}
// Bytes that the heap has set aside for what is not deleted yet.
inline std::atomic<std::uint64_t> bytes_held{0};
[[nodiscard]] inline std::uint64_t allocated_bytes() {
  return bytes_held.load();
}
inline void free_counted(void* p) noexcept {
  bytes_held.fetch_sub(malloc_usable_size(p), std::memory_order_relaxed);
  std::free(p);
}
inline void* counted_allocation(std::size_t bytes, std::size_t alignment) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  void* p = alignment <= 16
                ? std::malloc(bytes)
                : std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (!p) throw std::bad_alloc();
  bytes_held.fetch_add(malloc_usable_size(p), std::memory_order_relaxed);
  return p;
}
}  // namespace mdp::test

void* operator new(std::size_t bytes) {
  return mdp::test::counted_allocation(bytes, 1);
}
void* operator new[](std::size_t bytes) {
  return mdp::test::counted_allocation(bytes, 1);
}
void* operator new(std::size_t bytes, std::align_val_t a) {
  return mdp::test::counted_allocation(bytes, static_cast<std::size_t>(a));
}
void* operator new[](std::size_t bytes, std::align_val_t a) {
  return mdp::test::counted_allocation(bytes, static_cast<std::size_t>(a));
}
void operator delete(void* p) noexcept {
  mdp::test::free_counted(p);
}
void operator delete[](void* p) noexcept {
  mdp::test::free_counted(p);
}
void operator delete(void* p, std::size_t) noexcept {
  mdp::test::free_counted(p);
}
void operator delete[](void* p, std::size_t) noexcept {
  mdp::test::free_counted(p);
}
void operator delete(void* p, std::align_val_t) noexcept {
  mdp::test::free_counted(p);
}
void operator delete[](void* p, std::align_val_t) noexcept {
  mdp::test::free_counted(p);
}
void operator delete(void* p, std::size_t, std::align_val_t) noexcept {
  mdp::test::free_counted(p);
}
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept {
  mdp::test::free_counted(p);
}
