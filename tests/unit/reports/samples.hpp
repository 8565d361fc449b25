// Sample results (tests/golden/reports) and folders for tests.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace mdp::reports::test {

// Text of tests/golden/reports/<name>; fails the test when it is not there.
[[nodiscard]] std::string golden(const std::string& name);
// Every sample result, in one fixed order.
[[nodiscard]] std::vector<std::string> all_samples();
// A result with the given members beside schema, scenario and id ("\"runs\":[]").
[[nodiscard]] std::string small_result(const std::string& members);

// An empty folder that goes with the object.
class scratch_folder {
 public:
  scratch_folder();
  ~scratch_folder();
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

[[nodiscard]] std::string text_of_file(const std::filesystem::path& file);
// What `act` says when it throws report_error; empty when it does not.
template <class Act>
std::string complaint_of(Act&& act);

}  // namespace mdp::reports::test

#include "mdp/reports/reports.hpp"

template <class Act>
std::string mdp::reports::test::complaint_of(Act&& act) {
  try {
    act();
  } catch (const report_error& error) {
    return error.what();
  }
  return "";
}
