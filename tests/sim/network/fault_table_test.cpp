// docs/faults.md against what there is: each fault that a scenario can ask for has a row, each row
// has its trials, and each trial ends as its row says.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "mdp/scenario/json_value.hpp"

namespace mdp::test {
namespace {

using names = std::set<std::string>;
using scenario::json_value;

const std::string root = MDP_SOURCE_DIR;

std::string page() {
  std::ifstream in(root + "/docs/faults.md");
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// What stands between backticks.
names quoted(const std::string& text) {
  names out;
  std::stringstream in(text);
  std::string part;
  for (bool inside = false; std::getline(in, part, '`'); inside = !inside) {
    if (inside) out.insert(part);
  }
  return out;
}

std::string trimmed(const std::string& text) {
  const std::size_t from = text.find_first_not_of(' ');
  return from == std::string::npos ? "" : text.substr(from, text.find_last_not_of(' ') - from + 1);
}

struct row {
  std::string fault, recovers, cannot, reported, trials;
};

// The rows of the table whose heading begins with "fault".
std::vector<row> rows() {
  std::vector<row> out;
  bool inside = false;
  std::stringstream in(page());
  for (std::string line; std::getline(in, line);) {
    const bool begins = line.starts_with("| fault |");
    inside = begins || (inside && line.starts_with("|"));
    if (!inside || begins || line.starts_with("|---")) continue;
    std::vector<std::string> cells;
    std::stringstream parts(line.substr(1));
    for (std::string cell; std::getline(parts, cell, '|');) cells.push_back(trimmed(cell));
    EXPECT_EQ(cells.size(), 5u) << line;
    cells.resize(5);
    out.push_back({cells[0], cells[1], cells[2], cells[3], cells[4]});
  }
  return out;
}

// How each trial ends, by its name: what the parameters of the tests print.
std::map<std::string, std::string> trials() {
  std::map<std::string, std::string> out;
  const testing::UnitTest& all = *testing::UnitTest::GetInstance();
  for (int s = 0; s < all.total_test_suite_count(); ++s) {
    const testing::TestSuite& suite = *all.GetTestSuite(s);
    if (!std::string(suite.name()).ends_with("/node_and_link_faults")) continue;
    for (int t = 0; t < suite.total_test_count(); ++t) {
      const testing::TestInfo& info = *suite.GetTestInfo(t);
      const std::string name = info.name();
      out[name.substr(name.find('/') + 1)] = info.value_param();
    }
  }
  return out;
}

const json_value& network_schema() {
  static const json_value schema =
      scenario::parse_json_file(root + "/scenarios/mdp-scenario-1.schema.json");
  return *schema.at("properties", "network", "properties");
}

// The words that a key may have; variables and null aside.
names choices(const json_value& key) {
  names out;
  for (const json_value& way : key.find("anyOf")->items) {
    const json_value* words = way.find("enum");
    if (words == nullptr) continue;
    for (const json_value& word : words->items) {
      if (word.is(scenario::json_kind::string)) out.insert(word.text);
    }
  }
  EXPECT_FALSE(out.empty());
  return out;
}

names keys(const json_value& object) {
  names out;
  for (const scenario::json_member& m : object.members) out.insert(m.name);
  return out;
}

const json_value& link_keys() {
  return *network_schema().at("links", "additionalProperties", "properties");
}

TEST(FaultTable, HasEachFaultThatAScenarioCanAskFor) {
  names in_table;
  for (const row& r : rows()) in_table.merge(quoted(r.fault));
  names wanted = choices(*network_schema().at("faults", "items", "properties", "kind"));
  EXPECT_TRUE(wanted.contains("crash"));
  wanted.merge(choices(*network_schema().at("fates", "items", "properties", "fate")));
  wanted.erase("pass");  // nothing happens
  wanted.merge(choices(*link_keys().at("loss", "properties", "model")));
  wanted.merge(choices(*link_keys().find("corrupt_kind")));
  wanted.merge(keys(*link_keys().at("changes", "items", "properties")));
  wanted.erase("at_us");
  for (const std::string& fault : wanted) {
    EXPECT_TRUE(in_table.contains(fault)) << "docs/faults.md has no row for `" << fault << "`";
  }
}

// In the table, or named as none of them.
TEST(FaultTable, SaysOfEachKeyOfALinkWhetherItIsAFault) {
  const names on_page = quoted(page());
  for (const std::string& key : keys(link_keys())) {
    EXPECT_TRUE(on_page.contains(key)) << "docs/faults.md does not name `" << key << "`";
  }
}

TEST(FaultTable, EachRowEndsAsItsTrialsDo) {
  const std::map<std::string, std::string> end_of = trials();
  ASSERT_GT(rows().size(), 20u);
  for (const row& r : rows()) {
    SCOPED_TRACE(r.fault);
    names ends;
    for (const std::string& trial : quoted(r.trials)) {
      EXPECT_TRUE(end_of.contains(trial)) << "there is no trial " << trial;
      if (end_of.contains(trial)) ends.insert(end_of.at(trial));
    }
    const bool goes_on = std::any_of(ends.begin(), ends.end(), [](const std::string& end) {
      return end == "outlived" || end == "interrupted" || end == "forgotten";
    });
    EXPECT_EQ(r.recovers != "–", goes_on);
    ends.erase("outlived");
    EXPECT_EQ(ends, names{r.reported}) << "a fault that MDP cannot outlive, and how it ends then";
    EXPECT_NE(r.cannot, "–");
  }
}

TEST(FaultTable, HasEachTrial) {
  names in_table;
  for (const row& r : rows()) in_table.merge(quoted(r.trials));
  EXPECT_GT(trials().size(), 50u);
  for (const auto& [name, end] : trials()) {
    EXPECT_TRUE(in_table.contains(name)) << "no row of docs/faults.md names " << name;
  }
}

// The values that a scenario's sweep of faults takes: names of variables.
names points_of(const std::string& file) {
  names out;
  const json_value document = scenario::parse_json_file(root + "/scenarios/" + file);
  for (const json_value& value : document.at("sweep", "fault")->items) {
    out.insert(value.text.substr(2, value.text.size() - 3));  // without ${}
  }
  return out;
}

// For `mdp run`: the same faults under the same names, with assertions on what is reported.
TEST(FaultTable, EachTrialIsAPointOfTheScenarioOfItsState) {
  const std::map<std::string, const char*> file_of = {
      {"outlived", "faults_outlived.json"},  {"interrupted", "faults_interrupted.json"},
      {"cut off", "faults_cut_off.json"},    {"unheard", "faults_cut_off.json"},
      {"dead", "faults_cut_off.json"},       {"refused", "faults_refused.json"},
      {"timed out", "faults_timed_out.json"}};
  std::map<std::string, names> wanted;
  for (const auto& [name, end] : trials()) {
    if (end == "forgotten") {
      EXPECT_TRUE(std::ifstream(root + "/scenarios/" + name + ".json").good()) << name;
    } else {
      wanted[file_of.at(end)].insert(name);
    }
  }
  EXPECT_EQ(wanted.size(), 5u);
  for (const auto& [file, list] : wanted) EXPECT_EQ(points_of(file), list) << file;
}

// What the applications are told in each state is said once, above the table.
TEST(FaultTable, EachStateIsExplained) {
  const std::string text = page();
  for (const auto& [name, end] : trials()) {
    EXPECT_NE(text.find("\n| " + end + " | "), std::string::npos) << end;
  }
}

}  // namespace
}  // namespace mdp::test
