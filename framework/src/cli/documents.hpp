// What a set of results is on stdout, in each of the formats that --format takes.
#pragma once
#include <string>
#include <vector>

#include "mdp/reports/reports.hpp"

namespace mdp::cli {

inline const std::vector<std::string> document_formats{"text", "json", "csv", "hgrm", "gbench"};

// `format` is one of the above. text: the table, the comparison that the scenario asks for, and the
// digests of simulated runs; hgrm: the percentiles of each result's main latency; gbench: Google
// Benchmark's JSON. Throws std::runtime_error for a result that cannot be read.
[[nodiscard]] std::string document_of(const std::vector<std::string>& result_texts,
                                      const std::string& format);

// Puts into the report what the scenario of these results asks to be compared.
void add_comparison(const std::vector<std::string>& result_texts, reports::report_options& into);

}  // namespace mdp::cli
