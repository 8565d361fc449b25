#include "files.hpp"

#include <fmt/format.h>

#include <fstream>
#include <sstream>
#include <system_error>

#include "mdp/reports/reports.hpp"

namespace mdp::reports {
namespace fs = std::filesystem;

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error || !fs::is_directory(folder)) {
    throw report_error(fmt::format("cannot create the folder {} ({}); choose another with -o",
                                   folder.string(), error ? error.message() : "a file is there"));
  }
}

void write_file(const fs::path& target, const std::string& text) {
  fs::path temporary = target;
  temporary += ".part";
  std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  std::error_code error;
  if (out) fs::rename(temporary, target, error);
  if (!out || error) {
    std::error_code ignored;
    fs::remove(temporary, ignored);
    throw report_error(fmt::format(
        "cannot write {}: check that the folder may be written and the disk has room, or choose "
        "another folder with -o",
        target.string()));
  }
}

std::string read_file(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return in ? out.str() : std::string();
}

}  // namespace mdp::reports
