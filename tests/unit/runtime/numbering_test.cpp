// The ids of one peer's messages across its sessions, as the caller and as the protocol count them.
#include "runtime/numbering.hpp"

#include <gtest/gtest.h>

namespace mdp::runtime {
namespace {

message_id id(std::uint16_t session, std::uint64_t number) {
  return message_number{session, number}.id();
}

TEST(numbering, an_id_names_its_session_and_its_number) {
  const message_number n = message_number::of(id(65535, 12345678901));
  EXPECT_EQ(n.session, 65535);
  EXPECT_EQ(n.number, 12345678901u);
}

TEST(numbering, translates_both_ways_within_a_session) {
  numbering n;
  EXPECT_FALSE(n.id_of(0));
  for (std::uint64_t i = 0; i < 1000; ++i) n.on_taken(i, id(0, i));
  EXPECT_EQ(n.sequence_of(id(0, 999)), 999u);
  EXPECT_EQ(n.id_of(5), id(0, 5));
}

TEST(numbering, keeps_an_old_session_apart_from_the_next_until_it_is_over) {
  numbering n;
  for (std::uint64_t i = 0; i < 700; ++i) n.on_taken(i, id(3, i));
  for (std::uint64_t i = 700; i < 800; ++i) n.on_taken(i, id(4, i - 700));
  EXPECT_EQ(n.sequence_of(id(3, 650)), 650u);
  EXPECT_EQ(n.sequence_of(id(4, 50)), 750u);
  n.on_session_over(id(3, 0));
  EXPECT_FALSE(n.id_of(650));
  EXPECT_EQ(n.id_of(750), id(4, 50));
  EXPECT_EQ(n.sequence_of(id(4, 99)), 799u);
}

TEST(numbering, steps_over_submissions_that_were_refused) {
  numbering n;
  n.on_taken(0, id(0, 0));
  n.on_taken(1, id(0, 1));
  n.on_taken(5, id(0, 2));  // 2, 3 and 4 were refused
  EXPECT_EQ(n.sequence_of(id(0, 1)), 1u);
  EXPECT_EQ(n.sequence_of(id(0, 2)), 5u);
  EXPECT_EQ(n.id_of(5), id(0, 2));
}

TEST(numbering, survives_the_wrap_of_sessions) {
  numbering n;
  n.on_taken(10, id(65535, 0));
  n.on_taken(11, id(0, 0));
  EXPECT_EQ(n.sequence_of(id(65535, 0)), 10u);
  EXPECT_EQ(n.sequence_of(id(0, 0)), 11u);
}

}  // namespace
}  // namespace mdp::runtime
