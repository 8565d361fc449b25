#include "mdp/netsim/distribution.hpp"

#include <algorithm>
#include <bit>

#include "distribution_tables.hpp"

namespace mdp::netsim {
namespace {

__extension__ using wide = unsigned __int128;
__extension__ using signed_wide = __int128;

constexpr int cell_bits = 4;                                // cells an octave
constexpr int value_bits = 20;                              // a table's 1.0 is 2^20
constexpr std::uint64_t tail_min = std::uint64_t{1} << 47;  // 2^-17 of 2^64

// Interpolates between the points on both sides of the draw's tail probability.
std::int64_t look_up(const tail_tables& tables, std::uint64_t draw) {
  const bool above = draw >> 63 != 0;
  const auto& points = tables[above ? 1 : 0];
  const std::uint64_t tail = std::max(above ? ~draw : draw, tail_min);
  const int octave = std::countl_zero(tail) - 1;
  const std::uint64_t below_leading_one = tail << (octave + 2);
  const auto cell = static_cast<std::size_t>(below_leading_one >> (64 - cell_bits));
  const auto part = static_cast<std::int64_t>(below_leading_one << cell_bits >> 32);
  const std::size_t outer =
      (static_cast<std::size_t>(octave) << cell_bits) + (1U << cell_bits) - cell;
  const std::int64_t far = points[outer];
  const std::int64_t near = points[outer - 1];
  return far + (near - far) * part / (std::int64_t{1} << 32);
}

std::int64_t scaled(const tail_tables& tables, std::uint64_t draw, std::int64_t scale_ns) {
  return static_cast<std::int64_t>(signed_wide{look_up(tables, draw)} * scale_ns /
                                   (std::int64_t{1} << value_bits));
}

}  // namespace

std::int64_t sample(jitter_shape shape, std::uint64_t draw, std::int64_t scale_ns) noexcept {
  switch (shape) {
    case jitter_shape::normal:
      return scaled(normal_tables, draw, scale_ns);
    case jitter_shape::lognormal:
      return scaled(lognormal_tables, draw, scale_ns);
    case jitter_shape::pareto:
      return scaled(pareto_tables, draw, scale_ns);
    case jitter_shape::uniform:
      break;
  }
  return static_cast<std::int64_t>((wide{draw} * (static_cast<std::uint64_t>(scale_ns) + 1)) >> 64);
}

}  // namespace mdp::netsim
