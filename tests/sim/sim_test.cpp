#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <array>
#include <cstdio>

#include "tests/sim/explore.hpp"
#include "tests/sim/scale.hpp"

namespace winnow::sim {
namespace {

Result<Explored> run(std::uint64_t first, std::uint64_t seeds, Canary canary = Canary::None,
                     const std::string& workload = "") {
  spdlog::set_level(spdlog::level::off);
  Exploration what;
  what.workload = workload;
  what.first = first;
  what.seeds = seeds;
  what.options.canary = canary;
  if (canary != Canary::None) what.failures_max = 1;
  return explore(what);
}

void expect_all_hold(std::uint64_t first, std::uint64_t seeds) {
  const auto explored = run(first, seeds);
  ASSERT_TRUE(explored.ok()) << explored.error().text();
  std::printf("%s\n", explored->summary().c_str());
  EXPECT_EQ(explored->seeds, seeds);
  EXPECT_TRUE(explored->failures.empty()) << explored->summary();
  EXPECT_GT(explored->kills, seeds / 10);
}

// Four parts of 500, so that they run beside one another.
TEST(Simulation, InvariantsHoldForSeedsFrom1) { expect_all_hold(1, 500); }
TEST(Simulation, InvariantsHoldForSeedsFrom501) { expect_all_hold(501, 500); }
TEST(Simulation, InvariantsHoldForSeedsFrom1001) { expect_all_hold(1001, 500); }
TEST(Simulation, InvariantsHoldForSeedsFrom1501) { expect_all_hold(1501, 500); }

TEST(Simulation, RestartsOfTheCoordinatorComputeNothingTwice) {
  const auto explored = run(1, 100, Canary::None, "restarts");
  ASSERT_TRUE(explored.ok()) << explored.error().text();
  EXPECT_TRUE(explored->failures.empty()) << explored->summary();
  EXPECT_GT(explored->held, 2000u);
  EXPECT_EQ(explored->recomputed, 0u) << explored->summary();
}

struct Broken {
  Canary canary;
  const char* workload;
  const char* found_by;  ///< part of what the check says
  const char* name;
};

class BrokenPart : public testing::TestWithParam<Broken> {};

TEST_P(BrokenPart, IsFoundWithin200Seeds) {
  const Broken& broken = GetParam();
  const auto explored = run(1, 200, broken.canary, broken.workload);
  ASSERT_TRUE(explored.ok()) << explored.error().text();
  ASSERT_FALSE(explored->failures.empty()) << "the simulation is blind to this";
  EXPECT_NE(explored->failures[0].find(broken.found_by), std::string::npos)
      << explored->failures[0];
  // Whoever meets it can meet it again.
  EXPECT_NE(explored->failures[0].find("--seed "), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    Canaries, BrokenPart,
    testing::Values(
        Broken{Canary::AcksBeforeSync, "crashes", "not on the disk", "AcknowledgesBeforeSync"},
        Broken{Canary::NoFencing, "network", "not given to it in this session", "NoFencing"},
        Broken{Canary::LeasesTwice, "poison", "not given to it in this session", "LeasesTwice"},
        Broken{Canary::ComparesNothing, "wrong_bytes", "did not say so", "ComparesNothing"},
        Broken{Canary::ForgetsCommitted, "crashes", "acknowledged blocks only",
               "ForgetsCommittedBlocksAtRestart"},
        Broken{Canary::CountsRepeats, "network", "the ledger counts", "CountsRepeats"},
        Broken{Canary::HidesLeases, "restarts", "computed twice", "HidesRunningLeases"},
        Broken{Canary::HidesData, "shipping", "had to wait for a dataset", "HidesWhatItLacks"},
        Broken{Canary::LosesResults, "poison", "stuck", "LosesResults"}),
    [](const auto& name) { return std::string(name.param.name); });

TEST(Scale, SixtyFourWorkersKeepAtLeast95PercentBusy) {
  const ScaleReport report = measure_scale({.nodes = 16, .workers = 4, .blocks_per_worker = 100});
  ASSERT_TRUE(report.finished);
  EXPECT_GE(report.efficiency_frac, 0.95);
}

TEST(Scale, AThousandWorkersFinish) {
  const ScaleReport report = measure_scale({.nodes = 250, .workers = 4, .blocks_per_worker = 10});
  ASSERT_TRUE(report.finished);
  EXPECT_GE(report.efficiency_frac, 0.8);
}

/// The output of this machine's winnow_sim, started anew.
std::string in_a_process(const std::string& arguments) {
  const std::string command = std::string(WINNOW_SIM) + " " + arguments;
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return "cannot start";
  std::string out;
  std::array<char, 4096> buffer{};
  for (std::size_t n = 0; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    out.append(buffer.data(), n);
  }
  const int status = ::pclose(pipe);
  return out + "status " + std::to_string(status);
}

TEST(Simulation, SameSeedGivesTheSameTraceInTwoProcesses) {
  const std::string arguments = "--workload rough --seed 7 --trace | grep -v ' in [0-9.]* s$'";
  const std::string once = in_a_process(arguments);
  EXPECT_GT(once.size(), 10'000u) << once;
  EXPECT_TRUE(once == in_a_process(arguments));
  EXPECT_TRUE(once != in_a_process("--workload rough --seed 13 --trace"));
}

}  // namespace
}  // namespace winnow::sim
