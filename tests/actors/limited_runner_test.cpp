// Limits of time and memory: only the guilty trial pays.

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <set>
#include <thread>

#include "actors/limited_runner.hpp"
#include "actors/memory_gate.hpp"
#include "engine/engine.hpp"

namespace winnow::actors {
namespace {

using sweeps::Plan;

sweeps::Catalog catalog() {
  sweeps::DatasetInfo data;
  data.name = "data";
  data.content_hash = "content";
  data.instrument = "X";
  data.interval = seconds(300);
  data.first = TimestampNs{} + days(19'000);
  data.bars = 288 * 4;
  data.last = data.first + DurationNs{data.interval.ns * 287 * 4};
  sweeps::Catalog out;
  out.dataset_names = {"data"};
  out.dataset = [data](std::string_view) { return data; };
  out.execution_names = {"none"};
  out.execution = [](std::string_view) -> Result<std::string> {
    return std::string("name: none\nsizing: all_in\ninitial_cash: 1000\n");
  };
  return out;
}

/// 64 trials in four blocks of 16.
std::shared_ptr<const Plan> make_plan(const std::string& more = "") {
  auto spec = sweeps::parse_spec(
      "sweep: limits\ndata: [data]\nexecution: none\nstrategies:\n  - family: mean_reversion\n"
      "    params:\n      lookback_bars: {int: [2, 200]}\n      entry_z: {float: [0.5, 4.0]}\n"
      "search: {method: random, samples: 64}\n" +
          more,
      "limits.yaml", catalog());
  EXPECT_TRUE(spec.ok()) << spec.error().text();
  auto plan = Plan::make(*std::move(spec));
  EXPECT_TRUE(plan.ok()) << plan.error().text();
  return std::make_shared<const Plan>(*std::move(plan));
}

double value_of(std::uint64_t trial) { return static_cast<double>(trial) * 0.5 + 1; }

/// Numbers that follow from the trial alone; some trials never come to an end, some are hungry.
class Computer final : public TrialComputer {
 public:
  std::set<std::uint64_t> slow;    ///< go on until they are stopped
  std::set<std::uint64_t> broken;  ///< throw
  std::set<std::uint64_t> hungry;  ///< need 100 MiB; the others one
  std::atomic<int> calls = 0;

  Status prepare(const Plan&, const sweeps::Segment&, std::stop_token) override { return {}; }
  Result<std::uint64_t> bytes(const Range& range) override {
    std::uint64_t mib = 0;
    for (std::uint64_t i = 0; i < range.trials; ++i) {
      mib += hungry.contains(range.first_trial + i) ? 100 : 1;
    }
    return mib << 20;
  }
  Result<ResultBlock> compute(const Range& range, const std::function<bool()>& stop) override {
    ++calls;
    ResultBlock out;
    out.first_trial = range.first_trial;
    out.rows = static_cast<std::uint32_t>(range.trials);
    out.metric_count = static_cast<std::uint32_t>(engine::metric_decls().size());
    out.periods = 3;
    out.status.assign(out.rows, TrialStatus::Ok);
    out.metrics.resize(std::size_t{out.metric_count} * out.rows);
    out.returns.resize(std::size_t{out.periods} * out.rows);
    for (std::uint32_t row = 0; row < out.rows; ++row) {
      const std::uint64_t trial = range.first_trial + row;
      while (slow.contains(trial)) {
        if (stop()) return Error(ErrorCode::Cancelled, "told to stop");
      }
      if (broken.contains(trial)) throw std::runtime_error("trial is broken");
      out.keys.push_back(range.plan.key(range.segment, range.plan.params(trial, 1)));
      for (std::uint32_t m = 0; m < out.metric_count; ++m) {
        out.metrics[std::size_t{m} * out.rows + row] = value_of(trial) + m;
      }
      for (std::uint32_t p = 0; p < out.periods; ++p) {
        out.returns[std::size_t{row} * out.periods + p] =
            static_cast<float>(value_of(trial)) + static_cast<float>(p);
      }
    }
    return out;
  }
};

RunRequest all_of(const std::shared_ptr<const Plan>& plan) {
  RunRequest request;
  request.plan = plan;
  request.blocks = static_cast<std::uint32_t>(plan->blocks());
  return request;
}

struct Ran {
  Status status;
  std::vector<ResultBlock> blocks;
};
Ran run(TrialRunner& runner, const RunRequest& request) {
  Ran out;
  out.status = runner.run(
      request, {}, [&](ResultBlock block, DurationNs) { out.blocks.push_back(std::move(block)); });
  return out;
}

/// All trials have their numbers but for those that were cut, whose texts hold `why`.
void expect_only_cut(const Ran& ran, const Plan& plan, const std::set<std::uint64_t>& cut,
                     const std::string& why) {
  ASSERT_TRUE(ran.status.ok()) << ran.status.error().text();
  ASSERT_EQ(ran.blocks.size(), plan.blocks());
  for (const ResultBlock& block : ran.blocks) {
    std::size_t error = 0;
    ASSERT_EQ(block.metrics.size(), std::size_t{block.metric_count} * block.rows);
    for (std::uint32_t row = 0; row < block.rows; ++row) {
      const std::uint64_t trial = block.first_trial + row;
      const sweeps::Segment& segment = plan.segment_of_trial(trial);
      EXPECT_EQ(block.keys[row], plan.key(segment, plan.params(trial, 1)));
      const double last = block.metrics[std::size_t{block.metric_count - 1} * block.rows + row];
      if (cut.contains(trial)) {
        EXPECT_EQ(block.status[row], TrialStatus::Cut) << trial;
        EXPECT_TRUE(std::isnan(last));
        ASSERT_LT(error, block.errors.size());
        EXPECT_NE(block.errors[error++].find(why), std::string::npos) << block.errors[error - 1];
        continue;
      }
      EXPECT_EQ(block.status[row], TrialStatus::Ok) << trial;
      EXPECT_EQ(last, value_of(trial) + block.metric_count - 1);
      EXPECT_EQ(block.returns[std::size_t{row} * block.periods + 2],
                static_cast<float>(value_of(trial)) + 2);
    }
    EXPECT_EQ(error, block.errors.size());
  }
}

TEST(LimitedRunner, WithoutLimitsRunsOneBatch) {
  const auto plan = make_plan();
  const auto computer = std::make_shared<Computer>();
  const auto runner = make_limited_runner(computer);
  expect_only_cut(run(*runner, all_of(plan)), *plan, {}, "");
  EXPECT_EQ(computer->calls, 1);
}

TEST(LimitedRunner, CutsOnlyTheTrialsThatGoOverTheirTime) {
  const auto plan = make_plan("limits: {trial_seconds: 0.01}\n");
  const auto computer = std::make_shared<Computer>();
  computer->slow = {0, 21, 22, 63};
  const auto runner = make_limited_runner(computer);
  expect_only_cut(run(*runner, all_of(plan)), *plan, computer->slow,
                  "over its limit of 0.01 s of processor time");
}

TEST(LimitedRunner, TakesTheSmallerLimitOfSweepAndNode) {
  const auto plan = make_plan("limits: {trial_seconds: 3600, trial_memory_mb: 1000}\n");
  const auto computer = std::make_shared<Computer>();
  computer->slow = {5};
  computer->hungry = {6};
  const auto runner = make_limited_runner(computer, {.trial_seconds = 0.01, .trial_memory_mb = 50});
  const Ran ran = run(*runner, all_of(plan));
  expect_only_cut(ran, *plan, {5, 6}, "(the node's)");
}

TEST(LimitedRunner, RefusesAHungryTrialWithoutRunningIt) {
  const auto plan = make_plan("limits: {trial_memory_mb: 20}\n");
  const auto computer = std::make_shared<Computer>();
  computer->hungry = {17, 40};
  computer->broken = {17, 40};  // it would be seen if they ran
  const auto runner = make_limited_runner(computer);
  expect_only_cut(run(*runner, all_of(plan)), *plan, {17, 40},
                  "needs 100 MiB at once, above its limit of 20 MiB");
}

TEST(LimitedRunner, LeavesCondemnedTrialsOut) {
  const auto plan = make_plan();
  const auto computer = std::make_shared<Computer>();
  computer->broken = {3, 16};
  const auto runner = make_limited_runner(computer);
  RunRequest request = all_of(plan);
  request.condemned = {{3, "it did not stop"}, {16, "it did not stop"}};
  expect_only_cut(run(*runner, request), *plan, {3, 16}, "it did not stop");
}

TEST(LimitedRunner, AFailureInCompanyFailsTheLeaseAndAloneOnlyItsTrial) {
  const auto plan = make_plan();
  const auto computer = std::make_shared<Computer>();
  computer->broken = {9};
  const auto runner = make_limited_runner(computer);
  RunRequest request = all_of(plan);
  const Ran together = run(*runner, request);
  ASSERT_FALSE(together.status.ok());
  EXPECT_NE(together.status.error().text().find("trial is broken"), std::string::npos);
  request.alone = true;
  expect_only_cut(run(*runner, request), *plan, {9}, "trial is broken");
}

TEST(WorkWatch, KnowsWhatGoesOnAndSinceWhen) {
  WorkWatch watch;
  const MonoNs later = system_clock().mono() + seconds(40);
  {
    const WorkWatch::Span unlimited(watch, {LeaseId(1), 0, 16, 0});
    EXPECT_TRUE(watch.overdue(later).empty());
  }
  const WorkWatch::Span span(watch, {LeaseId(2), 32, 1, 0.1});
  EXPECT_TRUE(watch.overdue(system_clock().mono()).empty());
  const auto overdue = watch.overdue(later);
  ASSERT_EQ(overdue.size(), 1u);
  EXPECT_EQ(overdue[0].what.place, LeaseId(2));
  EXPECT_EQ(overdue[0].what.first_trial, 32u);
  EXPECT_GE(overdue[0].wall_s, 39.0);
}

TEST(WorkWatch, CountsProcessorTimeOfTheThreadThatComputes) {
  WorkWatch watch;
  const WorkWatch::Span span(watch, {LeaseId(2), 0, 1, 1e-6});
  const std::int64_t start = cpu_time_ns(CLOCK_THREAD_CPUTIME_ID);
  while (cpu_time_ns(CLOCK_THREAD_CPUTIME_ID) - start < 1'050'000'000) {
  }
  const MonoNs now = system_clock().mono();
  const auto overdue = watch.overdue(now);
  ASSERT_EQ(overdue.size(), 1u);
  EXPECT_GT(overdue[0].cpu_s, 1.0);
}

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

TEST(MemoryGate, WithoutALimitNeverWaits) {
  MemoryGate gate(0);
  EXPECT_TRUE(gate.acquire(~std::uint64_t{0}, {}).ok());
}

TEST(MemoryGate, RefusesByNameWhatCouldNeverFit) {
  MemoryGate gate(100 * kMiB, {}, [] { return 60 * kMiB; });
  EXPECT_TRUE(gate.could_fit(40 * kMiB));
  const auto room = gate.acquire(41 * kMiB, {});
  ASSERT_FALSE(room.ok());
  EXPECT_EQ(room.error().code(), ErrorCode::Refused);
  EXPECT_NE(room.error().text().find("41 MiB"), std::string::npos) << room.error().text();
}

TEST(MemoryGate, LetsTheNextInWhenOneIsDone) {
  MemoryGate gate(100 * kMiB, {}, [] { return std::uint64_t{0}; });
  std::atomic<bool> second = false;
  std::thread waiting;
  {
    const auto first = gate.acquire(60 * kMiB, {});
    ASSERT_TRUE(first.ok());
    waiting = std::thread([&] {
      const auto room = gate.acquire(60 * kMiB, {});
      second = room.ok();
    });
    EXPECT_FALSE(second);
  }
  waiting.join();
  EXPECT_TRUE(second);
}

TEST(MemoryGate, GivesBackWhatCanBeDoneWithoutFirst) {
  std::uint64_t used = 0;
  int relieved = 0;
  MemoryGate gate(
      100 * kMiB,
      [&] {
        ++relieved;
        used = 10 * kMiB;
      },
      [&] { return used; });
  const auto first = gate.acquire(20 * kMiB, {});
  ASSERT_TRUE(first.ok());
  used = 90 * kMiB;
  const auto second = gate.acquire(30 * kMiB, {});
  EXPECT_TRUE(second.ok());
  EXPECT_EQ(relieved, 1);
}

TEST(MemoryGate, AWaitEndsWithTheNode) {
  MemoryGate gate(100 * kMiB, {}, [] { return std::uint64_t{0}; });
  const auto first = gate.acquire(80 * kMiB, {});
  std::stop_source stop;
  stop.request_stop();
  const auto second = gate.acquire(80 * kMiB, stop.get_token());
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code(), ErrorCode::Cancelled);
}

}  // namespace
}  // namespace winnow::actors
