// Who gets what: users, budgets, data, speed, suspects, and nodes that leave.

#include <map>

#include "tests/scheduler/support.hpp"

namespace winnow::scheduler {
namespace {

using namespace testing;  // NOLINT: the support header of these tests

SweepWork of_user(const std::string& user, double weight = 1) {
  SweepWork work;
  work.user = user;
  work.weight = weight;
  return work;
}

std::map<std::string, int> run(Scheduler& s, int rounds) {
  std::map<std::string, int> blocks;
  for (int i = 0; i < rounds; ++i) {
    for (const Grant& g : only<Grant>(s.step(at_ms(i)))) {
      blocks[g.lease.sweep] += static_cast<int>(g.lease.blocks);
      finish(s, g, at_ms(i));
    }
  }
  return blocks;
}

TEST(Share, UsersShareEquallyHoweverManySweepsEachHas) {
  Scheduler s;
  add(s, "ada-1", 100'000, of_user("ada"));
  add(s, "ada-2", 100'000, of_user("ada"));
  add(s, "ada-3", 100'000, of_user("ada"));
  add(s, "bob", 100'000, of_user("bob"));
  join(s, kNode, 1, 1, kStart);
  auto blocks = run(s, 600);
  const double ada = blocks["ada-1"] + blocks["ada-2"] + blocks["ada-3"];
  EXPECT_NEAR(ada / blocks["bob"], 1.0, 0.1);
  EXPECT_NEAR(blocks["ada-1"] / ada, 1.0 / 3, 0.05);
}

TEST(Share, WeightDividesAUsersShareAmongTheirSweeps) {
  Scheduler s;
  add(s, "light", 100'000, of_user("ada"));
  add(s, "heavy", 100'000, of_user("ada", 4));
  add(s, "bob", 100'000, of_user("bob"));
  join(s, kNode, 1, 1, kStart);
  auto blocks = run(s, 600);
  EXPECT_NEAR(static_cast<double>(blocks["heavy"]) / blocks["light"], 4.0, 0.4);
  EXPECT_NEAR(static_cast<double>(blocks["heavy"] + blocks["light"]) / blocks["bob"], 1.0, 0.1);
}

TEST(Share, NewUserStartsLevelNotWithCreditForThePast) {
  Scheduler s;
  add(s, "ada", 100'000, of_user("ada"));
  join(s, kNode, 1, 1, kStart);
  run(s, 200);
  add(s, "bob", 100'000, of_user("bob"));
  auto blocks = run(s, 400);
  EXPECT_NEAR(static_cast<double>(blocks["bob"]) / blocks["ada"], 1.0, 0.1);
}

TEST(Budget, NoLeaseBeyondIt) {
  Scheduler s;
  SweepWork work;
  work.cpu_s_max = 1.0;
  add(s, "a", 1000, work);
  join(s, kNode, 1, 2, kStart);
  auto blocks = run(s, 300);  // blocks of 10 ms
  EXPECT_GE(blocks["a"], 95);
  EXPECT_LE(blocks["a"], 150);  // one lease over at most
  EXPECT_TRUE(s.progress("a")->exhausted);
  s.set_budget("a", 2.0);
  EXPECT_FALSE(s.progress("a")->exhausted);
  EXPECT_GE(run(s, 300)["a"], 50);
}

TEST(Budget, IsNotSpentWhileTheNextBlocksAreBeingDecided) {
  Scheduler s;
  SweepWork work;
  work.cpu_s_max = 100;
  work.withheld = {false, true};
  add(s, "a", 2, work);
  join(s, kNode, 1, 1, kStart);
  const auto first = only<Grant>(s.step(kStart));
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0].lease.first_block, 0u);
  EXPECT_EQ(first[0].lease.blocks, 1u);
  finish(s, first[0], at_ms(1));
  EXPECT_TRUE(s.step(at_ms(2)).empty()) << "nothing to do, nothing spent, nothing finished";
  EXPECT_EQ(s.progress("a")->withheld, 1u);
  ASSERT_EQ(s.audit(), "");
  s.release("a", {1, 2});
  ASSERT_EQ(s.audit(), "");
  const auto second = only<Grant>(s.step(at_ms(3)));
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(second[0].lease.first_block, 1u);
  finish(s, second[0], at_ms(4));
  EXPECT_EQ(only<SweepFinished>(s.step(at_ms(5))).size(), 1u);
}

TEST(Budget, OfTrialsIsTheFirstBlocksAndGoesOnWhenItIsRaised) {
  Scheduler s;
  SweepWork work;
  work.blocks_max = 7;
  work.segment_ends = {4, 20};
  add(s, "a", 20, work);
  join(s, kNode, 2, 4, kStart);
  std::set<std::uint64_t> ran;
  int spent = 0;
  const auto go_on = [&](int from) {
    for (int i = from; i < from + 40; ++i) {
      const auto decisions = s.step(at_ms(i));
      spent += static_cast<int>(only<BudgetSpent>(decisions).size());
      for (const Grant& g : only<Grant>(decisions)) {
        for (std::uint32_t k = 0; k < g.lease.blocks; ++k) ran.insert(g.lease.first_block + k);
        finish(s, g, at_ms(i));
      }
      ASSERT_EQ(s.audit(), "");
    }
  };
  go_on(0);
  EXPECT_EQ(ran, (std::set<std::uint64_t>{0, 1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(spent, 1);
  EXPECT_TRUE(s.progress("a")->exhausted);
  const std::string why = s.explain("a", {}, at_ms(50));
  EXPECT_NE(why.find("allows the first 7 blocks of 20; all of them are done"), std::string::npos)
      << why;
  EXPECT_NE(s.explain("a", 9, at_ms(50)).find("beyond the sweep's budget"), std::string::npos);
  s.set_block_budget("a", 12);
  go_on(50);
  EXPECT_EQ(ran.size(), 12u);
  EXPECT_EQ(spent, 2);
  s.set_block_budget("a", 0);
  go_on(100);
  EXPECT_EQ(ran.size(), 20u);
  EXPECT_EQ(s.progress("a")->committed, 20u);
  EXPECT_EQ(spent, 2);
}

TEST(Budget, SpentOneStaysSpentAfterARestart) {
  Scheduler s;
  SweepWork work;
  work.cpu_s_max = 1.0;
  work.spent = true;
  add(s, "a", 100, work);
  join(s, kNode, 1, 2, kStart);
  EXPECT_TRUE(s.step(kStart).empty());
  EXPECT_NE(s.explain("a", {}, kStart).find("CPU hours is used up"), std::string::npos);
  s.set_budget("a", 2.0);
  EXPECT_FALSE(only<Grant>(s.step(kStart)).empty());
}

TEST(Explain, NodeSaysWhatItRunsAndWhyItGetsNoMore) {
  Scheduler s;
  add(s, "a", 3);
  join(s, kNode, 1, 2, kStart);
  ASSERT_EQ(only<Grant>(s.step(kStart)).size(), 2u);
  const std::string why = s.explain_node(kNode, at_ms(70));
  EXPECT_NE(why.find("holds 2 leases"), std::string::npos) << why;
  EXPECT_NE(why.find("blocks 1 to 1 of sweep a, 1 of 1 open, for 70 ms (attempt 1)"),
            std::string::npos)
      << why;
  EXPECT_NE(why.find("Every place is taken."), std::string::npos) << why;
  join(s, kOther, 1, 4, at_ms(70));
  EXPECT_NE(s.explain_node(kOther, at_ms(70)).find("It is next in line."), std::string::npos);
  (void)s.step(at_ms(70));
  EXPECT_NE(s.explain_node(kOther, at_ms(71)).find("Nothing waits for it."), std::string::npos);
  EXPECT_NE(s.explain_node(NodeId(99), kStart).find("does not know"), std::string::npos);
}

TEST(Explain, WaitingBlockNamesSharesAndWhoHoldsItsData) {
  Scheduler s;
  SweepWork work;
  work.user = "ada";
  work.segment_ends = {4};
  work.segment_data = {"x"};
  add(s, "a", 4, work);
  work.user = "bob";
  add(s, "b", 4, work);
  join(s, kNode, 1, 0, kStart, {"x"});
  join(s, kOther, 1, 0, kStart, {"y"});
  const std::string why = s.explain("a", 2, kStart);
  EXPECT_NE(why.find("user ada has had 0 CPU hours (others: bob 0)"), std::string::npos) << why;
  EXPECT_NE(why.find("on 1 of 2 nodes, which are given it first"), std::string::npos) << why;
}

TEST(Budget, WhatWasCommittedBeforeARestartIsPaidFor) {
  Scheduler s;
  SweepWork work;
  work.cpu_s_max = 1.0;
  work.committed.assign(1000, false);
  for (int b = 0; b < 90; ++b) work.committed[static_cast<std::size_t>(b)] = true;
  add(s, "a", 1000, work);
  join(s, kNode, 1, 2, kStart);
  EXPECT_LE(run(s, 300)["a"], 60);
}

TEST(Locality, NodeGetsTheSegmentWhoseDataItHolds) {
  Scheduler s;
  SweepWork work;
  work.segment_ends = {10, 20, 30};
  work.segment_data = {"x", "y", "z"};
  add(s, "a", 30, work);
  join(s, kNode, 1, 1, kStart, {"y"});
  join(s, kOther, 1, 1, kStart, {"z"});
  std::map<NodeId, std::vector<std::uint64_t>> got;
  for (int i = 0; i < 40; ++i) {
    for (const Grant& g : only<Grant>(s.step(at_ms(i)))) {
      got[g.node].push_back(g.lease.first_block / 10);
      finish(s, g, at_ms(i), milliseconds(500));
    }
  }
  for (std::size_t i = 0; i < 10; ++i) {
    EXPECT_EQ(got[kNode][i], 1u);
    EXPECT_EQ(got[kOther][i], 2u);
  }
  EXPECT_EQ(s.progress("a")->committed, 30u);  // the rest by whoever is free
}

TEST(Speed, SlowNodeGetsSmallerLeases) {
  Scheduler s;
  add(s, "a", 100'000);
  join(s, kNode, 1, 1, kStart);
  join(s, kOther, 1, 1, kStart);
  std::map<NodeId, std::uint32_t> latest;
  for (int i = 0; i < 60; ++i) {
    for (const Grant& g : only<Grant>(s.step(at_ms(i)))) {
      latest[g.node] = g.lease.blocks;
      finish(s, g, at_ms(i), milliseconds(g.node == kNode ? 5 : 40));
    }
  }
  EXPECT_GT(latest[kNode], 2 * latest[kOther]);
}

TEST(Suspect, RunsOnANodeThatRunsNothingElse) {
  Options options;
  options.isolate_after = 1;
  Scheduler s(options);
  add(s, "a", 6);
  join(s, kNode, 2, 2, kStart);
  const auto first = only<Grant>(s.step(kStart));
  ASSERT_EQ(first.size(), 2u);
  s.lease_failed(kNode, first[0].lease.id, Blame::Block, "it broke", kStart);
  credit(s, kNode, 1);
  // The other lease is still there: the node runs dry first.
  EXPECT_TRUE(s.step(kStart).empty());
  EXPECT_NE(s.explain("a", 0, kStart).find("waits for a node that runs nothing else"),
            std::string::npos);
  finish(s, first[1], kStart);
  const auto alone = only<Grant>(s.step(kStart));
  ASSERT_EQ(alone.size(), 1u);
  EXPECT_EQ(alone[0].lease.first_block, 0u);
  EXPECT_EQ(alone[0].lease.blocks, 1u);
  EXPECT_EQ(s.audit(), "");
  finish(s, alone[0], kStart);
  EXPECT_FALSE(only<Grant>(s.step(kStart)).empty());
}

TEST(Suspect, NeighbourOfAKillerIsNeverCondemned) {
  Options options;
  options.block_attempts_max = 4;
  Scheduler s(options);
  add(s, "a", 8);
  std::vector<Quarantine> condemned;
  NodeId node(1);
  for (int life = 0; life < 60; ++life) {
    node = NodeId(node.value() + 1);
    join(s, node, 2, 4, at_ms(life));
    bool died = false;
    for (int i = 0; i < 20 && !died; ++i) {
      const auto decisions = s.step(at_ms(life));
      for (const Quarantine& q : only<Quarantine>(decisions)) {
        condemned.push_back(q);
        s.block_committed("a", q.block);
      }
      // Block 3 kills its node with all that it holds.
      const auto grants = only<Grant>(decisions);
      died = std::any_of(grants.begin(), grants.end(), [](const Grant& g) {
        return g.lease.first_block <= 3 && 3 < g.lease.first_block + g.lease.blocks;
      });
      if (died) break;
      for (const Grant& g : grants) finish(s, g, at_ms(life), milliseconds(400));
    }
    s.node_left(node, "killed", at_ms(life));
    ASSERT_EQ(s.audit(), "");
  }
  ASSERT_EQ(condemned.size(), 1u);
  EXPECT_EQ(condemned[0].block, 3u);
  EXPECT_EQ(s.progress("a")->committed, 8u);
}

TEST(Attempts, DrainingNodesLeaseIsNoAttempt) {
  Scheduler s;
  add(s, "a", 1);
  join(s, kNode, 1, 1, kStart);
  for (int i = 0; i < 20; ++i) {
    const auto grants = only<Grant>(s.step(at_ms(i)));
    ASSERT_EQ(grants.size(), 1u);
    EXPECT_EQ(grants[0].lease.attempt, 1u);
    s.lease_failed(kNode, grants[0].lease.id, Blame::Nobody, "the node is draining", at_ms(i));
    credit(s, kNode, 1);
  }
}

TEST(Attempts, LossOfANodeThatLivesIsForgiven) {
  Scheduler s;
  add(s, "a", 1);
  for (int i = 0; i < 20; ++i) {
    const NodeId session(10 + static_cast<std::uint64_t>(i));
    join(s, session, 1, 1, at_ms(i));
    const auto grants = only<Grant>(s.step(at_ms(i)));
    ASSERT_EQ(grants.size(), 1u);
    EXPECT_EQ(grants[0].lease.attempt, 1u);
    s.node_left(session, "its connection broke", at_ms(i));
    s.forgive(session);  // the same process has come back
  }
}

TEST(Credit, LeasesOnTheirWayTakeTheirPlaces) {
  Scheduler s;
  add(s, "a", 100);
  s.node_joined(kNode, {"n", 2, 4, {}}, kStart);
  s.set_credit(kNode, 4, LeaseId(0));
  const auto grants = only<Grant>(s.step(kStart));
  ASSERT_EQ(grants.size(), 4u);
  // The node spoke before it saw the last two.
  s.set_credit(kNode, 2, grants[1].lease.id);
  EXPECT_TRUE(only<Grant>(s.step(kStart)).empty());
  // However much it says it can take, it never holds more than it may.
  s.set_credit(kNode, 4000, grants[3].lease.id);
  EXPECT_TRUE(only<Grant>(s.step(kStart)).empty());
}

}  // namespace
}  // namespace winnow::scheduler
