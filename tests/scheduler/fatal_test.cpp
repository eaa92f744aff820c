// Trials that take their nodes down: the block runs alone, then the trial is known and left out.

#include <gtest/gtest.h>

#include "tests/scheduler/support.hpp"

namespace winnow::scheduler {
namespace {

using namespace testing;  // NOLINT: the support header of these tests

class Fatal : public ::testing::Test {
 protected:
  Fatal() { add(s, "a", 1); }

  /// A node that comes, and the lease that it gets.
  Grant next_lease() {
    node = NodeId(++nodes);
    join(s, node, 1, 1, kStart);
    const auto grants = only<Grant>(s.step(kStart));
    EXPECT_EQ(grants.size(), 1u);
    return grants.empty() ? Grant{} : grants.front();
  }
  /// It begins this trial and is lost.
  void dies_in(const Grant& grant, std::uint64_t trial) {
    EXPECT_TRUE(s.trial_begins(grant.node, grant.lease.id, trial));
    s.node_left(grant.node, "its connection broke", kStart);
    EXPECT_EQ(s.audit(), "");
  }
  void become_suspect() {
    for (int i = 0; i < 2; ++i) {
      EXPECT_FALSE(next_lease().lease.alone);
      s.node_left(node, "its connection broke", kStart);
    }
  }

  Scheduler s;
  NodeId node;
  std::uint64_t nodes = 0;
};

TEST_F(Fatal, TrialThatTakesThreeNodesDownAloneIsLeftOutAndItsBlockIsDone) {
  become_suspect();
  for (int i = 0; i < 3; ++i) {
    const Grant grant = next_lease();
    EXPECT_TRUE(grant.lease.alone);
    EXPECT_TRUE(grant.lease.condemned.empty());
    for (std::uint64_t trial = 0; trial < 5; ++trial) {
      EXPECT_TRUE(s.trial_begins(grant.node, grant.lease.id, trial));
    }
    dies_in(grant, 5);
  }
  const Grant without = next_lease();
  ASSERT_EQ(without.lease.condemned.size(), 1u);
  EXPECT_EQ(without.lease.condemned.begin()->first, 5u);
  const std::string& evidence = without.lease.condemned.at(5);
  for (const char* part :
       {"quarantined: trial 5", "3 nodes", "n3 left: its connection broke", "n4 left", "n5 left"}) {
    EXPECT_NE(evidence.find(part), std::string::npos) << evidence;
  }
  finish(s, without, kStart);
  EXPECT_EQ(s.progress("a")->committed, 1u);
  EXPECT_EQ(s.progress("a")->quarantined, 0u);
}

TEST_F(Fatal, AnyNumberOfTrialsOfABlockMayBeFatal) {
  become_suspect();
  for (std::uint64_t trial = 0; trial < 10; ++trial) {
    for (int i = 0; i < 3; ++i) dies_in(next_lease(), trial);
  }
  const Grant without = next_lease();
  EXPECT_EQ(without.lease.condemned.size(), 10u);
  finish(s, without, kStart);
  EXPECT_EQ(s.progress("a")->quarantined, 0u);
}

TEST_F(Fatal, BlockThatDiesInAnotherTrialEachTimeIsQuarantinedWhole) {
  become_suspect();
  for (std::uint64_t trial = 0; trial < 6; ++trial) dies_in(next_lease(), trial);
  EXPECT_EQ(s.progress("a")->quarantined, 1u);
}

TEST_F(Fatal, NodeThatWasOnlyCutOffIsNoEvidence) {
  become_suspect();
  const Grant grant = next_lease();
  for (int i = 0; i < 2; ++i) dies_in(i == 0 ? grant : next_lease(), 5);
  s.forgive(grant.node);
  dies_in(next_lease(), 5);
  const Grant again = next_lease();
  EXPECT_TRUE(again.lease.condemned.empty());
  dies_in(again, 5);
  EXPECT_EQ(next_lease().lease.condemned.size(), 1u);
  EXPECT_EQ(s.audit(), "");
}

TEST_F(Fatal, LateForgivenessFreesATrialThatWasCondemned) {
  become_suspect();
  const Grant grant = next_lease();
  dies_in(grant, 5);
  for (int i = 0; i < 2; ++i) dies_in(next_lease(), 5);
  s.forgive(grant.node);
  const Grant again = next_lease();
  EXPECT_TRUE(again.lease.condemned.empty());
  EXPECT_EQ(s.audit(), "");
}

TEST_F(Fatal, LastWordsOfALostNodeAreEvidence) {
  become_suspect();
  for (int i = 0; i < 3; ++i) {
    dies_in(next_lease(), 5);
    for (int again = 0; again < 2; ++again) s.last_words(node, "signal 11, SIGSEGV");
  }
  const std::string evidence = next_lease().lease.condemned.at(5);
  std::size_t said = 0;
  for (auto at = evidence.find("SIGSEGV"); at != std::string::npos;
       at = evidence.find("SIGSEGV", at + 1)) {
    ++said;
  }
  EXPECT_EQ(said, 3u) << evidence;
}

TEST_F(Fatal, LeaveIsOnlyForWhoHoldsTheLease) {
  const Grant grant = next_lease();
  EXPECT_TRUE(s.trial_begins(grant.node, grant.lease.id, 1));
  EXPECT_FALSE(s.trial_begins(NodeId(99), grant.lease.id, 1));
  s.node_left(grant.node, "gone", kStart);
  EXPECT_FALSE(s.trial_begins(grant.node, grant.lease.id, 1));
}

}  // namespace
}  // namespace winnow::scheduler
