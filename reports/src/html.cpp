#include "html.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "figures.hpp"
#include "html_style.hpp"
#include "svg.hpp"

namespace mdp::reports {
namespace {

// A page larger than this is slow to open and to send; the raw parts are left out first.
constexpr std::size_t page_limit = 1'000'000;

std::string e(const std::string& text) {
  return html_escaped(text);
}

const char* tone_of(const std::string& status) {
  if (status == "ok") return "good";
  return status == "inconclusive" ? "unsure" : "bad";
}

std::string tag(const std::string& text, const char* tone) {
  std::string words = text.empty() ? dash : text;
  std::replace(words.begin(), words.end(), '_', ' ');
  return fmt::format("<span class=\"tag {}\">{}</span>", tone, e(words));
}

std::string cell(const std::string& text) {
  return "<td class=\"n\">" + e(text) + "</td>";
}

std::string name_of(const result_document& r) {
  const std::string point = point_text(r);
  return r.scenario + (point.empty() ? "" : ": " + point);
}

std::string verdict(const std::vector<result_document>& results) {
  std::size_t passed = 0;
  std::size_t unsure = 0;
  for (const result_document& r : results) {
    passed += r.status == "ok" ? 1U : 0U;
    unsure += r.status == "inconclusive" ? 1U : 0U;
  }
  const std::size_t total = results.size();
  const std::size_t failed = total - passed - unsure;
  std::string text =
      passed == total ? fmt::format("Passed: {}", total == 1 ? "the only point"
                                                             : fmt::format("all {} points", total))
                      : fmt::format("{} of {} points passed", passed, total);
  if (failed > 0) text += fmt::format(", {} failed", failed);
  if (unsure > 0) text += fmt::format(", {} inconclusive", unsure);
  const char* tone = failed > 0 ? "bad" : unsure > 0 ? "unsure" : "good";
  std::string out = fmt::format("<p class=\"verdict {}\">{}</p>\n", tone, text);
  for (const result_document& r : results) {
    for (const std::string& reason : r.reasons) {
      out += fmt::format("<p class=\"note {}\"><strong>{}</strong> {}</p>\n", tone_of(r.status),
                         e(name_of(r)), e(reason));
    }
  }
  return out;
}

std::string summary_row(const result_document& r, const std::string& label, const std::string& kind,
                        const std::vector<double>& percentiles) {
  const latency_record latency = merged_latency(r, kind);
  figure megabytes = median_of(r, &run_record::payload_per_s);
  if (megabytes) *megabytes /= 1e6;
  std::string out = "<tr><td>" + e(label) + "</td>";
  out += cell(fmt::format("{}", r.runs.size()));
  out += cell(number_text(median_of(r, &run_record::messages_per_s)));
  out += cell(number_text(megabytes));
  for (const double p : percentiles) out += cell(latency_text(percentile_us(latency, p)));
  out += cell(latency_text(latency.max_us));
  out += cell(number_text(total_of(r, &run_record::retransmitted)));
  return out + "<td>" + tag(r.status, tone_of(r.status)) + "</td></tr>\n";
}

std::string summary_table(const std::vector<result_group>& groups,
                          const std::vector<double>& percentiles) {
  std::string out =
      "<h2 id=\"summary\">Summary</h2>\n<div class=\"wide\"><table><thead><tr><th>point</th>"
      "<th class=\"n\">runs</th><th class=\"n\">messages/s</th><th class=\"n\">MB/s</th>";
  for (const double p : percentiles) {
    out += "<th class=\"n\">" + percentile_name(p) + " µs</th>";
  }
  out +=
      "<th class=\"n\">max µs</th><th class=\"n\">retransmits</th><th>status</th></tr></thead>\n";
  const std::size_t columns = percentiles.size() + 7;
  for (const result_group& g : groups) {
    const std::string kind = g.kind.empty() ? "no latency measured" : g.kind + " latency";
    out += fmt::format("<tbody><tr class=\"group\"><th colspan=\"{}\">{} · {}</th></tr>\n", columns,
                       e(g.name), e(kind));
    for (std::size_t i = 0; i < g.results.size(); ++i) {
      out += summary_row(*g.results[i], g.labels[i], g.kind, percentiles);
    }
    out += "</tbody>\n";
  }
  return out +
         "</table></div>\n<p class=\"soft\">Rates are the median of the runs; latency is of all "
         "runs "
         "measured together. A dash: not measured, or fewer than 10 samples beyond that "
         "percentile.</p>\n";
}

const char* class_of(judged_metric::tone tone) {
  switch (tone) {
    case judged_metric::tone::good:
      return "good";
    case judged_metric::tone::bad:
      return "bad";
    case judged_metric::tone::unsure:
      return "unsure";
    case judged_metric::tone::neutral:
      break;
  }
  return "plain";
}

std::string comparison_table(const judged_comparison& c) {
  std::string out = "<h3>" + e(c.heading) +
                    "</h3>\n<div class=\"wide\"><table><thead><tr><th>metric</th><th>verdict</th>"
                    "<th class=\"n\">change</th><th class=\"n\">ratio [95 %]</th><th "
                    "class=\"n\">pairs</th><th class=\"n\">p</th></tr></thead><tbody>\n";
  for (const judged_metric& m : c.metrics) {
    out += "<tr><td>" + e(m.metric) + "</td><td>" + tag(m.verdict, class_of(m.colour)) + "</td>";
    for (const std::string& text : {m.change, m.ratio, m.pairs, m.p})
      out += cell(text.empty() ? dash : text);
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>\n<p class=\"soft\">" + e(c.control) + "</p>\n";
}

std::string comparisons(const page_input& input) {
  if (input.comparisons.empty()) return "";
  std::string out = "<h2 id=\"comparison\">Comparison</h2>\n";
  for (const judged_comparison& c : input.comparisons) out += comparison_table(c);
  return out +
         "<p class=\"soft\">The median of the ratios of paired runs, as <code>mdp compare</code> "
         "tests them. “No difference shown” is not “equal”. " +
         e(input.comparison_note) + "</p>\n";
}

const char* caption_of(const std::string& title) {
  if (title == "Throughput") {
    return "Bars: median of the runs. Whiskers: lowest and highest run.";
  }
  if (title == "Load curve") {
    return "Latency of all runs together against the median rate; it leaves the floor where the "
           "load becomes too much. Below: what was delivered of what was offered.";
  }
  if (title == "Latency over time") return "Of the first run, by interval.";
  return "All runs together. A curve ends where fewer than 10 samples lie beyond it.";
}

std::string figure_of(const plot& p, std::size_t index) {
  const std::string svg =
      inline_svg(p.svg, fmt::format("plot{}-", index), p.group + ": " + p.title);
  if (svg.empty()) return "";
  return "<figure><h3>" + e(p.title) + "</h3>\n" + svg + "<figcaption>" + caption_of(p.title) +
         " <code>plots/" + e(p.name) + ".gp</code></figcaption></figure>\n";
}

// The digest of a run and, when it was run again to prove that nothing but the seed decides, of the
// repeat.
std::string digest_row(const std::string& label, const run_record& run) {
  const std::string digest = value_of(run.facts, "digest");
  if (digest.empty()) return "";
  const std::string again = value_of(run.facts, "digest_repeat");
  const std::string outcome = again.empty()     ? "run once"
                              : again == digest ? tag("run twice: equal", "good")
                                                : tag("run twice: different", "bad");
  return "<tr><td>" + e(label) + "</td>" +
         cell(run.seed ? fmt::format("{:.0f}", *run.seed) : dash) + "<td><code>" + e(digest) +
         "</code></td><td>" + (again.empty() ? dash : "<code>" + e(again) + "</code>") +
         "</td><td>" + outcome + "</td></tr>\n";
}

std::string facts_of(const result_group& group) {
  std::string digests;
  std::string rest;
  for (std::size_t i = 0; i < group.results.size(); ++i) {
    for (const run_record& run : group.results[i]->runs) {
      digests += digest_row(group.labels[i], run);
      for (const auto& [name, value] : run.facts) {
        if (name.starts_with("digest")) continue;
        rest += "<tr><td>" + e(group.labels[i]) + "</td><td>" + e(name) +
                "</td><td class=\"wrap\"><code>" + e(shortened(value)) + "</code></td></tr>\n";
      }
    }
  }
  std::string out;
  if (!digests.empty()) {
    out +=
        "<h3>Determinism</h3>\n<div class=\"wide\"><table><thead><tr><th>point</th><th "
        "class=\"n\">seed</th><th>digest</th><th>of the repeat</th><th>outcome</th></tr></thead>"
        "<tbody>\n" +
        digests + "</tbody></table></div>\n";
  }
  if (!rest.empty()) {
    out +=
        "<details><summary>Facts of the transport</summary>\n<div class=\"wide\"><table>"
        "<tbody>\n" +
        rest + "</tbody></table></div></details>\n";
  }
  return out;
}

std::string group_section(const result_group& group, std::size_t index,
                          const std::vector<plot>& plots) {
  std::string body;
  for (std::size_t i = 0; i < plots.size(); ++i) {
    if (plots[i].group_index == index) body += figure_of(plots[i], i + 1);
  }
  body += facts_of(group);
  if (body.empty()) return "";
  return fmt::format("<section><h2 id=\"group{}\">{}</h2>\n", index + 1, e(group.name)) + body +
         "</section>\n";
}

std::string asserts_table(const std::vector<result_document>& results) {
  std::string rows;
  for (const result_document& r : results) {
    for (const assert_record& a : r.asserts) {
      rows += "<tr><td>" + e(name_of(r)) + "</td><td><code>" + e(a.expect) + "</code></td>" +
              cell(a.actual.empty() ? dash : a.actual) + "<td>" +
              tag(a.pass ? "pass" : "fail", a.pass ? "good" : "bad") + "</td></tr>\n";
    }
  }
  if (rows.empty()) return "";
  return "<h2 id=\"asserts\">Asserts</h2>\n<div class=\"wide\"><table><thead><tr><th>point</th>"
         "<th>expected</th><th class=\"n\">actual</th><th>outcome</th></tr></thead><tbody>\n" +
         rows + "</tbody></table></div>\n";
}

std::string table_of(const std::vector<named_text>& pairs) {
  std::string out = "<table><tbody>\n";
  for (const auto& [name, value] : pairs) {
    out += "<tr><td>" + e(name) + "</td><td class=\"wrap\">" + (value.empty() ? dash : e(value)) +
           "</td></tr>\n";
  }
  return out + "</tbody></table>\n";
}

// Each distinct host and build once: results in one report mostly share them.
std::string hosts(const std::vector<result_document>& results) {
  std::string out;
  std::vector<std::string> seen;
  for (const result_document& r : results) {
    std::vector<named_text> pairs = r.host;
    // What changes from run to run does not make another host.
    std::erase_if(pairs, [](const named_text& p) {
      return p.first.starts_with("load") || p.first.starts_with("steal");
    });
    for (const auto& [name, value] : r.build) pairs.emplace_back("build " + name, value);
    const std::string table = table_of(pairs);
    if (pairs.empty() || std::find(seen.begin(), seen.end(), table) != seen.end()) continue;
    seen.push_back(table);
    const std::string cpu = value_of(r.host, "cpu");
    out += "<details><summary>Host and build" + (cpu.empty() ? "" : ": " + e(cpu)) +
           "</summary>\n" + table + "</details>\n";
  }
  return out;
}

std::string raw_parts(const std::vector<result_document>& results) {
  std::string out;
  for (const result_document& r : results) {
    out += "<details><summary>" + e(name_of(r)) + "</summary>\n<h3>Configuration</h3>\n<pre>" +
           e(r.config_json) + "</pre>\n<h3>Result without histograms and series</h3>\n<pre>" +
           e(r.abridged_json) + "</pre></details>\n";
  }
  return out;
}

}  // namespace

std::string html_page(const std::vector<result_document>& results,
                      const std::vector<result_group>& groups, const std::vector<plot>& plots,
                      const page_input& input) {
  std::string out =
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" +
      e(input.title) + "</title>\n<style>" + page_style + "</style>\n</head>\n<body>\n<h1>" +
      e(input.title) + "</h1>\n" + verdict(results);
  for (const std::string& w : input.warnings) out += "<p class=\"note\">" + e(w) + "</p>\n";
  out += summary_table(groups, input.percentiles) + comparisons(input);
  for (std::size_t i = 0; i < groups.size(); ++i) out += group_section(groups[i], i, plots);
  out += asserts_table(results);
  out += "<h2 id=\"details\">Host, configuration, raw results</h2>\n" + hosts(results);
  const std::string raw = raw_parts(results);
  out += out.size() + raw.size() < page_limit
             ? raw
             : "<p class=\"note\">The raw results would make this page too large; they are in the "
               "result files.</p>\n";
  return out + "</body>\n</html>\n";
}

}  // namespace mdp::reports
