// What a node is still running when it begins a new session.

#include <gtest/gtest.h>

#include "tests/scheduler/support.hpp"

namespace winnow::scheduler {
namespace {

using namespace testing;  // NOLINT: the support header of these tests

TEST(Adoption, WorkGoesOnWithoutADecisionOrCredit) {
  Scheduler s;
  add(s, "a", 10);
  join(s, kNode, 1, 0, kStart);
  const auto lease = s.adopt(kNode, {"a", 2, 3, {3}}, kStart);
  ASSERT_TRUE(lease);
  EXPECT_TRUE(s.step(kStart).empty());
  EXPECT_EQ(s.progress("a")->leased, 2u);
  EXPECT_EQ(s.progress("a")->adopted, 2u);
  EXPECT_EQ(s.progress("a")->pending, 8u);
  EXPECT_EQ(s.audit(), "");
  s.block_received(kNode, *lease, "a", 2, milliseconds(5), at_ms(1));
  // Computed before the node heard of the lease: it is still this lease's.
  s.block_received(kNode, LeaseId(0), "a", 4, milliseconds(5), at_ms(1));
  EXPECT_TRUE(s.live_leases().empty());
  EXPECT_EQ(s.progress("a")->received, 2u);
  EXPECT_EQ(s.audit(), "");
}

TEST(Adoption, OthersGetTheRestOnly) {
  Scheduler s;
  add(s, "a", 4);
  join(s, kNode, 1, 0, kStart);
  ASSERT_TRUE(s.adopt(kNode, {"a", 0, 2, {}}, kStart));
  join(s, kOther, 1, 8, kStart);
  std::set<std::uint64_t> granted;
  for (const Grant& g : only<Grant>(s.step(kStart))) {
    EXPECT_EQ(g.node, kOther);
    for (std::uint32_t i = 0; i < g.lease.blocks; ++i) granted.insert(g.lease.first_block + i);
  }
  EXPECT_EQ(granted, (std::set<std::uint64_t>{2, 3}));
}

TEST(Adoption, BlocksThatOthersHaveOrThatAreDoneAreNoPartOfIt) {
  Scheduler s;
  SweepWork work;
  work.committed = {true, false, false};
  add(s, "a", 3, work);
  join(s, kOther, 1, 1, kStart);
  const auto granted = only<Grant>(s.step(kStart));
  ASSERT_EQ(granted.size(), 1u);
  ASSERT_EQ(granted[0].lease.first_block, 1u);
  join(s, kNode, 1, 0, kStart);
  EXPECT_FALSE(s.adopt(kNode, {"a", 0, 2, {}}, kStart)) << "one is committed, one is the other's";
  const auto lease = s.adopt(kNode, {"a", 0, 3, {}}, kStart);
  ASSERT_TRUE(lease);
  EXPECT_EQ(s.progress("a")->leased, 2u);
  EXPECT_EQ(s.audit(), "");
}

TEST(Adoption, OfWhatDoesNotExistIsRefused) {
  Scheduler s;
  add(s, "a", 4);
  join(s, kNode, 1, 0, kStart);
  EXPECT_FALSE(s.adopt(kNode, {"b", 0, 1, {}}, kStart));
  EXPECT_FALSE(s.adopt(kNode, {"a", 4, 1, {}}, kStart));
  EXPECT_FALSE(s.adopt(kNode, {"a", 0, 0, {}}, kStart));
  EXPECT_FALSE(s.adopt(kNode, {"a", 3, 2, {}}, kStart));
  EXPECT_FALSE(s.adopt(kNode, {"a", ~std::uint64_t{0}, 2, {}}, kStart));
  EXPECT_FALSE(s.adopt(kOther, {"a", 0, 1, {}}, kStart));
  EXPECT_EQ(s.audit(), "");
}

TEST(Adoption, ReturningNodeIsNotBlamedAndItsAttemptsStay) {
  Scheduler s;
  add(s, "a", 1);
  join(s, kNode, 1, 1, kStart);
  ASSERT_EQ(only<Grant>(s.step(kStart)).size(), 1u);
  for (std::uint64_t session = 10; session < 30; ++session) {
    s.node_returned(session == 10 ? kNode : NodeId(session - 1));
    join(s, NodeId(session), 1, 0, kStart);
    ASSERT_TRUE(s.adopt(NodeId(session), {"a", 0, 1, {}}, kStart));
    ASSERT_EQ(s.live_leases().at(0).lease.attempt, 1u);
  }
  EXPECT_TRUE(s.step(kStart).empty()) << "a block that never failed is quarantined";
}

TEST(Adoption, SuspectGoesOnOnlyAlone) {
  Options options;
  options.isolate_after = 1;
  Scheduler s(options);
  add(s, "a", 2);
  join(s, kNode, 1, 1, kStart);
  const auto first = only<Grant>(s.step(kStart));
  ASSERT_EQ(first.size(), 1u);
  s.lease_failed(kNode, first[0].lease.id, Blame::Block, "it failed", kStart);
  join(s, kOther, 2, 0, kStart);
  EXPECT_FALSE(s.adopt(kOther, {"a", 0, 1, {0}}, kStart));
  ASSERT_TRUE(s.adopt(kOther, {"a", 0, 1, {}}, kStart));
  EXPECT_FALSE(s.adopt(kOther, {"a", 1, 1, {}}, kStart)) << "beside a suspect";
  EXPECT_EQ(s.live_leases().at(0).lease.attempt, 2u);
  EXPECT_EQ(s.audit(), "");
}

TEST(Adoption, CountsAgainstTheBudgetOfProcessorTime) {
  Scheduler s;
  SweepWork work;
  work.cpu_s_max = 0.025;
  add(s, "a", 10, work);
  join(s, kNode, 1, 0, kStart);
  s.block_received(kNode, LeaseId(0), "a", 9, milliseconds(10), kStart);
  ASSERT_TRUE(s.adopt(kNode, {"a", 0, 2, {}}, kStart));
  join(s, kOther, 1, 4, kStart);
  EXPECT_TRUE(only<Grant>(s.step(kStart)).empty()) << "10 ms spent and 20 ms on a node";
  EXPECT_TRUE(s.progress("a")->exhausted);
}

TEST(Adoption, AfterAStartBlocksWaitForWhoeverMayHoldThem) {
  Scheduler s;
  add(s, "a", 2);
  s.await_holders("a", at_ms(900));
  add(s, "new", 1);
  join(s, kOther, 1, 8, kStart);
  const auto early = only<Grant>(s.step(kStart));
  ASSERT_EQ(early.size(), 1u);
  EXPECT_EQ(early[0].lease.sweep, "new");
  EXPECT_NE(s.explain("a", {}, at_ms(400)).find("for 500 ms more"), std::string::npos)
      << s.explain("a", {}, at_ms(400));
  join(s, kNode, 1, 0, at_ms(500));
  ASSERT_TRUE(s.adopt(kNode, {"a", 0, 1, {}}, at_ms(500)));
  EXPECT_TRUE(only<Grant>(s.step(at_ms(899))).empty());
  const auto late = only<Grant>(s.step(at_ms(900)));
  ASSERT_EQ(late.size(), 1u);
  EXPECT_EQ(late[0].lease.first_block, 1u);
}

}  // namespace
}  // namespace winnow::scheduler
