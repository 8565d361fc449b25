// Payloads that tell which message they belong to.
#pragma once
#include <algorithm>
#include <cstring>
#include <string>

#include "mdp/base/random.hpp"

namespace mdp::test {

// The payload of the message with this serial: 8 bytes of the serial, then bytes drawn from it.
inline std::string payload_of(std::uint64_t serial, std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t at = 0; at < size; at += 8) {
    const std::uint64_t word = at == 0 ? serial : splitmix64(serial + at);
    std::memcpy(text.data() + at, &word, std::min<std::size_t>(8, size - at));
  }
  return text;
}

}  // namespace mdp::test
