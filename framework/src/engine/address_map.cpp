#include "address_map.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace mdp::engine {

std::uint64_t hash_of(const siphash_key& key, const endpoint_address& a) noexcept {
  std::array<std::uint8_t, 24> bytes{};
  std::copy(a.ip.begin(), a.ip.end(), bytes.begin());
  std::memcpy(bytes.data() + 16, &a.scope_id, 4);
  std::memcpy(bytes.data() + 20, &a.port, 2);
  bytes[22] = static_cast<std::uint8_t>(a.family);
  bytes[23] = a.local;
  return siphash(key, bytes);
}

std::uint32_t address_map::find(const endpoint_address& address) const noexcept {
  return find_if(address, [](std::uint32_t) { return true; });
}

void address_map::place(const entry& e) noexcept {
  std::size_t i = home(e.address);
  while (entries_[i].value != absent) i = (i + 1) & mask();
  entries_[i] = e;
}

void address_map::insert(const endpoint_address& address, std::uint32_t value) {
  if ((size_ + 1) * 2 > entries_.size()) {
    std::vector<entry> old(entries_.empty() ? 16 : entries_.size() * 2);
    old.swap(entries_);
    for (const entry& e : old)
      if (e.value != absent) place(e);
  }
  place({address, value});
  ++size_;
}

void address_map::erase(const endpoint_address& address, std::uint32_t value) noexcept {
  if (size_ == 0) return;
  std::size_t i = home(address);
  while (entries_[i].value != absent &&
         (entries_[i].value != value || !(entries_[i].address == address)))
    i = (i + 1) & mask();
  if (entries_[i].value == absent) return;
  for (std::size_t j = i;;) {  // backward-shift deletion keeps probe chains whole
    j = (j + 1) & mask();
    if (entries_[j].value == absent) break;
    if (((j - home(entries_[j].address)) & mask()) < ((j - i) & mask())) continue;
    entries_[i] = entries_[j];
    i = j;
  }
  entries_[i].value = absent;
  --size_;
}

}  // namespace mdp::engine
