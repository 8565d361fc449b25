// Files that `mdp` writes and the progress it shows.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "mdp/scenario/json_value.hpp"

namespace mdp::cli {

// Creates the folder and proves that a file can be written there. Throws std::runtime_error with
// one line.
void prepare_output_dir(const std::filesystem::path& folder);

// Temporary file, flush to disk, rename: the target is either the old file or the whole new one.
// Throws.
void write_file_atomically(const std::filesystem::path& target, const std::string& text);

// The result documents (schema mdp-result/1) of files and folders, in order of file name, each as
// text. A damaged file of a folder is set aside with one line that names it; other JSON there is
// passed over. Throws std::runtime_error: nothing there, or nothing that is whole, or a file named
// by itself that is damaged.
struct result_text {
  std::string file;
  std::string text;
  scenario::json_value document;
};
struct result_set {
  std::vector<result_text> results;
  std::vector<std::string> damaged;
};
// Files of a folder that are named as results are, by a point's id: 12 hex digits. Sorted.
[[nodiscard]] std::vector<std::filesystem::path> result_files(const std::filesystem::path& folder);
[[nodiscard]] result_set read_results(const std::vector<std::string>& paths);
[[nodiscard]] scenario::json_value parse_result(const std::string& text, const std::string& file);
// Of such a document: its scenario, and its variables with their values.
[[nodiscard]] std::string point_name(const scenario::json_value& result);

// Writes to stderr; a closed or full stderr loses the words, never the measurement.
void say(const std::string& text) noexcept;

// stdout is a terminal and NO_COLOR is unset.
[[nodiscard]] bool colour_wanted();

// Lines on stderr; on a terminal each replaces the one before.
class progress_printer {
 public:
  explicit progress_printer(bool quiet);
  ~progress_printer();
  progress_printer(const progress_printer&) = delete;
  progress_printer& operator=(const progress_printer&) = delete;
  void line(const std::string& text);
  // A line that stays, also with --quiet when `important`.
  void keep(const std::string& text, bool important = false);

 private:
  void clear();
  bool quiet_;
  bool terminal_;
  bool pending_ = false;
};

}  // namespace mdp::cli
