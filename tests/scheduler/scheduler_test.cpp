#include <gtest/gtest.h>

#include <deque>
#include <set>

#include "base/rng.hpp"
#include "tests/scheduler/support.hpp"

namespace winnow::scheduler {
namespace {

using namespace testing;  // NOLINT: the support header of these tests

TEST(IntervalSet, AgreesWithASetOfIntegers) {
  Rng rng(5);
  IntervalSet intervals;
  std::set<std::uint64_t> model;
  for (int i = 0; i < 4000; ++i) {
    const std::uint64_t first = rng.below(200), last = first + rng.below(20);
    const bool insert = rng.below(2) == 0;
    for (std::uint64_t b = first; b < last; ++b)
      insert ? void(model.insert(b)) : void(model.erase(b));
    insert ? intervals.insert({first, last}) : intervals.erase({first, last});
    ASSERT_EQ(intervals.size(), model.size());
    const std::uint64_t low = rng.below(220), high = low + rng.below(40);
    const BlockRange part = intervals.first_within({low, high});
    const auto first_in = model.lower_bound(low);
    if (first_in == model.end() || *first_in >= high) {
      ASSERT_EQ(part.size(), 0u);
    } else {
      ASSERT_EQ(part.first, *first_in);
      ASSERT_TRUE(part.last == high || !model.contains(part.last));
    }
    const std::uint64_t probe = rng.below(220);
    ASSERT_EQ(intervals.contains(probe), model.contains(probe));
    if (!model.empty()) {
      ASSERT_EQ(intervals.front().first, *model.begin());
    }
  }
}

TEST(Scheduler, EveryBlockIsGrantedOnceAndTheSweepFinishes) {
  Scheduler s;
  add(s, "a", 100);
  join(s, kNode, 2, 4, kStart);
  std::set<std::uint64_t> seen;
  bool finished = false;
  for (int round = 0; round < 1000 && !finished; ++round) {
    const auto decisions = s.step(at_ms(round));
    finished = !only<SweepFinished>(decisions).empty();
    for (const Grant& g : only<Grant>(decisions)) {
      for (std::uint32_t i = 0; i < g.lease.blocks; ++i) {
        ASSERT_TRUE(seen.insert(g.lease.first_block + i).second);
      }
      finish(s, g, at_ms(round));
    }
  }
  EXPECT_TRUE(finished);
  EXPECT_EQ(seen.size(), 100u);
}

TEST(Scheduler, CommittedBlocksOfAnEarlierLifeAreNotRunAgain) {
  Scheduler s;
  SweepWork work;
  work.committed = {true, false, true, true, false};
  add(s, "a", 5, work);
  join(s, kNode, 1, 10, kStart);
  std::set<std::uint64_t> granted;
  for (const Grant& g : only<Grant>(s.step(kStart))) {
    for (std::uint32_t i = 0; i < g.lease.blocks; ++i) granted.insert(g.lease.first_block + i);
  }
  EXPECT_EQ(granted, (std::set<std::uint64_t>{1, 4}));
}

TEST(Scheduler, AllCommittedFinishesAtOnce) {
  Scheduler s;
  SweepWork work;
  work.committed = {true, true};
  add(s, "a", 2, work);
  EXPECT_EQ(only<SweepFinished>(s.step(kStart)).size(), 1u);
  EXPECT_TRUE(s.step(kStart).empty());
}

TEST(Scheduler, LeasesDoNotCrossSegments) {
  Scheduler s;
  SweepWork work;
  work.segment_ends = {7, 20};
  add(s, "a", 20, work);
  join(s, kNode, 1, 1, kStart);
  for (int i = 0; i < 20; ++i) {
    for (const Grant& g : only<Grant>(s.step(at_ms(i)))) {
      const std::uint64_t last = g.lease.first_block + g.lease.blocks;
      EXPECT_TRUE(last <= 7 || g.lease.first_block >= 7);
      finish(s, g, at_ms(i), milliseconds(1));
    }
  }
  EXPECT_EQ(s.progress("a")->committed, 20u);
}

TEST(Scheduler, LeasesGrowToTheAimedWorkAndShrinkTowardsTheEnd) {
  Scheduler s;
  add(s, "a", 2000);
  join(s, kNode, 2, 1, kStart);
  std::vector<std::uint32_t> sizes;
  for (int i = 0; i < 500; ++i) {
    for (const Grant& g : only<Grant>(s.step(at_ms(i)))) {
      sizes.push_back(g.lease.blocks);
      finish(s, g, at_ms(i), milliseconds(10));
    }
  }
  EXPECT_EQ(sizes.front(), 1u);
  EXPECT_EQ(sizes[1], 50u);  // 500 ms of 10 ms blocks
  EXPECT_EQ(sizes.back(), 1u);
}

TEST(Scheduler, LostNodesBlocksRunElsewhere) {
  Scheduler s;
  add(s, "a", 4);
  join(s, kNode, 1, 4, kStart);
  EXPECT_EQ(only<Grant>(s.step(kStart)).size(), 4u);
  join(s, kOther, 1, 8, kStart);
  EXPECT_TRUE(only<Grant>(s.step(kStart)).empty());
  s.node_left(kNode, "connection lost", at_ms(5));
  const auto grants = only<Grant>(s.step(at_ms(5)));
  ASSERT_FALSE(grants.empty());
  std::uint32_t blocks = 0;
  for (const Grant& g : grants) {
    EXPECT_EQ(g.node, kOther);
    EXPECT_EQ(g.lease.attempt, 2u);
    blocks += g.lease.blocks;
  }
  EXPECT_EQ(blocks, 4u);
  EXPECT_EQ(s.progress("a")->retries, 4u);
}

TEST(Scheduler, SilentNodesLeaseExpiresAndItGetsNoMore) {
  Scheduler s;
  add(s, "a", 10);
  join(s, kNode, 1, 8, kStart);
  EXPECT_FALSE(s.step(kStart).empty());
  join(s, kOther, 1, 1, at_ms(2400));
  EXPECT_EQ(*s.next_deadline(), at_ms(0) + Options{}.lease_ttl);
  for (const Grant& g : only<Grant>(s.step(at_ms(0) + Options{}.lease_ttl)))
    EXPECT_EQ(g.node, kOther);
}

TEST(Scheduler, RenewedLeaseDoesNotExpire) {
  Scheduler s;
  add(s, "a", 1);
  join(s, kNode, 1, 1, kStart);
  const auto grants = only<Grant>(s.step(kStart));
  ASSERT_EQ(grants.size(), 1u);
  s.renew(kNode, {grants[0].lease.id}, at_ms(2000));
  join(s, kOther, 1, 1, at_ms(3000));
  EXPECT_TRUE(only<Grant>(s.step(at_ms(3000))).empty());
}

TEST(Scheduler, LeaseTheNodeDoesNotKnowIsReturned) {
  Scheduler s;
  add(s, "a", 1);
  join(s, kNode, 1, 2, kStart);
  ASSERT_EQ(only<Grant>(s.step(kStart)).size(), 1u);
  for (int i = 0; i < 4; ++i) s.renew(kNode, {}, at_ms(1000 * i));
  const auto again = only<Grant>(s.step(at_ms(3000)));
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].lease.first_block, 0u);
}

TEST(Scheduler, LateResultOfAnExpiredLeaseStillCounts) {
  Scheduler s;
  add(s, "a", 1);
  join(s, kNode, 1, 1, kStart);
  const auto grants = only<Grant>(s.step(kStart));
  ASSERT_TRUE(s.step(at_ms(9000)).empty());  // expired, nobody else there
  s.block_received(kNode, grants[0].lease.id, "a", 0, milliseconds(1), at_ms(9001));
  s.block_committed("a", 0);
  EXPECT_EQ(only<SweepFinished>(s.step(at_ms(9002))).size(), 1u);
}

TEST(Scheduler, DuplicateResultsChangeNothing) {
  Scheduler s;
  add(s, "a", 2);
  join(s, kNode, 1, 2, kStart);
  const auto grants = only<Grant>(s.step(kStart));
  for (int i = 0; i < 3; ++i) {
    s.block_received(kNode, grants[0].lease.id, "a", 0, milliseconds(1), kStart);
    s.block_committed("a", 0);
  }
  const auto p = *s.progress("a");
  EXPECT_EQ(p.committed, 1u);
  EXPECT_EQ(p.leased + p.pending, 1u);
}

TEST(Scheduler, RefusedResultIsRunAgainAndCountsAsAnAttempt) {
  Scheduler s;
  add(s, "a", 1);
  join(s, kNode, 1, 1, kStart);
  const auto grants = only<Grant>(s.step(kStart));
  s.block_received(kNode, grants[0].lease.id, "a", 0, milliseconds(1), kStart);
  s.block_refused("a", 0, "damaged");
  credit(s, kNode, 1);
  const auto again = only<Grant>(s.step(kStart));
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].lease.attempt, 2u);
  EXPECT_NE(s.explain("a", 0, kStart).find("damaged"), std::string::npos);
}

TEST(Scheduler, HigherPriorityGoesFirst) {
  Scheduler s;
  SweepWork urgent;
  urgent.priority = 5;
  add(s, "low", 10);
  add(s, "high", 10, urgent);
  join(s, kNode, 1, 3, kStart);
  for (const Grant& g : only<Grant>(s.step(kStart))) EXPECT_EQ(g.lease.sweep, "high");
  EXPECT_NE(s.explain("low", {}, kStart).find("priority 5"), std::string::npos);
}

TEST(Scheduler, EqualsShareByWeight) {
  Scheduler s;
  SweepWork heavy;
  heavy.weight = 3;
  add(s, "one", 100'000);
  add(s, "three", 100'000, heavy);
  join(s, kNode, 1, 1, kStart);
  std::map<std::string, int> blocks;
  for (int i = 0; i < 400; ++i) {
    for (const Grant& g : only<Grant>(s.step(at_ms(i)))) {
      blocks[g.lease.sweep] += static_cast<int>(g.lease.blocks);
      finish(s, g, at_ms(i));
    }
  }
  EXPECT_NEAR(static_cast<double>(blocks["three"]) / blocks["one"], 3.0, 0.2);
}

TEST(Scheduler, PausedSweepGetsNothingUntilResumed) {
  Scheduler s;
  add(s, "a", 10);
  s.pause("a", kStart);
  join(s, kNode, 1, 1, kStart);
  EXPECT_TRUE(s.step(kStart).empty());
  EXPECT_NE(s.explain("a", {}, kStart).find("paused"), std::string::npos);
  s.resume("a");
  EXPECT_EQ(only<Grant>(s.step(kStart)).size(), 1u);
}

TEST(Scheduler, IdleWorkerRepeatsAStraggler) {
  Scheduler s;
  add(s, "a", 2);
  join(s, kNode, 1, 2, kStart);
  const auto grants = only<Grant>(s.step(kStart));
  ASSERT_EQ(grants.size(), 2u);
  finish(s, grants[0], at_ms(10));
  join(s, kOther, 1, 1, at_ms(20));
  EXPECT_TRUE(only<Grant>(s.step(at_ms(20))).empty());
  s.renew(kNode, {grants[1].lease.id}, at_ms(1000));
  s.renew(kOther, {}, at_ms(1000));
  const auto copies = only<Grant>(s.step(at_ms(1000)));
  ASSERT_EQ(copies.size(), 1u);
  EXPECT_EQ(copies[0].node, kOther);
  EXPECT_EQ(copies[0].lease.first_block, grants[1].lease.first_block);
  EXPECT_EQ(s.progress("a")->stragglers, 1u);
  finish(s, copies[0], at_ms(1010));
  EXPECT_EQ(only<SweepFinished>(s.step(at_ms(1011))).size(), 1u);
}

TEST(Scheduler, PoisonBlockIsIsolatedThenQuarantinedWithEvidence) {
  Options options;
  options.block_attempts_max = 3;
  Scheduler s(options);
  add(s, "a", 6);
  join(s, kNode, 1, 1, kStart);
  std::vector<Quarantine> quarantined;
  for (int i = 0; i < 60; ++i) {
    const auto decisions = s.step(at_ms(i));
    for (const Quarantine& q : only<Quarantine>(decisions)) quarantined.push_back(q);
    for (const Grant& g : only<Grant>(decisions)) {
      if (g.lease.first_block <= 3 && 3 < g.lease.first_block + g.lease.blocks) {
        for (std::uint64_t b = g.lease.first_block; b < 3; ++b) {
          s.block_received(kNode, g.lease.id, "a", b, milliseconds(200), at_ms(i));
          s.block_committed("a", b);
        }
        s.lease_failed(kNode, g.lease.id, Blame::Block, "division by zero", at_ms(i));
        credit(s, kNode, 1);
      } else {
        finish(s, g, at_ms(i), milliseconds(200));
      }
    }
  }
  ASSERT_EQ(quarantined.size(), 1u);
  EXPECT_EQ(quarantined[0].block, 3u);
  EXPECT_NE(quarantined[0].evidence.find("division by zero"), std::string::npos);
  EXPECT_EQ(s.progress("a")->committed, 5u);
  EXPECT_NE(s.explain("a", 3, kStart).find("quarantined"), std::string::npos);
  s.block_committed("a", 3);  // the shell committed it as failed
  EXPECT_EQ(only<SweepFinished>(s.step(at_ms(100))).size(), 1u);
}

// Nodes come, go, fall silent and answer late, in random order; the books balance after every step
// and the sweeps finish.
TEST(Scheduler, BooksBalanceUnderRandomEvents) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Rng rng(seed);
    Options options;
    options.block_attempts_max = 1000;
    Scheduler s(options);
    const std::vector<std::string> ids{"a", "b", "c"};
    for (const std::string& id : ids) add(s, id, 1 + rng.below(60));
    std::deque<Grant> running;
    std::set<std::string> finished;
    std::int64_t ms = 0;
    for (int i = 0; i < 20'000 && finished.size() < ids.size(); ++i) {
      ms += static_cast<std::int64_t>(rng.below(200));
      const MonoNs now = at_ms(ms);
      const NodeId node(1 + rng.below(4));
      switch (rng.below(8)) {
        case 0:
          join(s, node, 2, 3, now);
          break;
        case 1:
          s.node_left(node, "killed", now);
          break;
        case 2:
          s.renew(node, {}, now);
          break;
        case 3:
          if (!running.empty())
            s.lease_failed(running.front().node, running.front().lease.id, Blame::Block, "x", now);
          break;
        default:
          if (running.empty()) break;
          const Grant g = running.front();
          running.pop_front();
          if (rng.below(10) == 0) break;  // lost on the way
          finish(s, g, now);
          if (rng.below(5) == 0) running.push_back(g);  // and once more later
      }
      for (const Decision& d : s.step(now)) {
        if (const auto* g = std::get_if<Grant>(&d)) running.push_back(*g);
        if (const auto* f = std::get_if<SweepFinished>(&d)) {
          ASSERT_TRUE(finished.insert(f->sweep).second);
        }
      }
      for (const std::string& id : ids) {
        const auto p = *s.progress(id);
        ASSERT_EQ(p.pending + p.leased + p.received + p.committed + p.quarantined, p.blocks);
      }
      ASSERT_EQ(s.audit(), "");
    }
    EXPECT_EQ(finished.size(), ids.size());
  }
}

}  // namespace
}  // namespace winnow::scheduler
