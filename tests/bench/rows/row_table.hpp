// The rows of the table of goals: what is measured, against what, and how much is asked for.
//
// Measurements are grouped: all of a group run once a round, in random order, so that the two
// sides of a ratio meet the same machine. A row is the median over rounds of a paired figure with
// the 95 % bootstrap interval of that median.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "tests/bench/raw/raw_bench.hpp"

namespace mdp::bench {

struct measurement {
  std::string name;  // unique in its group
  std::function<raw_bench::rate(double seconds)> run;
  bool spins = true;  // both threads never sleep: a run that got less than its two cpus is no run
};

// What of a measurement a row looks at.
enum class figure : std::uint8_t {
  rate,      // messages a second
  gigabits,  // payload, Gb/s
  cost,      // cpu seconds of both threads for a million messages
  p50,       // round trip, us
  p99,
};

enum class relation : std::uint8_t {
  ratio_at_least,
  ratio_at_most,
  difference_at_most,  // in the figure's unit
  at_least,            // the figure itself; the denominator is shown only
  shown,               // no goal
};

struct row {
  std::string name;
  figure of = figure::rate;
  relation asks = relation::shown;
  double goal = 0;
  std::string numerator;    // a measurement of the group
  std::string denominator;  // likewise
};

struct group {
  std::string name;
  std::size_t message_bytes = 64;
  std::vector<measurement> measurements;
  std::vector<row> rows;
};

// `senders`: how many share one receiver in the row n-to-1.
[[nodiscard]] std::vector<group> all_groups(std::size_t senders);

}  // namespace mdp::bench
