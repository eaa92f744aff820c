// Trials that do not stop at their limit: their block is run alone, then without them.

#include <gtest/gtest.h>

#include "tests/scheduler/support.hpp"

namespace winnow::scheduler {
namespace {

using namespace testing;  // NOLINT: the support header of these tests

class Overran : public ::testing::Test {
 protected:
  Overran() {
    add(s, "a", 8);
    join(s, kNode, 1, 2, kStart);
  }
  /// The only grant of a step.
  Grant granted(std::int64_t ms) {
    const auto grants = only<Grant>(s.step(at_ms(ms)));
    EXPECT_EQ(grants.size(), 1u);
    return grants.empty() ? Grant{} : grants.front();
  }
  void expect_sound() { EXPECT_EQ(s.audit(), ""); }
  Scheduler s;
};

TEST_F(Overran, BlockIsASuspectAtOnceAndRunsAlone) {
  const auto first = only<Grant>(s.step(kStart));
  ASSERT_FALSE(first.empty());
  EXPECT_FALSE(first[0].lease.alone);
  s.lease_overran(kNode, first[0].lease.id, {{0, 1}, {}, "one of trials 0 to 15 is stuck"},
                  at_ms(10));
  expect_sound();
  s.node_left(kNode, "it starts anew", at_ms(20));
  join(s, kOther, 1, 1, at_ms(30));
  const Grant again = granted(30);
  EXPECT_EQ(again.lease.first_block, 0u);
  EXPECT_EQ(again.lease.blocks, 1u);
  EXPECT_TRUE(again.lease.alone);
  EXPECT_TRUE(again.lease.condemned.empty());
  expect_sound();
}

TEST_F(Overran, SingleTrialIsCondemnedAndItsBlockRunsWithoutIt) {
  const auto first = only<Grant>(s.step(kStart));
  s.lease_overran(kNode, first.at(0).lease.id, {{0, 1}, {}, "one of many"}, at_ms(10));
  s.node_left(kNode, "it starts anew", at_ms(20));
  join(s, kOther, 1, 1, at_ms(30));
  const Grant alone = granted(30);
  s.lease_overran(kOther, alone.lease.id, {{0, 1}, 7, "trial 7 is stuck"}, at_ms(40));
  s.node_left(kOther, "it starts anew", at_ms(50));
  expect_sound();
  join(s, kNode, 1, 1, at_ms(60));
  const Grant without = granted(60);
  EXPECT_EQ(without.lease.first_block, 0u);
  ASSERT_EQ(without.lease.condemned.size(), 1u);
  EXPECT_EQ(without.lease.condemned.at(7), "trial 7 is stuck");
  EXPECT_NE(s.explain("a", 0, at_ms(61)).find("1 trial of it did not stop or"), std::string::npos)
      << s.explain("a", 0, at_ms(61));
  finish(s, without, at_ms(70));
  EXPECT_EQ(s.progress("a")->committed, 1u);
  EXPECT_EQ(s.progress("a")->quarantined, 0u);
  expect_sound();
}

TEST_F(Overran, AnyNumberOfTrialsOfABlockIsNotTooMany) {
  NodeId node = kNode;
  std::uint64_t next = 2;
  auto grant = only<Grant>(s.step(kStart)).at(0);
  for (std::uint64_t trial = 0; trial < 12; ++trial) {
    s.lease_overran(node, grant.lease.id, {{0, 1}, trial, "stuck"}, at_ms(10));
    s.node_left(node, "it starts anew", at_ms(10));
    node = NodeId(++next);
    join(s, node, 1, 1, at_ms(10));
    grant = granted(10);
    ASSERT_EQ(grant.lease.first_block, 0u);
    ASSERT_EQ(grant.lease.condemned.size(), trial + 1);
    expect_sound();
  }
}

TEST_F(Overran, ANodeThatComesBackForgivesNoCondemnedTrial) {
  const auto first = only<Grant>(s.step(kStart));
  s.lease_overran(kNode, first.at(0).lease.id, {{0, 1}, 7, "stuck"}, at_ms(10));
  const auto more = only<Grant>(s.step(at_ms(11)));
  s.node_left(kNode, "its connection broke", at_ms(20));
  s.forgive(kNode);
  expect_sound();
  join(s, kOther, 1, 1, at_ms(30));
  EXPECT_EQ(granted(30).lease.condemned.size(), 1u);
}

TEST_F(Overran, NewsOfALeaseThatIsGoneChangesNothing) {
  const auto first = only<Grant>(s.step(kStart));
  s.node_left(kNode, "gone", at_ms(10));
  const std::string before = s.explain("a", 0, at_ms(11));
  s.lease_overran(kNode, first.at(0).lease.id, {{0, 1}, 7, "stuck"}, at_ms(11));
  EXPECT_EQ(s.explain("a", 0, at_ms(11)), before);
  expect_sound();
}

}  // namespace
}  // namespace winnow::scheduler
