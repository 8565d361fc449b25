// Counts calls of the global operator new in this executable: include it in exactly one source.
#pragma once
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace mdp::test {
inline std::atomic<std::uint64_t> allocations{0};
[[nodiscard]] inline std::uint64_t allocation_count() {
  return allocations.load();
}
inline void* counted_allocation(std::size_t bytes, std::size_t alignment) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  void* p = alignment <= 16
                ? std::malloc(bytes)
                : std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (!p) throw std::bad_alloc();
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
  std::free(p);
}
void operator delete[](void* p) noexcept {
  std::free(p);
}
void operator delete(void* p, std::size_t) noexcept {
  std::free(p);
}
void operator delete[](void* p, std::size_t) noexcept {
  std::free(p);
}
void operator delete(void* p, std::align_val_t) noexcept {
  std::free(p);
}
void operator delete[](void* p, std::align_val_t) noexcept {
  std::free(p);
}
void operator delete(void* p, std::size_t, std::align_val_t) noexcept {
  std::free(p);
}
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept {
  std::free(p);
}
