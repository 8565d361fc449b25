// What a plot shows, as figures and as the text of its data file. No gnuplot here.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "plots.hpp"

namespace mdp::reports {

struct axis {
  double low = 0, high = 1;
  std::vector<std::pair<double, std::string>> tics;
};

// One curve for each result: x = 1 / (1 - percentile), y = microseconds. A curve ends where fewer
// than ten samples lie beyond it.
struct percentile_curves {
  std::string data;
  std::vector<std::string> blocks;  // titles, in order of the data's blocks
  double x_max = 10;
  axis x, y;
};

struct bar_panel_data {
  std::string title;
  axis x;
};

// Median of the runs, with the lowest and the highest run; a panel for each unit.
struct bar_chart {
  std::string data;
  std::vector<std::string> labels;
  std::vector<bar_panel_data> panels;
};

// The first run of each result.
struct time_curves {
  std::string data;
  std::vector<std::string> blocks;
  double seconds = 1, interval_s = 0;
  bool retransmits = false;
  axis y;
};

// Latency against the load that was delivered, and that against the load that was offered: a block
// for each set of results whose configurations differ in the load only, three of them at least.
struct load_curves {
  std::string data;
  std::vector<std::string> blocks;
  axis offered, achieved, y;
  double bytes_per_message = 0;  // 0: not the same everywhere
};

// The first run of one result, if it was traced. Each chart is empty (no data) without its figures.
struct trace_charts {
  std::string heading;             // "client-0 to server-0"
  std::string shown;               // "2,000 of 14,321 packets"
  std::string packets;             // blocks: sent, retransmitted, dropped or damaged, confirmed
  double from_s = 0, until_s = 1;  // of the packets
  std::string queues;              // a block for each link
  std::vector<std::string> links;
  std::string congestion;  // s, window kB, in flight kB, round trip ms
  double seconds = 1;      // of queues and congestion
};
[[nodiscard]] trace_charts trace_charts_of(const result_document& result);

[[nodiscard]] percentile_curves percentile_curves_of(const result_group& group);
[[nodiscard]] bar_chart bar_chart_of(const result_group& group);
[[nodiscard]] time_curves time_curves_of(const result_group& group);
[[nodiscard]] load_curves load_curves_of(const result_group& group);
// From 0 to `high` with about four tics.
[[nodiscard]] axis linear_axis(double high);
// A logarithmic axis of microseconds that covers low..high, labelled 1, 2, 5 in µs, ms or s.
[[nodiscard]] axis latency_axis(double low_us, double high_us);

}  // namespace mdp::reports
