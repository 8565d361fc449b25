#include "mdp/runtime/stats.hpp"

#include <gtest/gtest.h>

namespace mdp {
namespace {

TEST(stats, go_to_json_and_to_text_in_their_order) {
  const messaging::statistics all{{"packets_sent", 17}, {"acks_sent", 0}, {"retry_max", 3}};
  EXPECT_EQ(to_json(all), R"({"packets_sent":17,"acks_sent":0,"retry_max":3})");
  EXPECT_EQ(to_text(all), "packets_sent=17,retry_max=3");
  EXPECT_EQ(to_json({}), "{}");
  EXPECT_EQ(to_text({}), "");
}

TEST(stats, are_found_by_name) {
  const messaging::statistics all{{"packets_sent", 17}};
  EXPECT_EQ(value_of(all, "packets_sent"), 17u);
  EXPECT_EQ(value_of(all, "packets"), 0u);
}

}  // namespace
}  // namespace mdp
