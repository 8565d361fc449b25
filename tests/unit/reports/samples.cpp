#include "samples.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <sstream>

namespace mdp::reports::test {
namespace fs = std::filesystem;

std::string text_of_file(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::string golden(const std::string& name) {
  std::string text = text_of_file(fs::path(MDP_SOURCE_DIR) / "tests/golden/reports" / name);
  EXPECT_FALSE(text.empty()) << "tests/golden/reports/" << name << " is missing or empty";
  return text;
}

std::vector<std::string> all_samples() {
  std::vector<std::string> out;
  for (const char* name :
       {"quickstart-request_response-socket", "quickstart-request_response-io_uring",
        "quickstart-stream-socket", "quickstart-stream-io_uring", "lossy-wan", "few-figures",
        "no-figures"}) {
    out.push_back(golden(std::string(name) + ".json"));
  }
  return out;
}

std::string small_result(const std::string& members) {
  return R"({"schema":"mdp-result/1","id":"small","scenario":"small",)" + members + "}";
}

scratch_folder::scratch_folder() {
  std::string name = (fs::temp_directory_path() / "mdp-reports-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw fs::filesystem_error("mkdtemp", {});
  path_ = name;
}

scratch_folder::~scratch_folder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace mdp::reports::test
