#include "mdp/wire/crc32c.hpp"

#include <array>
#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
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

// Carry-less multiplication folds 64 bytes at once (V. Gopal et al., "Fast CRC Computation for
// Generic Polynomials Using PCLMULQDQ Instruction", 2009): an accumulator that stands `Distance`
// bytes before the next one is multiplied by x^(8 * Distance) modulo the polynomial, its low half
// 32 bits further than its high half, and xored into it. What remains, 16 bytes with the same CRC,
// is left to the crc32 instruction.
constexpr std::uint64_t power_of_x(std::size_t bytes) {
  return static_cast<std::uint64_t>(append_zeros(1u << 31, bytes)) << 1;
}
template <std::size_t Distance>
constexpr auto low_factor = static_cast<long long>(power_of_x(Distance + 4));
template <std::size_t Distance>
constexpr auto high_factor = static_cast<long long>(power_of_x(Distance - 4));

constexpr std::size_t lane_bytes = 64;
constexpr std::size_t folded_bytes_min = 4 * lane_bytes;

#define MDP_FOLDING_TARGET __attribute__((target("avx512f,avx512vl,vpclmulqdq,pclmul,sse4.2")))

template <std::size_t Distance>
MDP_FOLDING_TARGET inline __m512i fold(__m512i from, __m512i into) noexcept {
  const __m512i factors = _mm512_set4_epi64(high_factor<Distance>, low_factor<Distance>,
                                            high_factor<Distance>, low_factor<Distance>);
  return _mm512_ternarylogic_epi64(_mm512_clmulepi64_epi128(from, factors, 0x00),
                                   _mm512_clmulepi64_epi128(from, factors, 0x11), into, 0x96);
}

template <std::size_t Distance>
MDP_FOLDING_TARGET inline __m128i fold(__m128i from, __m128i into) noexcept {
  const __m128i factors = _mm_set_epi64x(high_factor<Distance>, low_factor<Distance>);
  return _mm_xor_si128(into, _mm_xor_si128(_mm_clmulepi64_si128(from, factors, 0x00),
                                           _mm_clmulepi64_si128(from, factors, 0x11)));
}

MDP_FOLDING_TARGET inline __m512i load512(const std::byte* p) noexcept {
  return _mm512_loadu_si512(p);
}

// Takes a multiple of 64 bytes, at least folded_bytes_min; returns the state after them.
MDP_FOLDING_TARGET std::uint32_t fold_blocks(std::uint32_t state, const std::byte* p,
                                             std::size_t size) noexcept {
  __m512i a = _mm512_xor_si512(load512(p),
                               _mm512_zextsi128_si512(_mm_cvtsi32_si128(static_cast<int>(state))));
  __m512i b = load512(p + lane_bytes);
  __m512i c = load512(p + 2 * lane_bytes);
  __m512i d = load512(p + 3 * lane_bytes);
  p += 4 * lane_bytes;
  size -= 4 * lane_bytes;
  for (; size >= 4 * lane_bytes; size -= 4 * lane_bytes, p += 4 * lane_bytes) {
    a = fold<4 * lane_bytes>(a, load512(p));
    b = fold<4 * lane_bytes>(b, load512(p + lane_bytes));
    c = fold<4 * lane_bytes>(c, load512(p + 2 * lane_bytes));
    d = fold<4 * lane_bytes>(d, load512(p + 3 * lane_bytes));
  }
  d = fold<3 * lane_bytes>(a, fold<2 * lane_bytes>(b, fold<lane_bytes>(c, d)));
  for (; size > 0; size -= lane_bytes, p += lane_bytes) d = fold<lane_bytes>(d, load512(p));
  __m128i parts[4];
  _mm512_storeu_si512(parts, d);
  const __m128i rest = fold<16>(fold<16>(fold<16>(parts[0], parts[1]), parts[2]), parts[3]);
  const std::uint64_t low = _mm_crc32_u64(0, static_cast<std::uint64_t>(_mm_cvtsi128_si64(rest)));
  return static_cast<std::uint32_t>(
      _mm_crc32_u64(low, static_cast<std::uint64_t>(_mm_extract_epi64(rest, 1))));
}
#undef MDP_FOLDING_TARGET
#endif

}  // namespace

std::uint32_t crc32c_portable(std::uint32_t crc, std::span<const std::byte> data) noexcept {
  crc = ~crc;
  for (const std::byte b : data)
    crc = byte_table[(crc ^ static_cast<std::uint8_t>(b)) & 0xff] ^ (crc >> 8);
  return ~crc;
}

std::uint32_t crc32c_instruction(std::uint32_t crc, std::span<const std::byte> data) noexcept {
#if defined(__x86_64__)
  static const bool present = __builtin_cpu_supports("sse4.2") != 0;
  if (present) return crc32c_sse42(crc, data);
#endif
  return crc32c_portable(crc, data);
}

std::uint32_t crc32c_folding(std::uint32_t crc, std::span<const std::byte> data) noexcept {
#if defined(__x86_64__)
  static const bool present =
      __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
      __builtin_cpu_supports("vpclmulqdq") != 0 && __builtin_cpu_supports("pclmul") != 0;
  const std::size_t folded = data.size() & ~(lane_bytes - 1);
  if (present && folded >= folded_bytes_min) {
    crc = ~fold_blocks(~crc, data.data(), folded);
    data = data.subspan(folded);
    if (data.empty()) return crc;
  }
#endif
  return crc32c_instruction(crc, data);
}

std::uint32_t crc32c(std::uint32_t crc, std::span<const std::byte> data) noexcept {
  return crc32c_folding(crc, data);
}

}  // namespace mdp::wire
