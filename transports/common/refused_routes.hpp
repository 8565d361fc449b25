// Where trains were refused: those addresses get datagram after datagram, and a train as a trial
// now and then, since routes change. One address without offload costs the others nothing.
//
// Ownership: a plain value. Threading: as the transport that holds it. Errors: none; with more
// addresses than places the oldest is forgotten, which costs one refused call.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "mdp/base/endpoint_address.hpp"

namespace mdp::transport {

class refused_routes {
 public:
  static constexpr std::size_t routes_max = 16;
  // So seldom that the trials cost nothing, so often that a mended route is fast again soon.
  static constexpr std::uint32_t trains_between_trials = 1024;

  [[nodiscard]] bool contains(const endpoint_address& to) const noexcept {
    return std::any_of(routes_.begin(), routes_.begin() + used_,
                       [&](const route& r) { return r.to == to; });
  }
  // A train to `to` was refused.
  void add(const endpoint_address& to) noexcept {
    if (contains(to)) return;
    if (used_ < routes_max) {
      routes_[used_++] = {to, 0};
      return;
    }
    routes_[oldest_] = {to, 0};
    oldest_ = (oldest_ + 1) % routes_max;
  }
  // A train to `to` was sent datagram by datagram; after enough of them the next is a trial.
  void note_train(const endpoint_address& to) noexcept {
    for (std::size_t i = 0; i < used_; ++i) {
      if (routes_[i].to != to || ++routes_[i].trains < trains_between_trials) continue;
      routes_[i] = routes_[--used_];
      oldest_ = 0;
      return;
    }
  }

 private:
  struct route {
    endpoint_address to;
    std::uint32_t trains = 0;
  };
  std::array<route, routes_max> routes_{};
  std::size_t used_ = 0;
  std::size_t oldest_ = 0;
};

}  // namespace mdp::transport
