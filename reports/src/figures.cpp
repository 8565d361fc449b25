#include "figures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace mdp::reports {
namespace {

std::vector<double> values_of(const result_document& result, figure run_record::*member) {
  std::vector<double> out;
  for (const run_record& run : result.runs) {
    if (run.*member) out.push_back(*(run.*member));
  }
  return out;
}

std::string with_thousands(double value) {
  const std::string digits = fmt::format("{:.0f}", std::abs(value));
  std::string out;
  if (value < 0 && digits != "0") out += '-';
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) out += ',';
    out += digits[i];
  }
  return out;
}

const latency_record* find_kind(const run_record& run, const std::string& kind) {
  for (const latency_record& l : run.latencies) {
    if (l.kind == kind) return &l;
  }
  return nullptr;
}

void add_extremes(latency_record& into, const latency_record& other) {
  if (other.min_us) into.min_us = std::min(into.min_us.value_or(*other.min_us), *other.min_us);
  if (other.max_us) into.max_us = std::max(into.max_us.value_or(*other.max_us), *other.max_us);
}

}  // namespace

figure median_of(const result_document& result, figure run_record::*member) {
  std::vector<double> values = values_of(result, member);
  if (values.empty()) return std::nullopt;
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

figure total_of(const result_document& result, figure run_record::*member) {
  const std::vector<double> values = values_of(result, member);
  if (values.empty()) return std::nullopt;
  double sum = 0;
  for (const double v : values) sum += v;
  return sum;
}

std::vector<std::string> latency_kinds(const result_document& result) {
  std::vector<std::string> out;
  for (const run_record& run : result.runs) {
    for (const latency_record& l : run.latencies) {
      if (std::find(out.begin(), out.end(), l.kind) == out.end()) out.push_back(l.kind);
    }
  }
  return out;
}

std::string main_kind(const result_document& result) {
  const std::vector<std::string> kinds = latency_kinds(result);
  for (const char* wanted : {"response", "delivered", "received", "one_way", "service"}) {
    if (std::find(kinds.begin(), kinds.end(), wanted) != kinds.end()) return wanted;
  }
  return kinds.empty() ? "" : kinds.front();
}

latency_record merged_latency(const result_document& result, const std::string& kind) {
  latency_record out;
  out.kind = kind;
  std::map<std::int64_t, std::uint64_t> buckets;
  double weighted = 0;
  bool mean_known = true;
  std::size_t parts = 0;
  for (const run_record& run : result.runs) {
    const latency_record* l = find_kind(run, kind);
    if (l == nullptr) continue;
    if (++parts == 1) out.percentiles_us = l->percentiles_us;
    out.count += l->count;
    add_extremes(out, *l);
    mean_known = mean_known && l->mean_us.has_value();
    weighted += l->mean_us.value_or(0) * static_cast<double>(l->count);
    for (const auto& [ns, n] : l->buckets) buckets[ns] += n;
  }
  if (mean_known && out.count > 0) out.mean_us = weighted / static_cast<double>(out.count);
  // Stated percentiles of several runs cannot be combined; only their buckets can.
  if (parts > 1) out.percentiles_us.clear();
  out.buckets.assign(buckets.begin(), buckets.end());
  return out;
}

figure percentile_us(const latency_record& latency, double percentile) {
  if (latency.buckets.empty()) {
    for (const auto& [p, us] : latency.percentiles_us) {
      if (std::abs(p - percentile) < 1e-9) return us;
    }
    return std::nullopt;
  }
  const auto total = static_cast<double>(latency.count);
  // The small term keeps 99.9 % of 1,000 at the 999th sample whatever the rounding.
  const double rank = std::max(1.0, std::ceil((percentile / 100.0 - 1e-9) * total));
  if (total - rank < 10) return std::nullopt;
  double seen = 0;
  for (const auto& [ns, n] : latency.buckets) {
    seen += static_cast<double>(n);
    if (seen >= rank)
      return std::min(static_cast<double>(ns) / 1000.0, latency.max_us.value_or(1e15));
  }
  return std::nullopt;
}

std::string number_text(figure value) {
  if (!value) return dash;
  const double x = std::abs(*value);
  if (x >= 1000 || (x == std::floor(x) && x < 1000)) return with_thousands(*value);
  if (x >= 100) return fmt::format("{:.0f}", *value);
  if (x >= 10) return fmt::format("{:.1f}", *value);
  return x >= 1 ? fmt::format("{:.2f}", *value) : fmt::format("{:.3g}", *value);
}

std::string latency_text(figure microseconds) {
  if (!microseconds) return dash;
  const double x = *microseconds;
  if (x >= 1000) return with_thousands(x);
  if (x >= 100) return fmt::format("{:.0f}", x);
  return x >= 10 ? fmt::format("{:.1f}", x) : fmt::format("{:.2f}", x);
}

std::string percentile_name(double percentile) {
  return fmt::format("p{:g}", percentile);
}

std::string point_text(const result_document& result, const std::vector<std::string>& names) {
  std::string out;
  for (const auto& [name, value] : result.point) {
    if (!names.empty() && std::find(names.begin(), names.end(), name) == names.end()) continue;
    out.append(out.empty() ? "" : " ").append(name).append("=").append(value);
  }
  return out;
}

std::vector<std::string> varying_names(const std::vector<const result_document*>& results) {
  std::vector<std::string> out;
  for (const result_document* r : results) {
    for (const named_text& variable : r->point) {
      const std::string& name = variable.first;
      const std::string& value = variable.second;
      if (std::find(out.begin(), out.end(), name) != out.end()) continue;
      const bool differs = std::any_of(results.begin(), results.end(), [&](const auto* other) {
        return value_of(other->point, name) != value;
      });
      if (differs) out.push_back(name);
    }
  }
  return out;
}

std::string value_of(const std::vector<named_text>& list, const std::string& name) {
  for (const auto& [key, value] : list) {
    if (key == name) return value;
  }
  return "";
}

std::string shortened(const std::string& text) {
  constexpr std::size_t limit = 96;
  if (text.size() <= limit) return text;
  std::size_t end = limit;
  // Not in the middle of a UTF-8 character.
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + fmt::format("… ({} characters)", columns_of(text));
}

std::size_t columns_of(const std::string& utf8) {
  return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

}  // namespace mdp::reports
