#include "sweeps/truth/truth.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "serve/parallel.hpp"

namespace winnow::sweeps {
namespace {

// The short version of `winnow verify truth`: the same worlds, markets and limits, fewer of them.
TruthReport run(std::string_view name, const TruthSize& size) {
  const TruthWorld* world = find_truth_world(name);
  EXPECT_NE(world, nullptr) << name;
  if (world == nullptr) return {};
  const auto report = run_truth(*world, size, serve::threads_for());
  EXPECT_TRUE(report.ok()) << report.error().text();
  return report.ok() ? *report : TruthReport{};
}

TEST(Truth, NothingIsPromotedWhereNothingIs) {
  const TruthReport r = run("no_edge", {.sweeps = 20, .families = 15, .seed = 1});
  // So few sweeps cannot tell 5% from 10% (the long run can); they must not speak against 5%.
  EXPECT_LE(r.rate_low, 0.05) << r.sweeps_with_promotion << " of 20 sweeps promoted noise";
  // The world is what it says: no edge on average, and luck that would fool a leaderboard.
  EXPECT_NEAR(r.family_sharpe_ann, 0, 0.2);
  EXPECT_GT(r.best_sharpe_ann, 1.0);
  EXPECT_LE(r.converged, 20u) << "uncorrected, of 300 families: five in a hundred are allowed";
}

TEST(Truth, PlateauOfSharpeThreeIsFound) {
  const TruthReport r = run("plateau", {.families = 200, .seed = 1});
  EXPECT_NEAR(r.family_sharpe_ann, 3, 0.25) << "the world is not what it says";
  EXPECT_TRUE(r.met) << "found " << r.promoted << " of " << r.families;
}

TEST(Truth, OneLuckyDayIsNotAnEdge) {
  const TruthReport r = run("lucky_day", {.sweeps = 20, .families = 5, .seed = 1});
  EXPECT_TRUE(r.met) << r.sweeps_with_promotion << " of 20 sweeps promoted a lucky day";
}

TEST(Truth, OneTrueSpikeIsNotAFamily) {
  const TruthReport r = run("true_spike", {.sweeps = 20, .families = 5, .seed = 1});
  EXPECT_TRUE(r.met) << r.sweeps_with_promotion << " of 20 sweeps promoted a spike";
  // One variant has an edge of 3.3, forty have none: on average 0.08, with an error of 0.06.
  EXPECT_GT(r.best_sharpe_ann, 2.5);
  EXPECT_NEAR(r.family_sharpe_ann, 0.08, 0.2) << "the world is not what it says";
}

TEST(Truth, EdgeThatCostsEatIsRejectedAndWithoutThemFound) {
  const TruthReport eaten = run("costs_eat_edge", {.sweeps = 20, .families = 5, .seed = 1});
  EXPECT_TRUE(eaten.met) << eaten.sweeps_with_promotion << " of 20 sweeps";
  EXPECT_LT(eaten.family_sharpe_ann, 0);
  const TruthReport there = run("without_costs", {.families = 100, .seed = 1});
  EXPECT_TRUE(there.met) << "found " << there.promoted << " of " << there.families;
  EXPECT_GT(there.family_sharpe_ann, 3);
}

TEST(Truth, ARisingMarketIsNotSkill) {
  const TruthReport r = run("drift", {.sweeps = 20, .families = 5, .seed = 1});
  EXPECT_TRUE(r.met) << r.sweeps_with_promotion << " of 20 sweeps";
  EXPECT_GT(r.family_sharpe_ann, 0.8) << "the world is not what it says";
}

TEST(Truth, APegThatMayBreakIsNotAnEdge) {
  const TruthReport r = run("pegged", {.sweeps = 40, .families = 1, .seed = 1});
  EXPECT_TRUE(r.met) << r.sweeps_with_promotion << " of 40 sweeps promoted a peg";
  EXPECT_GE(r.converged_uncharged, 8u) << "the world is no trap: it would not have fooled anyone";
}

TEST(Truth, AnEdgeWithStopsBearsTheChargeForGaps) {
  const TruthReport r = run("plateau_stops", {.families = 100, .seed = 1});
  EXPECT_TRUE(r.met) << "found " << r.promoted << " of " << r.families;
}

TEST(Truth, StopsAndTargetsGainNothingByTheirLevels) {
  for (const char* world :
       {"stops_4", "stops_16", "stops_64", "targets_4", "targets_16", "targets_64"}) {
    const TruthReport r = run(world, {.sweeps = 10, .families = 5, .seed = 1});
    EXPECT_LE(r.rate_low, 0.05) << world << ": " << r.sweeps_with_promotion << " of 10 sweeps";
    EXPECT_NEAR(r.family_sharpe_ann, 0, 0.3) << world;
  }
}

TEST(Truth, ZoomingInOnWhatIsKnownIsPaidFor) {
  for (const char* world : {"zoom_in", "zoom_in_costs", "zoom_confirm"}) {
    const TruthReport r = run(world, {.sweeps = 30, .families = 1, .seed = 1});
    EXPECT_LE(r.rate_low, 0.05) << world << ": " << r.sweeps_with_promotion << " of 30 sweeps";
  }
}

TEST(Truth, AnEdgeThatWasZoomedInOnIsFoundTheNextYear) {
  const TruthReport r = run("zoom_in_next_year", {.families = 60, .seed = 1});
  EXPECT_GE(r.rate_high, 0.80) << "found " << r.promoted << " of " << r.families;
}

TEST(Truth, AYearOfAnAccountSaysSomethingFalseAtMostOnceInTwenty) {
  for (const char* world : {"sequence_100", "sequence_1000", "climbing"}) {
    const TruthReport r = run(world, {.sweeps = 60, .seed = 1});
    EXPECT_LE(r.rate_low, 0.05) << world << ": " << r.sweeps_with_promotion << " of 60 years";
    EXPECT_GE(r.families, 60u * 30) << world << ": the account ends at about 34 openings";
  }
}

TEST(Truth, TheHonestUserIsNotStarved) {
  for (const char* world : {"starving", "believed"}) {
    const TruthReport r = run(world, {.sweeps = 40, .seed = 1});
    EXPECT_GE(r.rate_high, 0.70) << world << ": found " << r.promoted << " of " << r.real;
  }
}

TEST(Truth, SameSeedGivesTheSameReportOnAnyNumberOfThreads) {
  const TruthWorld* world = find_truth_world("plateau");
  ASSERT_NE(world, nullptr);
  const TruthSize size{.families = 6, .seed = 9};
  const auto one = run_truth(*world, size);
  const auto many = run_truth(*world, size, serve::threads_for(3));
  ASSERT_TRUE(one.ok() && many.ok());
  EXPECT_EQ(one->family_sharpe_ann, many->family_sharpe_ann);
  EXPECT_EQ(one->promoted, many->promoted);
}

TEST(Truth, WrongRequestsAreRefused) {
  EXPECT_EQ(find_truth_world("nowhere"), nullptr);
  EXPECT_EQ(run_truth(truth_worlds()[0], {.sweeps = 0}).error().code(), ErrorCode::InvalidInput);
  TruthWorld other = truth_worlds()[0];
  other.family = "astrology";
  EXPECT_EQ(run_truth(other, {}).error().code(), ErrorCode::InvalidInput);
}

// Clopper and Pearson 1934: closed forms at the ends, and a tabulated value.
TEST(Truth, RateLimitsAreExact) {
  const RateLimits none = rate_limits(0, 20);
  EXPECT_EQ(none.low, 0);
  EXPECT_NEAR(none.high, 1 - std::pow(0.025, 1.0 / 20), 1e-12);
  const RateLimits all = rate_limits(20, 20);
  EXPECT_NEAR(all.low, std::pow(0.025, 1.0 / 20), 1e-12);
  EXPECT_EQ(all.high, 1);
  const RateLimits some = rate_limits(5, 100);
  EXPECT_NEAR(some.low, 0.01643, 1e-5);
  EXPECT_NEAR(some.high, 0.11284, 1e-5);
  EXPECT_EQ(rate_limits(0, 0).high, 1);
}

}  // namespace
}  // namespace winnow::sweeps
