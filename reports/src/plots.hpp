// Plots by gnuplot. Each is a script (.gp) and a data file (.dat) that stay beside the pictures, so
// that a plot can be restyled by hand. gnuplot runs as a process of its own: whatever happens to
// it, the report goes on. Results share an axis only within a group: one scenario, one pattern, one
// kind of latency.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "document.hpp"

namespace mdp::reports {

struct plot {
  std::size_t group_index = 0;
  std::string name;   // base of its files
  std::string group;  // heading: scenario and pattern
  std::string title;
  std::string svg_path, png_path;
  std::string svg;      // its text, ids not yet unique
  std::string console;  // drawn with characters; empty: not asked for, or not possible
};

struct result_group {
  std::size_t group_index = 0;
  std::string name;       // for headings
  std::string file_stem;  // letters, digits, - and _
  std::string kind;       // of latency; empty when none was measured
  std::vector<const result_document*> results;
  std::vector<std::string> labels;  // one for each result: what varies
};

[[nodiscard]] std::vector<result_group> group_results(const std::vector<result_document>& results);

// Makes every plot of `kinds` that the results have data for. What fails is a warning, not an
// error; throws report_error only when the folder cannot be written.
[[nodiscard]] std::vector<plot> make_plots(const std::vector<result_group>& groups,
                                           const std::vector<std::string>& kinds,
                                           const std::filesystem::path& folder, bool console,
                                           std::vector<std::string>& warnings);

}  // namespace mdp::reports
