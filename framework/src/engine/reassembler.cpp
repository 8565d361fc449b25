#include "reassembler.hpp"

#include <algorithm>
#include <cstring>

namespace mdp::engine {
namespace {

constexpr std::uint32_t unit = wire::fragment_unit_bytes;

std::size_t units_of(std::uint32_t total) {
  return (std::size_t{total} + unit - 1) / unit;
}
std::size_t bitmap_offset(std::uint32_t total) {
  return units_of(total) * unit;
}

bool test_and_set(std::byte* bitmap, std::size_t bit) noexcept {
  const auto mask = static_cast<std::byte>(1u << (bit % 8));
  const bool was = (bitmap[bit / 8] & mask) != std::byte{0};
  bitmap[bit / 8] |= mask;
  return was;
}

}  // namespace

reassembler::verdict reassembler::reserve(message_buffers& buffers, std::uint64_t id,
                                          std::uint32_t total) {
  if (const partial* known = partials_.find(id))
    return known->total == total ? verdict::known : verdict::conflict;
  const std::size_t units = units_of(total);
  const std::size_t bitmap_bytes = (units + 7) / 8;
  buffer::slice memory = buffers.acquire(bitmap_offset(total) + bitmap_bytes);
  if (!memory) return verdict::no_memory;
  std::memset(memory.data() + bitmap_offset(total), 0, bitmap_bytes);
  partials_.insert(id, {std::move(memory), total, static_cast<std::uint32_t>(units), {}});
  return verdict::reserved;
}

bool reassembler::untouched(std::uint64_t id) noexcept {
  const partial* p = partials_.find(id);
  return p && p->units_left == units_of(p->total);
}

buffer::slice reassembler::add(std::uint64_t id, std::uint32_t offset,
                               std::span<const std::byte> data, time_point now) noexcept {
  partial* p = partials_.find(id);
  if (!p) return {};
  p->touched = now;
  std::byte* const message = p->memory.data();
  std::byte* const bitmap = message + bitmap_offset(p->total);
  for (std::size_t done = 0; done < data.size();) {
    // One run of units that are all new is one copy.
    std::size_t run = 0;
    while (done + run < data.size() && !test_and_set(bitmap, (offset + done + run) / unit)) {
      run += std::min<std::size_t>(unit, data.size() - done - run);
      --p->units_left;
    }
    if (run > 0) std::memcpy(message + offset + done, data.data() + done, run);
    done += run;
    if (done < data.size()) done += std::min<std::size_t>(unit, data.size() - done);
  }
  if (p->units_left > 0) return {};
  buffer::slice whole = p->memory.subslice(0, p->total);
  partials_.erase(id);
  return whole;
}

}  // namespace mdp::engine
