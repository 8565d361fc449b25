#include "mdp/base/thread_plan.hpp"

#include <gtest/gtest.h>

namespace mdp {
namespace {

TEST(thread_plan, text_and_back) {
  for (const char* text : {"inline", "single", "pair", "pipeline", "sharded:1", "sharded:64"}) {
    const auto plan = parse_thread_plan(text);
    ASSERT_TRUE(plan) << text;
    EXPECT_EQ(to_string(*plan), text);
  }
  EXPECT_EQ(parse_thread_plan("sharded:7")->shards, 7u);
  EXPECT_EQ(parse_thread_plan("inline")->shards, 1u);
  for (const char* text : {"park", "yield", "spin"})
    EXPECT_STREQ(to_string(*parse_idle_strategy(text)), text);
}

TEST(thread_plan, an_error_says_what_there_is) {
  const auto why = [](const char* text) { return parse_thread_plan(text).error(); };
  for (const char* text : {"", "Inline", "two", "sharded", "pairs"})
    EXPECT_NE(why(text).find("inline, single, pair, pipeline, sharded:N"), std::string::npos)
        << text;
  for (const char* text :
       {"sharded:", "sharded:0", "sharded:65", "sharded:-1", "sharded:2x", "sharded:99999999999"})
    EXPECT_NE(why(text).find("1 .. 64"), std::string::npos) << text;
  EXPECT_NE(parse_idle_strategy("sleep").error().find("park, yield, spin"), std::string::npos);
}

}  // namespace
}  // namespace mdp
