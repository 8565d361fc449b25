// CRC32C (Castagnoli, reflected 0x82f63b78; RFC 9260 appendix A) with hardware instructions where
// the CPU has them. Not a security measure: it finds corruption and packets of other sessions.
#pragma once
#include <cstdint>
#include <span>

namespace mdp::wire {

// Continues from `crc` (0 to begin, or a session's seed): crc32c(crc32c(0, a), b) == crc32c(0, a +
// b).
[[nodiscard]] std::uint32_t crc32c(std::uint32_t crc, std::span<const std::byte> data) noexcept;

// The portable version, for tests and CPUs without the instruction.
[[nodiscard]] std::uint32_t crc32c_portable(std::uint32_t crc,
                                            std::span<const std::byte> data) noexcept;

}  // namespace mdp::wire
