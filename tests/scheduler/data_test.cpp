// Nodes that tell what data they hold get blocks of that, and are told what to fetch.

#include "tests/scheduler/support.hpp"

namespace winnow::scheduler {
namespace {

using namespace testing;  // NOLINT: the support header of these tests

using Is = DataState::Is;

void join_telling(Scheduler& s, NodeId node, std::uint32_t places, std::set<std::string> held) {
  s.node_joined(node,
                {.name = "n" + std::to_string(node.value()),
                 .workers = 2,
                 .datasets = std::move(held),
                 .tells_data = true},
                kStart);
  credit(s, node, places);
}

void add_on(Scheduler& s, const std::string& id, const std::string& data, std::uint64_t blocks,
            std::int32_t priority = 0) {
  SweepWork work;
  work.priority = priority;
  work.user = "user of " + id;
  work.segment_ends = {blocks};
  work.segment_data = {data};
  add(s, id, blocks, work);
}

class Data : public ::testing::Test {
 protected:
  struct Did {
    std::vector<Grant> grants;
    std::vector<FetchData> fetches;
  };
  Did step(std::int64_t ms) {
    const auto decisions = s_.step(at_ms(ms));
    EXPECT_EQ(s_.audit(), "");
    return {only<Grant>(decisions), only<FetchData>(decisions)};
  }
  void say(NodeId node, const std::string& data, const DataState& state, std::int64_t ms) {
    s_.data_state(node, data, state, at_ms(ms));
    EXPECT_EQ(s_.audit(), "");
  }
  Scheduler s_;
};

TEST_F(Data, ALeaseComesWhenTheDataIsThere) {
  add_on(s_, "a", "x", 4);
  join_telling(s_, kNode, 2, {});
  Did did = step(0);
  EXPECT_TRUE(did.grants.empty());
  ASSERT_EQ(did.fetches.size(), 1u);
  EXPECT_EQ(did.fetches[0].node, kNode);
  EXPECT_EQ(did.fetches[0].dataset, "x");
  say(kNode, "x", {Is::Coming, 10, 40, ""}, 5);
  did = step(6);
  EXPECT_TRUE(did.grants.empty());
  EXPECT_TRUE(did.fetches.empty()) << "it was told already";
  say(kNode, "x", {Is::Here, 0, 0, ""}, 7);
  EXPECT_EQ(step(8).grants.size(), 2u);
}

TEST_F(Data, OthersRunWhileTheDataOfTheFirstIsOnItsWay) {
  add_on(s_, "urgent", "x", 4, 7);
  add_on(s_, "later", "y", 40);
  join_telling(s_, kNode, 1, {"y"});
  Did did = step(0);
  ASSERT_EQ(did.grants.size(), 1u);
  EXPECT_EQ(did.grants[0].lease.sweep, "later");
  ASSERT_EQ(did.fetches.size(), 1u);
  EXPECT_EQ(did.fetches[0].dataset, "x");
  finish(s_, did.grants[0], at_ms(10));
  say(kNode, "x", {Is::Here, 0, 0, ""}, 11);
  did = step(12);
  ASSERT_EQ(did.grants.size(), 1u);
  EXPECT_EQ(did.grants[0].lease.sweep, "urgent");
}

TEST_F(Data, AnAnnouncementThatWasLostIsMadeAgain) {
  add_on(s_, "a", "x", 4);
  join_telling(s_, kNode, 2, {});
  ASSERT_EQ(step(0).fetches.size(), 1u);
  s_.renew(kNode, {}, at_ms(1500));
  EXPECT_TRUE(step(1900).fetches.empty());
  s_.renew(kNode, {}, at_ms(2000));
  EXPECT_EQ(step(2300).fetches.size(), 1u);
  say(kNode, "x", {Is::Coming, 1, 2, ""}, 4000);
  s_.renew(kNode, {}, at_ms(4300));
  EXPECT_TRUE(step(5000).fetches.empty()) << "it was heard of since";
}

TEST_F(Data, FewAreFetchedAtATimeAndThoseNobodyHasFirst) {
  SweepWork work;
  work.segment_ends = {10, 20, 30};
  work.segment_data = {"x", "y", "z"};
  add(s_, "a", 30, work);
  add_on(s_, "b", "x", 3);
  add_on(s_, "c", "y", 3);
  join_telling(s_, kOther, 0, {"x"});
  join_telling(s_, kNode, 1, {});
  const Did did = step(0);
  EXPECT_TRUE(did.grants.empty());
  ASSERT_EQ(did.fetches.size(), 2u) << "of three sweeps, two datasets at a time";
  EXPECT_EQ(did.fetches[0].dataset, "y") << "the other node has x";
  EXPECT_EQ(did.fetches[1].dataset, "x");
}

TEST_F(Data, TheNextDatasetIsFetchedWhileTheLastBlocksRun) {
  SweepWork work;
  work.segment_ends = {1, 2};
  work.segment_data = {"x", "y"};
  add(s_, "a", 2, work);
  join_telling(s_, kNode, 1, {"x"});
  const Did did = step(0);
  ASSERT_EQ(did.grants.size(), 1u);
  ASSERT_EQ(did.fetches.size(), 1u);
  EXPECT_EQ(did.fetches[0].dataset, "y");
}

TEST_F(Data, WhatOneNodeCannotGetIsLeftToAnother) {
  add_on(s_, "a", "x", 4);
  join_telling(s_, kNode, 1, {});
  ASSERT_EQ(step(0).fetches.size(), 1u);
  join_telling(s_, kOther, 0, {});
  say(kNode, "x", {Is::Failed, 0, 0, "--data-limit is 7"}, 1);
  Did did = step(2);
  EXPECT_TRUE(did.grants.empty()) << "the other may get it yet";
  EXPECT_TRUE(did.fetches.empty());
  const std::string why = s_.explain("a", {}, at_ms(3));
  EXPECT_NE(why.find("Waits for dataset x: node n1 cannot get it: --data-limit is 7"),
            std::string::npos)
      << why;
  credit(s_, kOther, 1);
  did = step(4);
  ASSERT_EQ(did.fetches.size(), 1u);
  EXPECT_EQ(did.fetches[0].node, kOther);
  say(kOther, "x", {Is::Here, 0, 0, ""}, 5);
  did = step(6);
  ASSERT_EQ(did.grants.size(), 1u);
  EXPECT_EQ(did.grants[0].node, kOther);
  // After a while the first may try again: its disk may have been full.
  s_.renew(kNode, {}, at_ms(31'000));
  did = step(31'500);
  ASSERT_EQ(did.fetches.size(), 1u);
  EXPECT_EQ(did.fetches[0].node, kNode);
}

TEST_F(Data, F3WhatNobodyCanGetWaitsAndIsNoAttempt) {
  add_on(s_, "a", "x", 1);
  join_telling(s_, kNode, 4, {});
  join_telling(s_, kOther, 4, {});
  ASSERT_EQ(step(0).fetches.size(), 2u);
  const DataState lost{Is::Failed, 0, 0, "the coordinator lost it"};
  for (std::int64_t ms = 1; ms < 60'000; ms += 500) {
    s_.renew(kNode, {}, at_ms(ms));
    s_.renew(kOther, {}, at_ms(ms));
    const Did did = step(ms);
    EXPECT_TRUE(did.grants.empty());
    for (const FetchData& fetch : did.fetches) say(fetch.node, "x", lost, ms);
    if (ms == 1) {
      say(kNode, "x", lost, ms);
      say(kOther, "x", lost, ms);
    }
    EXPECT_EQ(s_.data_trouble("a"), "node n1 cannot get dataset x: the coordinator lost it");
  }
  EXPECT_EQ(s_.progress("a")->quarantined, 0u);
  // It is repaired, and a node is told to look again within seconds.
  bool told = false;
  for (std::int64_t ms = 60'000; ms < 70'000 && !told; ms += 500) {
    s_.renew(kNode, {}, at_ms(ms));
    for (const FetchData& fetch : step(ms).fetches) told = told || fetch.node == kNode;
  }
  ASSERT_TRUE(told);
  s_.renew(kNode, {}, at_ms(70'000));
  say(kNode, "x", {Is::Here, 0, 0, ""}, 70'000);
  const Did did = step(70'001);
  ASSERT_EQ(did.grants.size(), 1u);
  EXPECT_EQ(did.grants[0].lease.attempt, 1u);
  EXPECT_EQ(s_.data_trouble("a"), "");
}

TEST_F(Data, F3ALeaseThatLackedItsDataIsNoAttempt) {
  add_on(s_, "a", "x", 1);
  join_telling(s_, kNode, 1, {"x"});
  std::int64_t ms = 0;
  int grants = 0;
  for (; ms < 60'000; ms += 500) {
    s_.renew(kNode, {}, at_ms(ms));
    const Did did = step(ms);
    for (const FetchData& fetch : did.fetches) {
      EXPECT_EQ(fetch.dataset, "x");
      say(kNode, "x", {Is::Here, 0, 0, ""}, ms);  // it believes so, and is wrong again
    }
    for (const Grant& grant : did.grants) {
      ++grants;
      EXPECT_EQ(grant.lease.attempt, 1u);
      EXPECT_FALSE(grant.lease.alone);
      s_.lease_lacks_data(kNode, grant.lease.id, "its copy is damaged", at_ms(ms));
      EXPECT_EQ(s_.audit(), "");
      credit(s_, kNode, 1);
    }
  }
  EXPECT_GT(grants, 2) << "it is tried again";
  EXPECT_LT(grants, 20) << "but not all the time";
  EXPECT_EQ(s_.progress("a")->quarantined, 0u);
  EXPECT_EQ(s_.data_trouble("a"), "node n1 cannot get dataset x: its copy is damaged");
}

TEST_F(Data, F3ANodeThatFetchesNothingTriesAgainAfterAWhile) {
  add_on(s_, "a", "x", 1);
  join(s_, kNode, 1, 1, kStart);
  Did did = step(0);
  ASSERT_EQ(did.grants.size(), 1u);
  s_.lease_lacks_data(kNode, did.grants[0].lease.id, "it is not here", at_ms(1));
  credit(s_, kNode, 1);
  EXPECT_TRUE(step(2).grants.empty());
  s_.renew(kNode, {}, at_ms(7000));
  did = step(7001);
  ASSERT_EQ(did.grants.size(), 1u);
  EXPECT_EQ(did.grants[0].lease.attempt, 1u);
  EXPECT_TRUE(did.fetches.empty());
}

TEST_F(Data, WhatMadeRoomForAnotherIsFetchedAgain) {
  add_on(s_, "a", "x", 400);
  join_telling(s_, kNode, 1, {"x"});
  Did did = step(0);
  ASSERT_EQ(did.grants.size(), 1u);
  say(kNode, "x", {Is::Gone, 0, 0, ""}, 1);
  finish(s_, did.grants[0], at_ms(2));
  did = step(3);
  EXPECT_TRUE(did.grants.empty());
  ASSERT_EQ(did.fetches.size(), 1u);
  EXPECT_EQ(did.fetches[0].dataset, "x");
}

TEST_F(Data, ASuspectWaitsForItsDataToo) {
  Options options;
  options.isolate_after = 1;
  s_ = Scheduler(options);
  add_on(s_, "a", "x", 1);
  join_telling(s_, kNode, 1, {"x"});
  Did did = step(0);
  ASSERT_EQ(did.grants.size(), 1u);
  s_.lease_failed(kNode, did.grants[0].lease.id, Blame::Block, "failed", at_ms(1));
  s_.node_left(kNode, "gone", at_ms(1));
  join_telling(s_, kOther, 1, {});
  did = step(2);
  EXPECT_TRUE(did.grants.empty());
  ASSERT_EQ(did.fetches.size(), 1u);
  say(kOther, "x", {Is::Here, 0, 0, ""}, 3);
  did = step(4);
  ASSERT_EQ(did.grants.size(), 1u);
  EXPECT_TRUE(did.grants[0].lease.alone);
}

TEST_F(Data, AStragglersCopyGoesToWhoHasTheData) {
  add_on(s_, "a", "x", 2);
  join_telling(s_, kNode, 2, {"x"});
  Did did = step(0);
  ASSERT_EQ(did.grants.size(), 2u);
  s_.block_received(kNode, did.grants[0].lease.id, "a", 0, milliseconds(10), at_ms(10));
  join_telling(s_, kOther, 1, {});
  did = step(500);
  EXPECT_TRUE(did.grants.empty());
  ASSERT_EQ(did.fetches.size(), 1u);
  EXPECT_EQ(did.fetches[0].node, kOther);
  say(kOther, "x", {Is::Here, 0, 0, ""}, 600);
  did = step(700);
  ASSERT_EQ(did.grants.size(), 1u);
  EXPECT_EQ(did.grants[0].node, kOther);
  EXPECT_EQ(s_.progress("a")->stragglers, 1u);
}

TEST_F(Data, ExplainSaysWhatComesAndHowMuchOfItIsThere) {
  add_on(s_, "a", "x", 4);
  join_telling(s_, kNode, 2, {});
  (void)step(0);
  std::string why = s_.explain("a", {}, at_ms(1));
  EXPECT_NE(why.find("Waits for dataset x: node n1 is told to fetch it."), std::string::npos)
      << why;
  say(kNode, "x", {Is::Coming, 1024, 4096, ""}, 2);
  why = s_.explain("a", 3, at_ms(3));
  EXPECT_NE(why.find("Waits for dataset x: node n1 has 1024 of 4096 bytes."), std::string::npos)
      << why;
  EXPECT_NE(why.find("Its dataset is on 0 of 1 node."), std::string::npos) << why;
  why = s_.explain_node(kNode, at_ms(3));
  EXPECT_NE(why.find("It fetches dataset x: it has 1024 of 4096 bytes."), std::string::npos) << why;
  EXPECT_NE(why.find("The data of what waits is not there yet."), std::string::npos) << why;
}

TEST_F(Data, WhatANodeSaysTakesBoundedMemory) {
  add_on(s_, "a", "x", 4);
  join_telling(s_, kNode, 2, {});
  for (int i = 0; i < 10'000; ++i) {
    const auto is = static_cast<Is>(i % 3);
    s_.data_state(kNode, "data " + std::to_string(i), {is, 1, 2, "no"}, at_ms(i));
  }
  EXPECT_EQ(s_.audit(), "");
  EXPECT_LE(s_.nodes()[0].facts.datasets.size(), 4096u);
  EXPECT_LT(s_.explain_node(kNode, at_ms(10'000)).size(), 20'000u);
}

}  // namespace
}  // namespace winnow::scheduler
