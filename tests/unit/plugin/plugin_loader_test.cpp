// The loader: what it finds, what it refuses and what it says then.
#include "mdp/plugin/plugin_loader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace mdp::plugin {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// An empty directory of its own; plugins are copied into it under any name.
class plugin_loader : public testing::Test {
 protected:
  void SetUp() override {
    directory_ =
        fs::temp_directory_path() / ("mdp_plugin_test_" + std::to_string(::getpid()) + "_" +
                                     testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(directory_);
    fs::create_directories(directory_);
  }
  void TearDown() override { fs::remove_all(directory_); }

  std::string put(const std::string& from, const std::string& as) {
    const fs::path to = directory_ / ("mdp_transport_" + as + ".so");
    fs::copy_file(from, to, fs::copy_options::overwrite_existing);
    return to;
  }
  std::string put_bad(const std::string& name) {
    return put(std::string(MDP_BAD_PLUGIN_DIR "/mdp_transport_") + name + ".so", name);
  }
  std::string put_text(const std::string& name, const std::string& text) {
    const fs::path to = directory_ / ("mdp_transport_" + name + ".so");
    std::ofstream(to) << text;
    return to;
  }
  plugin_info listed(const std::string& path) {
    for (const auto& info : list_plugins({directory_})) {
      if (info.path == path) return info;
    }
    ADD_FAILURE() << path << " is not listed";
    return {};
  }
  std::string refusal(const std::string& name, const std::string& options = "{}") {
    try {
      static_cast<void>(create_fabric(name, options, {directory_}));
    } catch (const plugin_error& e) {
      EXPECT_EQ(std::string(e.what()).find('\n'), std::string::npos) << "more than one line";
      return e.what();
    }
    return "no refusal";
  }

  fs::path directory_;
};

TEST_F(plugin_loader, searches_explicit_directories_then_the_environment_then_beside_the_program) {
  ::setenv("MDP_PLUGIN_PATH", "/env/one::/env/two", 1);
  const auto path = plugin_search_path({"/explicit"});
  ::unsetenv("MDP_PLUGIN_PATH");
  ASSERT_GE(path.size(), 4u);
  EXPECT_EQ(path[0], "/explicit");
  EXPECT_EQ(path[1], "/env/one");
  EXPECT_EQ(path[2], "/env/two");
  EXPECT_EQ(fs::path(path[3]), fs::path(MDP_PLUGIN_DIR));
}

TEST_F(plugin_loader, creates_a_fabric_that_outlives_everything_else) {
  const auto fabric = create_fabric("null", "{}", {MDP_PLUGIN_DIR});
  ASSERT_NE(fabric, nullptr);
  EXPECT_GE(fabric->caps().datagram_bytes_max, 1200u);
  const auto info = list_plugins({MDP_PLUGIN_DIR});
  const auto at =
      std::find_if(info.begin(), info.end(), [](const auto& i) { return i.name == "null"; });
  ASSERT_NE(at, info.end());
  EXPECT_EQ(at->unavailable, "");
  EXPECT_EQ(at->abi_version, transport::plugin_abi_version);
  EXPECT_NE(at->summary, "");
  EXPECT_TRUE(std::is_sorted(info.begin(), info.end(),
                             [](const auto& a, const auto& b) { return a.name < b.name; }));
}

TEST_F(plugin_loader, loads_an_explicit_path) {
  const std::string path = put(MDP_PLUGIN_DIR "/mdp_transport_null.so", "elsewhere");
  EXPECT_NE(create_fabric(path), nullptr);
  EXPECT_THAT(refusal((directory_ / "missing.so").string()), HasSubstr("no such file"));
}

TEST_F(plugin_loader, a_missing_plugin_is_named_with_what_is_there_and_where_it_looked) {
  put(MDP_PLUGIN_DIR "/mdp_transport_null.so", "null");
  const std::string text = refusal("nul");
  EXPECT_THAT(text, AllOf(HasSubstr("'nul' not found"), HasSubstr("did you mean 'null'"),
                          HasSubstr(directory_.string()), HasSubstr("MDP_PLUGIN_PATH")));
  EXPECT_THAT(refusal("carrier_pigeon"), Not(HasSubstr("did you mean")));
}

TEST_F(plugin_loader, a_missing_directory_is_no_error) {
  EXPECT_NO_THROW(static_cast<void>(list_plugins({"/does/not/exist"})));
}

TEST_F(plugin_loader, another_abi_version_is_refused) {
  const std::string path = put_bad("wrong_version");
  EXPECT_THAT(listed(path).unavailable, AllOf(HasSubstr("ABI 99"), HasSubstr("rebuild")));
  EXPECT_EQ(listed(path).abi_version, 99u);
  EXPECT_THAT(refusal("wrong_version"), AllOf(HasSubstr(path), HasSubstr("ABI 99")));
}

TEST_F(plugin_loader, another_descriptor_size_is_refused) {
  EXPECT_THAT(listed(put_bad("wrong_size")).unavailable, HasSubstr("8 bytes instead of"));
}

TEST_F(plugin_loader, another_build_is_refused) {
  put_bad("wrong_tag");
  EXPECT_THAT(refusal("wrong_tag"), AllOf(HasSubstr("another-compiler"), HasSubstr(MDP_ABI_TAG)));
}

TEST_F(plugin_loader, another_kind_is_refused) {
  put_bad("wrong_kind");
  EXPECT_THAT(refusal("wrong_kind"), HasSubstr("kind 'colour'"));
}

TEST_F(plugin_loader, a_library_without_the_symbol_is_refused) {
  put_bad("no_symbol");
  EXPECT_THAT(refusal("no_symbol"), HasSubstr(transport::plugin_symbol));
}

TEST_F(plugin_loader, files_that_are_no_libraries_are_listed_with_the_reason) {
  const std::string text = put_text("text", "this is not a library\n");
  const std::string empty = put_text("empty", "");
  EXPECT_THAT(listed(text).unavailable, HasSubstr("not a loadable shared object"));
  EXPECT_EQ(listed(text).name, "text");
  EXPECT_THAT(listed(empty).unavailable, HasSubstr("not a loadable shared object"));
  EXPECT_THAT(refusal("text"), HasSubstr(text));
}

TEST_F(plugin_loader, a_plugin_that_cannot_be_used_here_says_why) {
  const std::string path = put_bad("unusable");
  EXPECT_EQ(listed(path).unavailable, "the moon is full");
  EXPECT_THAT(refusal("refusing"), HasSubstr("the moon is full"));
}

TEST_F(plugin_loader, a_refused_creation_gives_the_plugins_reason) {
  put_bad("refusing");
  EXPECT_THAT(refusal("refusing", R"({"a":1})"), HasSubstr(R"(not today: {"a":1})"));
}

TEST_F(plugin_loader, of_two_with_one_name_the_first_directory_wins) {
  const std::string first = put(MDP_PLUGIN_DIR "/mdp_transport_null.so", "null");
  const auto found = list_plugins({directory_.string(), MDP_PLUGIN_DIR});
  EXPECT_EQ(std::count_if(found.begin(), found.end(), [](auto& i) { return i.name == "null"; }), 1);
  const auto at =
      std::find_if(found.begin(), found.end(), [](auto& i) { return i.name == "null"; });
  EXPECT_EQ(at->path, first);
}

}  // namespace
}  // namespace mdp::plugin
