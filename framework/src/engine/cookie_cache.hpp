// Cookies of peers that were forgotten, for the day that they are connected to again: a fixed
// number, where a newer one takes the place of an older. One owner, no threads; allocates once.
#pragma once
#include <cstdint>
#include <vector>

#include "address_map.hpp"

namespace mdp::engine {

class cookie_cache {
 public:
  static constexpr std::size_t places = 256;

  explicit cookie_cache(const siphash_key& key) noexcept : key_(key) {}
  void remember(const endpoint_address& peer, std::uint64_t cookie) {
    if (cookie == 0) return;
    if (entries_.empty()) entries_.resize(places);
    entries_[place_of(peer)] = {peer, cookie};
  }
  // 0: none is known.
  [[nodiscard]] std::uint64_t find(const endpoint_address& peer) const noexcept {
    if (entries_.empty()) return 0;
    const entry& e = entries_[place_of(peer)];
    return e.address == peer ? e.cookie : 0;
  }

 private:
  struct entry {
    endpoint_address address;
    std::uint64_t cookie = 0;
  };
  [[nodiscard]] std::size_t place_of(const endpoint_address& a) const noexcept {
    return static_cast<std::size_t>(hash_of(key_, a) % places);
  }

  siphash_key key_;
  std::vector<entry> entries_;
};

}  // namespace mdp::engine
