// Results as people read them: a text table, CSV, percentile lists, plots and one HTML page.
// Input is the text of result documents (schema mdp-result/1); nothing of the engine is needed, so
// a result measured elsewhere, or by an older build, reports the same way. A figure that is null in
// a result is shown as a dash, never as 0. Pure functions but write_report, which writes files and
// runs gnuplot. Not to be called from several threads with the same output folder. Errors:
// report_error, one line that says where and what to do.
#pragma once
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace mdp::reports {

class report_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// What `mdp compare` says of two results. The report repeats it; it has no statistics of its own.
struct judged_metric {
  enum class tone : std::uint8_t { good, bad, neutral, unsure };
  std::string metric;   // "messages/s"
  std::string verdict;  // "worse"
  std::string change;   // "-8.4 %"; empty with all that follows: there is no figure
  std::string ratio;    // "0.916 [0.910, 0.922]": candidate over baseline, 95 % interval
  std::string pairs;
  std::string p;
  tone colour = tone::neutral;
};
struct judged_comparison {
  std::string heading;  // "quickstart size=64: transport io_uring against socket"
  std::vector<judged_metric> metrics;
  std::string control;  // what the runs of one side say about the measurement; one line
};

struct report_options {
  std::string output_dir;
  std::string title;
  // load_curve, percentiles, throughput_bars, latency_over_time, trace; empty: all of them.
  std::vector<std::string> plots;
  // Columns of the latency tables; empty: 50, 90, 99, 99.9, 99.99.
  std::vector<double> percentiles;
  bool console = false;  // also draw with characters, into report_outcome::console
  std::vector<judged_comparison> comparisons{};
  std::string comparison_note{};  // below them: how many questions were asked
};

struct report_outcome {
  std::string html_path;
  std::vector<std::string> plot_paths;  // SVG and PNG
  std::vector<std::string> warnings;    // what the report lacks, and the remedy
  std::string console;                  // plots in characters, each below its title
};

// Empty when gnuplot is found on PATH and runs; else what is the matter and the remedy: one that is
// missing is told from one that is there and fails.
[[nodiscard]] std::string gnuplot_problem();

// Empty, or one line that says why the text is no result of which a report can be made.
[[nodiscard]] std::string complaint_about(const std::string& result_json_text);

// Writes report.html, and below plots/ the plots with the scripts and data that made them. The page
// is written even when no plot can be.
report_outcome write_report(const std::vector<std::string>& result_json_texts,
                            const report_options& options);

// One row for each result, aligned; ends in a newline.
std::string table_text(const std::vector<std::string>& result_json_texts, bool colour = false);
// One row for each result and kind of latency (RFC 4180, header first); null is an empty field.
std::string csv_text(const std::vector<std::string>& result_json_texts);
// The JSON form of Google Benchmark, one benchmark for each run, for its tools/compare.py: the
// median latency as real time, CPU time of a message (0 where unknown), both in microseconds.
std::string gbench_text(const std::vector<std::string>& result_json_texts);
// The percentile distribution of one kind of latency ("response", "delivered", ...), in
// microseconds, in the format that HdrHistogram's tools read.
std::string hgrm_text(const std::string& result_json_text, const std::string& latency_kind);

}  // namespace mdp::reports
