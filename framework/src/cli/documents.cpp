#include "documents.hpp"

#include <fmt/format.h>

#include "comparison.hpp"
#include "mdp/reports/reports.hpp"
#include "output.hpp"

namespace mdp::cli {
namespace {

// The simulator's digests: equal ones prove that a run repeats itself exactly.
std::string digest_lines(const std::vector<scenario::json_value>& results) {
  std::string out;
  for (const scenario::json_value& result : results) {
    const scenario::json_value* runs = result.find("runs");
    const scenario::json_value* id = result.find("id");
    const scenario::json_value* name = result.find("scenario");
    if (runs == nullptr || id == nullptr || name == nullptr) continue;
    for (const scenario::json_value& run : runs->items) {
      const scenario::json_value* digest = run.at("facts", "digest");
      const scenario::json_value* repeat = run.at("facts", "digest_repeat");
      if (digest == nullptr || repeat == nullptr) continue;
      out += fmt::format("{} {}: digest {}, run again {}: {}\n", name->text, id->text, digest->text,
                         repeat->text, digest->text == repeat->text ? "equal" : "DIFFERENT");
    }
  }
  return out;
}

std::vector<scenario::json_value> parsed(const std::vector<std::string>& texts) {
  std::vector<scenario::json_value> results;
  for (const std::string& t : texts) results.push_back(parse_result(t, "result"));
  return results;
}

using tone = reports::judged_metric::tone;

tone tone_of(verdict v) {
  switch (v) {
    case verdict::better:
      return tone::good;
    case verdict::worse:
      return tone::bad;
    case verdict::inconclusive:
    case verdict::too_few_pairs:
    case verdict::one_sided:
      return tone::unsure;
    case verdict::no_difference:
    case verdict::identical:
      break;
  }
  return tone::neutral;
}

reports::judged_metric judged(const metric_comparison& m) {
  reports::judged_metric out;
  out.metric = m.metric;
  out.verdict = words(m.is);
  out.colour = tone_of(m.is);
  if (m.estimate.n == 0) return out;
  out.change = fmt::format("{:+.1f} %", (m.estimate.median - 1) * 100);
  out.ratio =
      fmt::format("{:.3f} [{:.3f}, {:.3f}]", m.estimate.median, m.estimate.low, m.estimate.high);
  out.pairs = std::to_string(m.estimate.n);
  if (m.is != verdict::too_few_pairs && m.is != verdict::identical)
    out.p = fmt::format("{:.2g}", m.p);
  return out;
}

std::string text_document(const std::vector<std::string>& texts) {
  const std::vector<scenario::json_value> results = parsed(texts);
  std::string out = reports::table_text(texts, colour_wanted());
  const comparison compared = compare_variable(results, {});
  if (!compared.empty()) out += "\n" + text_of(compared);
  const std::string digests = digest_lines(results);
  if (!digests.empty()) out += "\n" + digests;
  return out;
}

std::string hgrm_document(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& t : texts) {
    const scenario::json_value result = parse_result(t, "result");
    const scenario::json_value* runs = result.find("runs");
    if (runs == nullptr || runs->items.empty()) continue;
    // Request-response has response times; a one-way stream has confirmations.
    const bool responses =
        runs->items.front().at("latency", "response", "hdr", "counts") != nullptr;
    out += reports::hgrm_text(t, responses ? "response" : "delivered");
  }
  return out;
}

}  // namespace

void add_comparison(const std::vector<std::string>& texts, reports::report_options& into) {
  const comparison compared = compare_variable(parsed(texts), {});
  for (const point_comparison& point : compared.points) {
    into.comparisons.push_back({point.heading, {}, "A/A control: " + control_text(point)});
    for (const metric_comparison& m : point.metrics)
      into.comparisons.back().metrics.push_back(judged(m));
  }
  into.comparison_note = correction_text(compared);
}

std::string document_of(const std::vector<std::string>& texts, const std::string& format) {
  if (format == "csv") return reports::csv_text(texts);
  if (format == "gbench") return reports::gbench_text(texts);
  if (format == "hgrm") return hgrm_document(texts);
  if (format != "json") return text_document(texts);
  std::string out = "[\n";
  for (std::size_t i = 0; i < texts.size(); ++i) {
    out += texts[i] + (i + 1 < texts.size() ? ",\n" : "\n");
  }
  return out + "]\n";
}

}  // namespace mdp::cli
