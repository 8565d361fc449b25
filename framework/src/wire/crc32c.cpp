#include "mdp/wire/crc32c.hpp"

#include <array>
#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace mdp::wire {
namespace {

constexpr std::uint32_t polynomial = 0x82f63b78u;
using table_256 = std::array<std::uint32_t, 256>;

constexpr table_256 make_byte_table() {
  table_256 table{};
  for (std::uint32_t n = 0; n < 256; ++n) {
    std::uint32_t crc = n;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) ? (crc >> 1) ^ polynomial : crc >> 1;
    table[n] = crc;
  }
  return table;
}
constexpr table_256 byte_table = make_byte_table();

#if defined(__x86_64__)
// Three streams hide the latency of the crc32 instruction; their results are joined by the operator
// "append n zero bytes", a linear map held as four tables (method: M. Adler, crc32c.c).
using shift_tables = std::array<table_256, 4>;

constexpr std::uint32_t append_zeros(std::uint32_t crc, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) crc = byte_table[crc & 0xff] ^ (crc >> 8);
  return crc;
}

shift_tables make_shift_tables(std::size_t bytes) {
  shift_tables tables{};
  std::array<std::uint32_t, 32> column{};
  for (unsigned bit = 0; bit < 32; ++bit) column[bit] = append_zeros(1u << bit, bytes);
  for (unsigned byte = 0; byte < 4; ++byte) {
    for (unsigned n = 0; n < 256; ++n) {
      for (unsigned bit = 0; bit < 8; ++bit)
        if (n >> bit & 1) tables[byte][n] ^= column[8 * byte + bit];
    }
  }
  return tables;
}

std::uint32_t shift(const shift_tables& t, std::uint32_t crc) noexcept {
  return t[0][crc & 0xff] ^ t[1][crc >> 8 & 0xff] ^ t[2][crc >> 16 & 0xff] ^ t[3][crc >> 24];
}

std::uint64_t load64(const std::byte* p) noexcept {
  std::uint64_t value;
  std::memcpy(&value, p, sizeof value);
  return value;
}

// Stream lengths: 480 joins 1,440 bytes, a full packet's worth; 64 serves what is left.
constexpr std::size_t long_stream = 480;
constexpr std::size_t short_stream = 64;

struct shifts {
  shift_tables long_by = make_shift_tables(long_stream);
  shift_tables short_by = make_shift_tables(short_stream);
};

template <std::size_t Stream>
__attribute__((target("sse4.2"))) const std::byte* three_streams(const std::byte* p,
                                                                 std::size_t& size,
                                                                 std::uint64_t& crc,
                                                                 const shift_tables& by) noexcept {
  while (size >= 3 * Stream) {
    std::uint64_t second = 0;
    std::uint64_t third = 0;
    for (std::size_t i = 0; i < Stream; i += 8) {
      crc = _mm_crc32_u64(crc, load64(p + i));
      second = _mm_crc32_u64(second, load64(p + Stream + i));
      third = _mm_crc32_u64(third, load64(p + 2 * Stream + i));
    }
    crc = shift(by, static_cast<std::uint32_t>(crc)) ^ second;
    crc = shift(by, static_cast<std::uint32_t>(crc)) ^ third;
    p += 3 * Stream;
    size -= 3 * Stream;
  }
  return p;
}

__attribute__((target("sse4.2"))) std::uint32_t crc32c_sse42(
    std::uint32_t start, std::span<const std::byte> data) noexcept {
  static const shifts tables;
  std::uint64_t crc = static_cast<std::uint32_t>(~start);
  const std::byte* p = data.data();
  std::size_t size = data.size();
  p = three_streams<long_stream>(p, size, crc, tables.long_by);
  p = three_streams<short_stream>(p, size, crc, tables.short_by);
  for (; size >= 8; size -= 8, p += 8) crc = _mm_crc32_u64(crc, load64(p));
  auto narrow = static_cast<std::uint32_t>(crc);
  for (; size > 0; --size, ++p) narrow = _mm_crc32_u8(narrow, static_cast<std::uint8_t>(*p));
  return ~narrow;
}
#endif

}  // namespace

std::uint32_t crc32c_portable(std::uint32_t crc, std::span<const std::byte> data) noexcept {
  crc = ~crc;
  for (const std::byte b : data)
    crc = byte_table[(crc ^ static_cast<std::uint8_t>(b)) & 0xff] ^ (crc >> 8);
  return ~crc;
}

std::uint32_t crc32c(std::uint32_t crc, std::span<const std::byte> data) noexcept {
#if defined(__x86_64__)
  static const bool hardware = __builtin_cpu_supports("sse4.2") != 0;
  if (hardware) return crc32c_sse42(crc, data);
#endif
  return crc32c_portable(crc, data);
}

}  // namespace mdp::wire
