// Figures of one result over all its runs, and how they are written. Runs are the sample: a rate is
// the median of the runs, a latency percentile is of all runs measured together (never averaged).
#pragma once
#include <string>
#include <vector>

#include "document.hpp"

namespace mdp::reports {

inline constexpr const char* dash = "\u2013";

// Median over the runs that have the figure; nothing when none has.
[[nodiscard]] figure median_of(const result_document& result, figure run_record::*member);
// Sum over the runs; nothing when none has the figure.
[[nodiscard]] figure total_of(const result_document& result, figure run_record::*member);

// Kinds of latency that the result has, in order of first appearance.
[[nodiscard]] std::vector<std::string> latency_kinds(const result_document& result);
// The kind that tables and plots show: response if measured, else delivered, received, ...; or
// empty.
[[nodiscard]] std::string main_kind(const result_document& result);
// All runs of one kind measured together.
[[nodiscard]] latency_record merged_latency(const result_document& result, const std::string& kind);
// Nothing when fewer than 10 samples lie beyond it.
[[nodiscard]] figure percentile_us(const latency_record& latency, double percentile);

// 1234567.8 -> "1,234,568"; small values keep three significant digits; nothing -> dash.
[[nodiscard]] std::string number_text(figure value);
// Microseconds to three significant digits at least: 25.3, 1,234.
[[nodiscard]] std::string latency_text(figure microseconds);
// 99.9 -> "p99.9"
[[nodiscard]] std::string percentile_name(double percentile);
// "pattern=stream transport=socket", only of `names`; all variables when `names` is empty.
[[nodiscard]] std::string point_text(const result_document& result,
                                     const std::vector<std::string>& names = {});
// The variables that differ between the results.
[[nodiscard]] std::vector<std::string> varying_names(
    const std::vector<const result_document*>& results);
[[nodiscard]] std::string value_of(const std::vector<named_text>& list, const std::string& name);
// The text, or its beginning and how long it is.
[[nodiscard]] std::string shortened(const std::string& text);
// Bytes that follow the first of a UTF-8 character take no column.
[[nodiscard]] std::size_t columns_of(const std::string& utf8);

}  // namespace mdp::reports
