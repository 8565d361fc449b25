#include "svg.hpp"

namespace mdp::reports {
namespace {

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
}

// Removes from each `begin` to the `end` after it.
void remove_all(std::string& text, const std::string& begin, const std::string& end) {
  for (std::size_t at = 0; (at = text.find(begin, at)) != std::string::npos;) {
    const std::size_t stop = text.find(end, at + begin.size());
    if (stop == std::string::npos) return;
    text.erase(at, stop + end.size() - at);
  }
}

}  // namespace

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

std::string inline_svg(const std::string& svg, const std::string& prefix,
                       const std::string& label) {
  const std::size_t begin = svg.find("<svg");
  if (begin == std::string::npos) return "";
  std::string out = svg.substr(begin);
  remove_all(out, "<title>", "</title>");
  remove_all(out, "<desc>", "</desc>");
  remove_all(out, "<rect x=\"0\" y=\"0\"", "/>");
  std::string without_defs = out;
  remove_all(without_defs, "<defs>", "</defs>");
  // Symbols that nothing uses are most of the file.
  const bool used = without_defs.find("href=") != std::string::npos ||
                    without_defs.find("url(#") != std::string::npos;
  if (!used) out = without_defs;
  for (const char quote : {'\'', '"'}) {
    const std::string id = std::string(" id=") + quote;
    const std::string reference = std::string("href=") + quote + '#';
    replace_all(out, id, std::string(id).append(prefix));
    replace_all(out, reference, std::string(reference).append(prefix));
  }
  replace_all(out, "url(#", "url(#" + prefix);
  replace_all(out, " color=\"black\"", "");
  for (const char* ink : {"rgb( 61,  70,  80)", "rgb(61,70,80)", "rgb( 48,  54,  61)"}) {
    replace_all(out, ink, "currentColor");
  }
  replace_all(out, "stroke='rgb( 92, 102, 112)'", "stroke='currentColor' stroke-opacity='0.6'");
  replace_all(out, "stroke='rgb(213, 218, 224)'", "stroke='currentColor' stroke-opacity='0.16'");
  replace_all(out, "font-family=\"Arial\"", "");
  out.replace(0, 4, "<svg role=\"img\" aria-label=\"" + html_escaped(label) + "\"");
  return out;
}

}  // namespace mdp::reports
