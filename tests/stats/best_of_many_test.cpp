#include "sweeps/best_of_many.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "sweeps/family_evidence.hpp"
#include "sweeps/stats/basic.hpp"
#include "sweeps/stats/bootstrap.hpp"
#include "sweeps/stats/haircut.hpp"
#include "sweeps/stats/snooping.hpp"
#include "tests/stats/families.hpp"

namespace winnow::sweeps {
namespace {

std::vector<std::uint32_t> all_rows(std::size_t n) {
  std::vector<std::uint32_t> out(n);
  std::iota(out.begin(), out.end(), 0u);
  return out;
}

BestOfMany tests_of(const test::Family& f, double block = 3) {
  const auto found = best_of_many(f.view(), all_rows(f.variants), block, serial_for());
  EXPECT_TRUE(found.tests) << found.reason;
  return found.tests.value_or(BestOfMany{});
}

// The functions that the published vectors verify, on the same resamples.
TEST(BestOfMany, TestsAreThoseOfTheVectors) {
  const test::Family f =
      test::family({.variants = 150, .periods = 200, .sharpe_ann = 1, .rho = 0.3, .seed = 5});
  const double block = 4;
  const BestOfMany fast = tests_of(f, block);
  stats::SnoopingInput input;
  input.mean_block = block;
  for (std::size_t v = 0; v < f.variants; ++v) {
    std::vector<double> row;
    for (std::size_t t = 0; t < f.periods; ++t) row.push_back(f.view().at(v, t));
    const double sd = stats::stdev(row);
    for (double& r : row) r /= sd;
    input.advantage.push_back(std::move(row));
  }
  for (std::size_t b = 0; b < fast.resamples; ++b) {
    input.resamples.push_back(stats::stationary_indices(f.periods, block, 1, b));
  }
  const auto means = stats::resampled_means(input);
  const double n = static_cast<double>(fast.resamples);
  const auto counted = [&](double share) { return (1 + share * n) / (1 + n); };
  using stats::Recentring;
  EXPECT_NEAR(fast.p_reality_check, counted(stats::reality_check(means).p), 1e-12);
  EXPECT_NEAR(fast.p_spa_lower, counted(stats::superior_ability(means, Recentring::Lower).p),
              1e-12);
  EXPECT_NEAR(fast.p_spa_consistent,
              counted(stats::superior_ability(means, Recentring::Consistent).p), 1e-12);
  EXPECT_NEAR(fast.p_spa_upper, counted(stats::superior_ability(means, Recentring::Upper).p),
              1e-12);
  EXPECT_EQ(fast.superior, stats::step_m(means).superior.size());
  EXPECT_LE(fast.p_spa_lower, fast.p_spa_consistent);
  EXPECT_LE(fast.p_spa_consistent, fast.p_spa_upper);
}

TEST(BestOfMany, OneTrueEdgeAmongNoiseIsFoundAndNoiseIsNot) {
  test::Family f = test::family({.variants = 300, .periods = 365, .rho = 0.2, .seed = 3});
  const BestOfMany noise = tests_of(f);
  EXPECT_GT(noise.p_spa_consistent, 0.05);
  EXPECT_EQ(noise.superior, 0u);
  for (std::size_t t = 0; t < f.periods; ++t) f.at(7, t) += 0.004F;  // a Sharpe ratio near 8
  const BestOfMany edge = tests_of(f);
  EXPECT_LT(edge.p_spa_consistent, 0.01);
  EXPECT_LT(edge.p_reality_check, 0.01);
  EXPECT_EQ(edge.superior, 1u);
}

// Nominal size over worlds without an edge; what a p-value is worth.
TEST(BestOfMany, NoiseIsCalledBetterAsRarelyAsItsLevelSays) {
  std::size_t spa = 0;
  constexpr std::size_t kWorlds = 60;
  for (std::uint64_t seed = 100; seed < 100 + kWorlds; ++seed) {
    const auto f = test::family({.variants = 40, .periods = 120, .rho = 0.5, .seed = seed});
    spa += tests_of(f, 1).p_spa_consistent <= 0.05 ? 1 : 0;
  }
  // P(more than 9 of 60 | 5%) is 0.05%.
  EXPECT_LE(spa, 9u);
}

TEST(BestOfMany, ScaleAndOrderOfVariantsDoNotMatter) {
  const test::Family f = test::family({.variants = 140, .periods = 90, .sharpe_ann = 2, .seed = 8});
  test::Family g = f;
  for (std::size_t v = 0; v < f.variants; ++v) g.clone(v, v, v % 2 == 0 ? 4.0F : 0.25F);
  const BestOfMany a = tests_of(f);
  EXPECT_EQ(a.p_reality_check, tests_of(g).p_reality_check);
  auto rows = all_rows(f.variants);
  std::reverse(rows.begin(), rows.end());
  const auto b = best_of_many(f.view(), rows, 3, serial_for());
  ASSERT_TRUE(b.tests);
  EXPECT_EQ(a.p_spa_consistent, b.tests->p_spa_consistent);
  EXPECT_EQ(a.superior, b.tests->superior);
}

TEST(BestOfMany, WhatCannotBeTestedSaysWhy) {
  const test::Family f = test::family({.variants = 3, .periods = 19});
  const auto none = best_of_many(f.view(), {}, 1, serial_for());
  EXPECT_FALSE(none.tests);
  EXPECT_EQ(none.reason, "no variant has returns that vary");
  EXPECT_EQ(best_of_many(f.view(), all_rows(3), 1, serial_for()).reason,
            "19 periods; the tests need at least 20");
  const test::Family one = test::family({.variants = 1, .periods = 20});
  EXPECT_EQ(tests_of(one).variants, 1u);
}

// A clone, whatever its size, is as good as what it was cloned from.
TEST(Contest, ClonesAreOneModel) {
  const test::Family f = test::family({.variants = 3, .periods = 300, .sharpe_ann = 3, .seed = 4});
  std::vector<std::vector<double>> series(4);
  for (std::size_t t = 0; t < f.periods; ++t) {
    for (std::size_t v = 0; v < 3; ++v) series[v].push_back(f.view().at(v, t));
    series[3].push_back(f.view().at(0, t) / 3);
  }
  stats::IndexRows resamples;
  for (std::size_t b = 0; b < 300; ++b) {
    resamples.push_back(stats::stationary_indices(f.periods, 2, 1, b));
  }
  const Contest with = contest(series, resamples, 2);
  EXPECT_EQ(with.p_in_best_set[0], with.p_in_best_set[3]);
  EXPECT_EQ(with.p_beats_cash[0], with.p_beats_cash[3]);
  series.pop_back();
  const Contest without = contest(series, resamples, 2);
  EXPECT_EQ(with.p_in_best_set[0], without.p_in_best_set[0]);
  EXPECT_EQ(with.p_spa, without.p_spa);
}

TEST(Deflation, HaircutTakesWhatTheNumberOfTestsCosts) {
  const stats::TrackRecord record{.sharpe = 2.5 / std::sqrt(365.0), .periods = 730};
  const Deflation one = deflate(record, 1, 0, 365);
  ASSERT_TRUE(one.haircut_sharpe_ann && one.haircut_frac);
  EXPECT_NEAR(*one.haircut_sharpe_ann, 2.5, 1e-9);
  EXPECT_NEAR(*one.haircut_frac, 0, 1e-9);
  double last = 2.5;
  for (const double trials : {2.0, 5.0, 20.0}) {
    const Deflation d = deflate(record, trials, 0, 365);
    EXPECT_LT(*d.haircut_sharpe_ann, last) << trials;
    last = *d.haircut_sharpe_ann;
    // As the authors' program corrects by Bonferroni.
    const auto single = stats::haircut_single(
        {.frequency = stats::Frequency::Monthly, .observations = 24, .sharpe = 2.5});
    EXPECT_NEAR(last, stats::haircut_from_p(single, single.p * trials).sharpe_ann, 1e-9);
  }
  const Deflation many = deflate(record, 1e6, 0, 365);
  EXPECT_EQ(*many.haircut_sharpe_ann, 0);
  EXPECT_EQ(*many.haircut_frac, 1);
}

TEST(Deflation, HaircutOfLossesIsAllAndOfFewDaysIsNone) {
  EXPECT_EQ(deflate({.sharpe = -0.1, .periods = 400}, 3, 0, 365).haircut_sharpe_ann, 0.0);
  EXPECT_FALSE(deflate({.sharpe = 0.1, .periods = 119}, 3, 0, 365).haircut_sharpe_ann);
  // A p-value below what a double holds takes nothing.
  const Deflation sure = deflate({.sharpe = 40, .periods = 3650}, 1000, 0, 365);
  EXPECT_TRUE(std::isfinite(*sure.haircut_sharpe_ann));
  EXPECT_GT(*sure.haircut_sharpe_ann, 0);
}

}  // namespace
}  // namespace winnow::sweeps
