// The command line as text for shells and for man(1), made from what the parser knows, so that none
// of them can fall behind it. Pure functions.
#pragma once
#include <string>
#include <vector>

namespace mdp::cli {

struct option_help {
  std::vector<std::string> names;  // "-o", "--output"; of a positional its one name: "FILE"
  std::string value;               // "DIR"; empty: a flag
  std::string description;
  std::vector<std::string> choices;  // not empty: the values it takes
  [[nodiscard]] bool positional() const { return names.front().front() != '-'; }
};
struct command_help {
  std::string name;
  std::string description;
  std::string footer;  // an example
  std::vector<option_help> options;
};

// Scripts for `source <(mdp completion bash)` and for a file _mdp on zsh's fpath.
[[nodiscard]] std::string bash_completion(const std::vector<command_help>& commands);
[[nodiscard]] std::string zsh_completion(const std::vector<command_help>& commands);
// A page for section 1, in man(7) macros. `footer`: examples and exit codes, kept as they are.
[[nodiscard]] std::string manual_page(const std::vector<command_help>& commands,
                                      const std::string& description, const std::string& footer,
                                      const std::string& version);

}  // namespace mdp::cli
