#include "html.hpp"

#include <fmt/format.h>

#include "figures.hpp"

namespace mdp::reports {

std::string html_escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string html_page(const std::vector<result_document>& results, const std::vector<plot>& plots,
                      const page_input& input) {
  std::string out = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>" +
                    html_escaped(input.title) + "</title>";
  for (const result_document& r : results) out += "<p>" + html_escaped(r.scenario) + " " + r.status;
  for (const plot& p : plots) out += p.svg;
  return out + "</html>\n";
}

}  // namespace mdp::reports
