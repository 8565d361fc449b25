// What `mdp run` says of messages that were not delivered.
#include "cli/ends.hpp"

#include <gtest/gtest.h>

namespace mdp::cli {
namespace {

std::string result(const std::string& runs, const std::string& point = "{}") {
  return R"({"schema": "mdp-result/1", "scenario": "s", "point": )" + point + R"(, "runs": [)" +
         runs + "]}";
}

std::string run(int index, const std::string& messages, const std::string& peers) {
  return R"({"index": )" + std::to_string(index) +
         R"(, "offered": {"messages": 10}, "messages": {)" + messages + R"(}, "peers": {)" + peers +
         "}}";
}

TEST(Ends, AreCountedWhereSomethingWasLost) {
  const std::string lost =
      R"("completed": 1, "expired": 2, "unknown": 3, "timed_out": 4, "refused": 5, "orphaned": 6)";
  EXPECT_EQ(ends_text({result(run(7, lost, R"("ups": 8, "downs": 2, "crashes": 1, "restarts": 3)"),
                              R"({"a": "x", "b": 0.5, "c": {"d": [true]}})")}),
            "s a=x b=0.5 c={\"d\":[true]}, run 7: of 10 messages\n"
            "  1 completed, 2 unresolved, 3 unknown, 4 timed out, 5 refused, 6 orphaned; "
            "peers reported down: 2; processes ended: 1; processes begun anew: 3\n");
}

TEST(Ends, ARunThatLostNothingIsNotNamed) {
  const std::string good = run(0, R"("completed": 10, "expired": 0)", R"("ups": 2, "downs": 0)");
  const std::string down = run(1, R"("completed": 10)", R"("downs": 1)");
  EXPECT_EQ(ends_text({result(good)}), "");
  EXPECT_EQ(ends_text({result(good + "," + down), result(good)}),
            "s, run 1: of 10 messages\n  10 completed; peers reported down: 1\n");
  EXPECT_EQ(ends_text({}), "");
}

// As older versions wrote it, or a run that failed.
TEST(Ends, ASectionThatIsNotThereCountsNothing) {
  EXPECT_EQ(ends_text({result(R"({"index": 0, "messages": {"completed": 1}})")}), "");
  EXPECT_EQ(ends_text({R"({"schema": "mdp-result/1"})"}), "");
}

}  // namespace
}  // namespace mdp::cli
