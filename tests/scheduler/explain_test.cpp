// A sentence for everything that waits (law 7).

#include "tests/scheduler/support.hpp"

namespace winnow::scheduler {
namespace {

using namespace testing;  // NOLINT: the support header of these tests

void expect_says(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << "\"" << text << "\" lacks \"" << part << "\"";
}

TEST(Explain, UnknownSweep) {
  expect_says(Scheduler().explain("a", {}, kStart), "The farm is not working on sweep a.");
}

TEST(Explain, NoNode) {
  Scheduler s;
  add(s, "a", 2);
  expect_says(s.explain("a", {}, kStart), "No node has joined the farm; `winnow node --join`");
}

TEST(Explain, AllNodesSilent) {
  Scheduler s;
  add(s, "a", 2);
  join(s, kNode, 1, 1, kStart);
  expect_says(s.explain("a", {}, at_ms(60'000)), "No node has been heard of for");
}

TEST(Explain, Paused) {
  Scheduler s;
  add(s, "a", 2);
  s.pause("a", kStart);
  expect_says(s.explain("a", {}, kStart), "The sweep is paused; `winnow sweep resume`");
}

TEST(Explain, BudgetUsedUp) {
  Scheduler s;
  SweepWork work;
  work.cpu_s_max = 0.5;
  add(s, "a", 100, work);
  join(s, kNode, 1, 1, kStart);
  for (int i = 0; i < 10; ++i) {
    for (const Grant& g : only<Grant>(s.step(at_ms(i)))) {
      finish(s, g, at_ms(i), milliseconds(300));
    }
  }
  expect_says(s.explain("a", {}, kStart), "CPU hours is used up; `winnow sweep extend a");
}

TEST(Explain, HigherPriority) {
  Scheduler s;
  SweepWork urgent;
  urgent.priority = 5;
  add(s, "low", 10);
  add(s, "high", 10, urgent);
  join(s, kNode, 1, 0, kStart);
  expect_says(s.explain("low", {}, kStart), "Sweep high has priority 5, above this one's 0");
}

TEST(Explain, EveryPlaceTaken) {
  Scheduler s;
  add(s, "a", 10);
  join(s, kNode, 3, 2, kStart);
  (void)s.step(kStart);
  expect_says(s.explain("a", {}, kStart), "Every place of 3 workers is taken.");
}

TEST(Explain, OthersShareTheFarm) {
  Scheduler s;
  SweepWork work;
  work.user = "ada";
  add(s, "a", 10, work);
  work.user = "bob";
  add(s, "b", 10, work);
  join(s, kNode, 1, 0, kStart);
  expect_says(s.explain("a", {}, kStart),
              "2 sweeps share the farm; user ada has had 0 CPU hours (others: bob 0); whoever");
}

TEST(Explain, BlockByItsState) {
  Options options;
  options.block_attempts_max = 2;
  options.isolate_after = 1;
  Scheduler s(options);
  add(s, "a", 1);
  join(s, kNode, 1, 1, kStart);
  expect_says(s.explain("a", 7, kStart), "Block 7 does not exist; the sweep has 1 block.");
  expect_says(s.explain("a", 0, kStart), "It waits for a worker.");
  auto grant = only<Grant>(s.step(kStart)).at(0);
  expect_says(s.explain("a", 0, at_ms(30)), "Node n1 has it for 30 ms (attempt 1).");
  s.lease_failed(kNode, grant.lease.id, Blame::Block, "out of memory", kStart);
  expect_says(s.explain("a", {}, kStart), "1 block that failed before wait for a node");
  expect_says(s.explain("a", 0, kStart), "attempt 1: out of memory");
  credit(s, kNode, 1);
  grant = only<Grant>(s.step(kStart)).at(0);
  expect_says(s.explain("a", 0, kStart), "(attempt 2, nothing else beside it)");
  s.block_received(kNode, grant.lease.id, "a", 0, milliseconds(1), kStart);
  expect_says(s.explain("a", 0, kStart), "Its result is here and is being committed.");
  s.block_refused("a", 0, "its keys are another trial's");
  expect_says(s.explain("a", 0, kStart), "It is quarantined after 2 attempts.");
  s.block_committed("a", 0);
  expect_says(s.explain("a", 0, kStart), "It is committed.");
  expect_says(s.explain("a", {}, kStart), "All 1 block are committed.");
}

TEST(Explain, BlockThatIsNotDecidedYet) {
  Scheduler s;
  SweepWork work;
  work.withheld = {false, true};
  add(s, "a", 2, work);
  const std::string said = s.explain("a", 1, kStart);
  EXPECT_NE(said.find("parameters are not chosen yet"), std::string::npos) << said;
  s.release("a", {1, 2});
  EXPECT_EQ(s.explain("a", 1, kStart).find("not chosen"), std::string::npos);
}

}  // namespace
}  // namespace winnow::scheduler
