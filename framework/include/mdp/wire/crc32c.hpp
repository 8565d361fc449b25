// CRC32C (Castagnoli, reflected 0x82f63b78; RFC 9260 appendix A) with hardware instructions where
// the CPU has them. Not a security measure: it finds corruption and packets of other sessions.
#pragma once
#include <cstdint>
#include <span>

namespace mdp::wire {

// Continues from `crc` (0 to begin, or a session's seed): crc32c(crc32c(0, a), b) == crc32c(0, a +
// b).
[[nodiscard]] std::uint32_t crc32c(std::uint32_t crc, std::span<const std::byte> data) noexcept;

// What crc32c() chooses from, best last; for tests, and for CPUs that lack instructions: a table,
// the crc32 instruction of SSE 4.2 (the table without it), carry-less multiplication of AVX-512
// (the crc32 instruction without it). All give the same result.
[[nodiscard]] std::uint32_t crc32c_portable(std::uint32_t crc,
                                            std::span<const std::byte> data) noexcept;
[[nodiscard]] std::uint32_t crc32c_instruction(std::uint32_t crc,
                                               std::span<const std::byte> data) noexcept;
[[nodiscard]] std::uint32_t crc32c_folding(std::uint32_t crc,
                                           std::span<const std::byte> data) noexcept;

}  // namespace mdp::wire
