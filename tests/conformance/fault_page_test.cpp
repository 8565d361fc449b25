// docs/system-faults.md against what there is: what a row names as counter or fact exists, the
// tests that it names exist, and each test of a fault has its row.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "mdp/transport/transport.hpp"

namespace mdp::conformance {
namespace {

using names = std::set<std::string>;

std::string read(const std::string& path) {
  std::ifstream in(std::string(MDP_SOURCE_DIR) + "/" + path);
  EXPECT_TRUE(in) << path;
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// The first group of each match.
names matches(const std::string& text, const char* pattern) {
  names found;
  const std::regex sought(pattern);
  for (std::sregex_iterator at(text.begin(), text.end(), sought), end; at != end; ++at)
    found.insert((*at)[1]);
  return found;
}

names tests_in(const std::string& path) {
  return matches(read(path), R"(\nTEST(?:_P|_F)?\(\w+,\s*(\w+)\))");
}

TEST(fault_page, each_test_of_a_fault_is_named_and_each_name_is_a_test) {
  names tests;
  for (const char* path :
       {"tests/conformance/faults_test.cpp", "tests/conformance/refusal_test.cpp",
        "tests/conformance/availability_test.cpp", "tests/conformance/small_mtu_test.cpp",
        "tests/integration/node/system_faults_test.cpp"}) {
    tests.merge(tests_in(path));
  }
  tests.merge(matches(read("tests/e2e/cli/refusals_test.py"), R"(def (test_\w+)\()"));
  const names on_page = matches(read("docs/system-faults.md"), R"(`(\w+)`)");
  for (const std::string& name : tests)
    EXPECT_TRUE(on_page.contains(name)) << "no row of docs/system-faults.md names " << name;
  // A name of four words or more is a test's; shorter ones may be counters.
  for (const std::string& name : on_page) {
    if (std::count(name.begin(), name.end(), '_') >= 3) {
      EXPECT_TRUE(tests.contains(name)) << "there is no test " << name;
    }
  }
}

TEST(fault_page, each_counter_and_fact_exists) {
  names known{"gso_missing", "gro_missing", "recv_buffer_capped", "send_buffer_capped"};
  for (const std::string& fact : names(known))
    EXPECT_NE(read("transports/common/udp_socket.cpp").find('"' + fact + '"'), std::string::npos)
        << fact;
  for (const auto& [name, member] : transport::counter_names) known.insert(name);
  std::stringstream page(read("docs/system-faults.md"));
  std::size_t rows = 0;
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("| ") || line.starts_with("| fault")) continue;
    ++rows;
    std::stringstream cells(line);
    std::string cell;
    for (int i = 0; i < 4; ++i) std::getline(cells, cell, '|');
    for (const std::string& name : matches(cell, R"(`(\w+)`)"))
      EXPECT_TRUE(known.contains(name)) << name << " in: " << line;
  }
  EXPECT_GE(rows, 15u);
}

}  // namespace
}  // namespace mdp::conformance
