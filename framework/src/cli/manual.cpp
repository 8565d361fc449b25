#include "manual.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace mdp::cli {
namespace {

std::vector<std::string> words_of(const command_help& command) {
  std::vector<std::string> words;
  for (const option_help& o : command.options) {
    if (o.positional()) {
      words.insert(words.end(), o.choices.begin(), o.choices.end());
    } else {
      words.insert(words.end(), o.names.begin(), o.names.end());
    }
  }
  return words;
}

// Text for zsh's _arguments: brackets and colons would end a field, a quote the word.
std::string zsh_text(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
      continue;
    }
    if (c == '[' || c == ']' || c == ':') out += '\\';
    out += c;
  }
  return out;
}

std::string zsh_values(const option_help& o) {
  return o.choices.empty() ? "_files" : fmt::format("({})", fmt::join(o.choices, " "));
}

// A line of text that troff takes as it is.
std::string roff(const std::string& text) {
  std::string out;
  if (!text.empty() && (text.front() == '.' || text.front() == '\'')) out += "\\&";
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out;
}

std::string roff_lines(const std::string& text) {
  std::string out = ".nf\n";
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    out += roff(text.substr(begin, end - begin)) + "\n";
    begin = end + 1;
  }
  return out + ".fi\n";
}

}  // namespace

std::string bash_completion(const std::vector<command_help>& commands) {
  std::vector<std::string> names;
  std::string cases;
  std::string values;
  for (const command_help& c : commands) {
    names.push_back(c.name);
    cases += fmt::format("    {}) words=\"{}\" ;;\n", c.name, fmt::join(words_of(c), " "));
    for (const option_help& o : c.options) {
      if (o.positional() || o.choices.empty()) continue;
      for (const std::string& name : o.names) {
        values +=
            fmt::format("    {}:{}) words=\"{}\" ;;\n", c.name, name, fmt::join(o.choices, " "));
      }
    }
  }
  return fmt::format(R"(# bash completion for mdp: source <(mdp completion bash)
_mdp() {{
  local word="${{COMP_WORDS[COMP_CWORD]}}" words=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "{} --help --version" -- "$word"))
    return
  fi
  case "${{COMP_WORDS[1]}}" in
{}  esac
  case "${{COMP_WORDS[1]}}:${{COMP_WORDS[COMP_CWORD-1]}}" in
{}  esac
  COMPREPLY=($(compgen -W "$words" -- "$word") $(compgen -f -- "$word"))
}}
complete -o filenames -F _mdp mdp
)",
                     fmt::join(names, " "), cases, values);
}

std::string zsh_completion(const std::vector<command_help>& commands) {
  std::string described;
  std::string cases;
  for (const command_help& c : commands) {
    described += fmt::format("    '{}:{}'\n", c.name, zsh_text(c.description));
    std::string arguments;
    for (const option_help& o : c.options) {
      if (o.positional()) {
        arguments += fmt::format(" \\\n      '*:{}:{}'", o.names.front(), zsh_values(o));
        continue;
      }
      for (const std::string& name : o.names) {
        arguments += fmt::format(
            " \\\n      '{}[{}]{}'", name, zsh_text(o.description),
            o.value.empty() ? "" : fmt::format(":{}:{}", zsh_text(o.value), zsh_values(o)));
      }
    }
    cases += fmt::format("    {}) _arguments{} ;;\n", c.name, arguments);
  }
  return fmt::format(R"(#compdef mdp
# zsh completion for mdp: mdp completion zsh > _mdp, in a folder of $fpath
_mdp() {{
  local -a commands=(
{}  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
{}  esac
}}
_mdp "$@"
)",
                     described, cases);
}

std::string manual_page(const std::vector<command_help>& commands, const std::string& description,
                        const std::string& footer, const std::string& version) {
  std::string out = fmt::format(
      ".TH MDP 1 \"\" \"mdp {}\" \"User commands\"\n.SH NAME\nmdp \\- {}\n.SH SYNOPSIS\n", version,
      roff(description));
  for (const command_help& c : commands) out += fmt::format(".B mdp {}\n[options]\n.br\n", c.name);
  out += ".SH COMMANDS\n";
  for (const command_help& c : commands) {
    out += fmt::format(".SS {}\n{}\n", c.name, roff(c.description));
    for (const option_help& o : c.options) {
      out += fmt::format(".TP\n.B {}{}\n{}\n", roff(fmt::format("{}", fmt::join(o.names, ", "))),
                         o.value.empty() || o.positional() ? "" : " \\fI" + roff(o.value) + "\\fR",
                         roff(o.description));
    }
    if (!c.footer.empty()) out += ".PP\n" + roff_lines(c.footer);
  }
  return out + ".SH EXAMPLES AND EXIT CODES\n" + roff_lines(footer);
}

}  // namespace mdp::cli
