// From addresses to numbers: open addressing, linear probing, backward-shift deletion, a keyed hash
// (strangers choose addresses). One address may be there with several numbers. Allocates only to
// grow; its owner bounds it.
#pragma once
#include <cstdint>
#include <vector>

#include "mdp/base/endpoint_address.hpp"
#include "mdp/base/siphash.hpp"

namespace mdp::engine {

// A keyed hash of an address: equal for equal addresses, whatever the padding of the struct.
[[nodiscard]] std::uint64_t hash_of(const siphash_key& key, const endpoint_address& a) noexcept;

class address_map {
 public:
  static constexpr std::uint32_t absent = 0xffffffffu;

  explicit address_map(const siphash_key& key) noexcept : key_(key) {}
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  // A number kept for `address`, or `absent`.
  [[nodiscard]] std::uint32_t find(const endpoint_address& address) const noexcept;
  // The first number kept for `address` that suits(number), or `absent`.
  template <class Suits>
  [[nodiscard]] std::uint32_t find_if(const endpoint_address& address, Suits&& suits) const {
    if (size_ == 0) return absent;
    for (std::size_t i = home(address); entries_[i].value != absent; i = (i + 1) & mask())
      if (entries_[i].address == address && suits(entries_[i].value)) return entries_[i].value;
    return absent;
  }
  // `value` is not `absent`.
  void insert(const endpoint_address& address, std::uint32_t value);
  // Takes away this pair, if it is there.
  void erase(const endpoint_address& address, std::uint32_t value) noexcept;

 private:
  struct entry {
    endpoint_address address;
    std::uint32_t value = absent;
  };
  [[nodiscard]] std::size_t mask() const noexcept { return entries_.size() - 1; }
  [[nodiscard]] std::size_t home(const endpoint_address& a) const noexcept {
    return static_cast<std::size_t>(hash_of(key_, a)) & mask();
  }
  void place(const entry& e) noexcept;

  siphash_key key_;
  std::vector<entry> entries_;
  std::size_t size_ = 0;
};

}  // namespace mdp::engine
