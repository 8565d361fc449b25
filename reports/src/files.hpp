// Files of a report: written whole or not at all.
#pragma once
#include <filesystem>
#include <string>

namespace mdp::reports {

// Creates the folder and its parents. Throws report_error naming it.
void make_folder(const std::filesystem::path& folder);
// Temporary file beside it, then rename. Throws report_error naming the file.
void write_file(const std::filesystem::path& target, const std::string& text);
// Empty when it cannot be read.
[[nodiscard]] std::string read_file(const std::filesystem::path& file);

}  // namespace mdp::reports
