// Every broken scenario below tests/golden/scenario/broken gives exactly the message recorded
// beside it. MDP_UPDATE_GOLDEN=1 rewrites the record; review it as a diff.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "test_context.hpp"

namespace mdp::scenario {
namespace {

namespace fs = std::filesystem;
const fs::path folder = fs::path(MDP_SOURCE_DIR) / "tests/golden/scenario";

std::string message_of(const std::string& name) {
  load_options options;
  options.context = testing::fixed_context();
  try {
    static_cast<void>(load_scenario((folder / "broken" / (name + ".json")).string(), options));
  } catch (const scenario_error& e) {
    // Positions are reported with the path as given; the record leaves the folder out.
    std::string text = e.what();
    const std::string prefix = (folder / "broken").string() + "/";
    for (auto at = text.find(prefix); at != std::string::npos; at = text.find(prefix)) {
      text.erase(at, prefix.size());
    }
    return text;
  }
  return "accepted";
}

// Lines of three fields: kind (which checker sees it), name, message.
TEST(scenario_golden, broken_files_give_the_recorded_messages) {
  std::ifstream in(folder / "expected.txt");
  std::string line;
  std::string updated;
  std::size_t cases = 0;
  while (std::getline(in, line)) {
    std::istringstream fields(line);
    std::string kind;
    std::string name;
    std::string message;
    fields >> kind >> name;
    fields.get();
    std::getline(fields, message);
    const std::string actual = message_of(name);
    EXPECT_NE(actual, "accepted") << name;
    EXPECT_EQ(actual.find('\n'), std::string::npos) << "more than one line: " << actual;
    if (std::getenv("MDP_UPDATE_GOLDEN") == nullptr) {
      EXPECT_EQ(actual, message) << name;
    }
    updated += kind;
    updated += ' ';
    updated += name;
    updated += ' ';
    updated += actual;
    updated += '\n';
    ++cases;
  }
  EXPECT_GE(cases, 60u);
  std::size_t files = 0;
  for (const auto& e : fs::directory_iterator(folder / "broken")) {
    files += e.path().extension() == ".json" ? 1u : 0u;
  }
  EXPECT_EQ(files, cases) << "a broken file without a recorded message";
  if (std::getenv("MDP_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(folder / "expected.txt") << updated;
  }
}

TEST(scenario_golden, the_file_they_were_broken_from_is_good) {
  load_options options;
  options.context = testing::fixed_context();
  EXPECT_EQ(load_scenario((folder / "good.json").string(), options).points.size(), 2u);
}

TEST(scenario_golden, the_published_schema_is_current) {
  std::ifstream in(fs::path(MDP_SOURCE_DIR) / "scenarios/mdp-scenario-1.schema.json");
  std::stringstream text;
  text << in.rdbuf();
  EXPECT_EQ(text.str(), scenario_json_schema())
      << "run: mdp list schema > scenarios/mdp-scenario-1.schema.json";
}

}  // namespace
}  // namespace mdp::scenario
