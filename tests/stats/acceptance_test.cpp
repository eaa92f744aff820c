#include <gtest/gtest.h>

#include "tests/stats/monte_carlo.hpp"

// The short version of tests/stats/slow: the same worlds with fewer draws and wider limits, about
// three standard errors from the acceptance limits.
namespace winnow::sweeps::test {
namespace {

constexpr std::uint64_t kSeed = 2024;

TEST(ConvergenceAcceptance, NullFamiliesRarelyConverge) {
  RecordProperty("seed", static_cast<int>(kSeed));
  for (double rho : {0.0, 0.6, 0.9}) {
    const World world{.variants = 30, .periods = 180, .rho = rho};
    EXPECT_LE(count_families(200, kSeed, world, score_only(), converged), 20u) << "rho " << rho;
  }
}

TEST(ConvergenceAcceptance, PlateauOfSharpeThreeConverges) {
  const World world{
      .variants = 50, .periods = 730, .rho = 0.6, .edge = [](auto, auto) { return daily(3); }};
  // The recency gate costs about five points.
  EXPECT_GE(count_families(100, kSeed, world, score_only(), converged), 88u);
}

TEST(ConvergenceAcceptance, OneTrueSpikeDoesNot) {
  const World world{.variants = 30, .periods = 365, .rho = 0.3, .edge = [](std::size_t i, auto) {
                      return i == 3 ? daily(5) : 0.0;
                    }};
  EXPECT_LE(count_families(100, kSeed, world, score_only(), converged), 9u);
}

TEST(ConvergenceAcceptance, OneLuckyPeriodDoesNot) {
  const World world{.variants = 30, .periods = 360, .rho = 0.6, .edge = [](auto, std::size_t day) {
                      return day >= 180 && day < 198 ? daily(3) * 20 : 0.0;
                    }};
  EXPECT_LE(count_families(100, kSeed, world, score_only(), converged), 4u);
}

TEST(ConvergenceAcceptance, SurvivorsOfANullFamilyPassUnlessTheLaunchedCountIsTold) {
  // A world where a third of the variants are good by luck of selection: scored alone they
  // converge.
  const World survivors{
      .variants = 30, .periods = 365, .rho = 0.0, .edge = [](auto, auto) { return daily(1.1); }};
  EXPECT_GE(count_families(20, kSeed, survivors, score_only(), converged), 15u);
  ConvergenceOptions told = score_only();
  told.launched = 100;
  EXPECT_EQ(count_families(20, kSeed, survivors, told, converged), 0u);
}

}  // namespace
}  // namespace winnow::sweeps::test
