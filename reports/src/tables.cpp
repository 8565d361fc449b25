// Results as text: the short table, CSV and percentile lists.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "document.hpp"
#include "figures.hpp"
#include "mdp/reports/reports.hpp"

namespace mdp::reports {
namespace {

constexpr std::size_t first_number_column = 2;

std::vector<std::string> table_row(const result_document& r,
                                   const std::vector<std::string>& names) {
  const std::string kind = main_kind(r);
  const latency_record latency = merged_latency(r, kind);
  figure megabytes = median_of(r, &run_record::payload_per_s);
  if (megabytes) *megabytes /= 1e6;
  const std::string point = names.empty() ? "" : point_text(r, names);
  std::vector<std::string> row{r.scenario, point.empty() ? dash : point};
  row.push_back(number_text(median_of(r, &run_record::messages_per_s)));
  row.push_back(number_text(megabytes));
  for (const double p : {50.0, 99.0, 99.9}) row.push_back(latency_text(percentile_us(latency, p)));
  row.push_back(number_text(total_of(r, &run_record::retransmitted)));
  row.push_back(kind.empty() ? dash : kind);
  row.push_back(r.status.empty() ? dash : r.status);
  return row;
}

std::string padded(const std::string& text, std::size_t width, bool right) {
  const std::string space(width - std::min(width, columns_of(text)), ' ');
  return right ? space + text : text + space;
}

std::string coloured(const std::string& cell, const std::string& status) {
  const char* code = status == "ok"             ? "\x1b[32m"
                     : status == "inconclusive" ? "\x1b[33m"
                                                : "\x1b[31m";
  return code + cell + "\x1b[0m";
}

std::string render(const std::vector<std::vector<std::string>>& rows, bool colour) {
  std::vector<std::size_t> widths(rows.front().size(), 0);
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], columns_of(row[i]));
  }
  std::string out;
  for (std::size_t n = 0; n < rows.size(); ++n) {
    std::string line;
    for (std::size_t i = 0; i < rows[n].size(); ++i) {
      const bool last = i + 1 == rows[n].size();
      const bool right = i >= first_number_column && i < rows[n].size() - 2;
      std::string cell = last ? rows[n][i] : padded(rows[n][i], widths[i], right);
      if (colour && last && n > 0) cell = coloured(cell, rows[n][i]);
      line.append(i > 0 ? "  " : "").append(cell);
    }
    if (colour && n == 0) line.insert(0, "\x1b[1m").append("\x1b[0m");
    out += line + "\n";
  }
  return out;
}

// Variables that differ inside the scenario of `r`: what is the same everywhere tells nothing.
std::vector<std::string> names_within(const std::vector<result_document>& results,
                                      const result_document& r) {
  std::vector<const result_document*> same;
  for (const result_document& other : results) {
    if (other.scenario == r.scenario) same.push_back(&other);
  }
  return varying_names(same);
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

std::string csv_number(figure value) {
  return value ? fmt::format("{:.10g}", *value) : "";
}

std::string csv_line(const std::vector<std::string>& fields) {
  std::string out;
  for (std::size_t i = 0; i < fields.size(); ++i) out += (i > 0 ? "," : "") + csv_field(fields[i]);
  return out + "\r\n";
}

std::vector<std::string> variable_names(const std::vector<result_document>& results) {
  std::vector<std::string> out;
  for (const result_document& r : results) {
    for (const auto& [name, value] : r.point) {
      if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(name);
    }
  }
  return out;
}

std::vector<std::string> csv_row(const result_document& r, const std::string& kind,
                                 const std::vector<std::string>& variables) {
  std::vector<std::string> row{r.id, r.scenario};
  for (const std::string& v : variables) row.push_back(value_of(r.point, v));
  row.push_back(r.status);
  row.push_back(fmt::format("{}", r.runs.size()));
  row.push_back(csv_number(median_of(r, &run_record::messages_per_s)));
  row.push_back(csv_number(median_of(r, &run_record::payload_per_s)));
  for (const auto member : {&run_record::sent, &run_record::delivered, &run_record::expired,
                            &run_record::duplicated, &run_record::retransmitted}) {
    row.push_back(csv_number(total_of(r, member)));
  }
  const latency_record l = merged_latency(r, kind);
  row.push_back(kind);
  row.push_back(fmt::format("{}", l.count));
  row.push_back(csv_number(l.min_us));
  row.push_back(csv_number(l.mean_us));
  for (const double p : {50.0, 90.0, 99.0, 99.9, 99.99}) {
    row.push_back(csv_number(percentile_us(l, p)));
  }
  row.push_back(csv_number(l.max_us));
  return row;
}

double deviation_us(const latency_record& l, double mean_us) {
  double sum = 0;
  for (const auto& [ns, n] : l.buckets) {
    const double off = static_cast<double>(ns) / 1000.0 - mean_us;
    sum += off * off * static_cast<double>(n);
  }
  return std::sqrt(sum / static_cast<double>(l.count));
}

double mean_of_buckets(const latency_record& l) {
  double sum = 0;
  for (const auto& [ns, n] : l.buckets)
    sum += static_cast<double>(ns) / 1000.0 * static_cast<double>(n);
  return sum / static_cast<double>(l.count);
}

}  // namespace

std::string table_text(const std::vector<std::string>& result_json_texts, bool colour) {
  const std::vector<result_document> results = parse_documents(result_json_texts);
  std::vector<std::vector<std::string>> rows{{"scenario", "point", "msgs/s", "MB/s", "p50 µs",
                                              "p99 µs", "p99.9 µs", "retransmits", "latency",
                                              "status"}};
  for (const result_document& r : results) rows.push_back(table_row(r, names_within(results, r)));
  return render(rows, colour);
}

std::string csv_text(const std::vector<std::string>& result_json_texts) {
  const std::vector<result_document> results = parse_documents(result_json_texts);
  const std::vector<std::string> variables = variable_names(results);
  std::vector<std::string> header{"id", "scenario"};
  for (const std::string& v : variables) header.push_back("point." + v);
  for (const char* name :
       {"status", "runs", "messages_per_s", "payload_bytes_per_s", "sent", "delivered", "expired",
        "duplicated", "retransmitted", "latency", "count", "min_us", "mean_us", "p50_us", "p90_us",
        "p99_us", "p99.9_us", "p99.99_us", "max_us"}) {
    header.emplace_back(name);
  }
  std::string out = csv_line(header);
  for (const result_document& r : results) {
    std::vector<std::string> kinds = latency_kinds(r);
    if (kinds.empty()) kinds.emplace_back();
    for (const std::string& kind : kinds) out += csv_line(csv_row(r, kind, variables));
  }
  return out;
}

std::string hgrm_text(const std::string& result_json_text, const std::string& latency_kind) {
  const result_document result = parse_document(result_json_text, "result");
  const latency_record l = merged_latency(result, latency_kind);
  if (l.buckets.empty()) {
    std::string known;
    for (const std::string& k : latency_kinds(result)) known += (known.empty() ? "" : ", ") + k;
    throw report_error(fmt::format("the result has no histogram of '{}' latency; it has: {}",
                                   latency_kind, known.empty() ? "none" : known));
  }
  std::string out = fmt::format("{:>12} {:>14} {:>10} {:>14}\n\n", "Value", "Percentile",
                                "TotalCount", "1/(1-Percentile)");
  std::uint64_t seen = 0;
  for (const auto& [ns, n] : l.buckets) {
    seen += n;
    const double share = static_cast<double>(seen) / static_cast<double>(l.count);
    out += fmt::format("{:12.3f} {:1.12f} {:10}", static_cast<double>(ns) / 1000.0, share, seen);
    out += seen < l.count ? fmt::format(" {:14.2f}\n", 1.0 / (1.0 - share)) : "\n";
  }
  const double mean = l.mean_us.value_or(mean_of_buckets(l));
  const double max = l.max_us.value_or(static_cast<double>(l.buckets.back().first) / 1000.0);
  out += fmt::format("#[Mean    = {:12.3f}, StdDeviation   = {:12.3f}]\n", mean,
                     deviation_us(l, mean));
  out += fmt::format("#[Max     = {:12.3f}, Total count    = {:12}]\n", max, l.count);
  out += fmt::format("#[Buckets = {:12}, SubBuckets     = {:12}]\n", 34, 2048);
  return out;
}

}  // namespace mdp::reports
