// Faults found in use, section B: one test a row of what the statistics themselves do.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "sweeps/best_of_many.hpp"
#include "sweeps/family_evidence.hpp"
#include "sweeps/stats/agreement.hpp"
#include "sweeps/stats/basic.hpp"
#include "sweeps/stats/bayes.hpp"
#include "sweeps/stats/bootstrap.hpp"
#include "sweeps/stats/change_points.hpp"
#include "sweeps/stats/kelly_portfolio.hpp"
#include "sweeps/stats/pbo.hpp"
#include "sweeps/stats/sharpe.hpp"
#include "sweeps/stats/snooping.hpp"
#include "sweeps/stats/unit_root.hpp"
#include "tests/stats/families.hpp"

namespace winnow::sweeps {
namespace {

using namespace stats;

std::vector<std::uint32_t> all_rows(std::size_t n) {
  std::vector<std::uint32_t> out(n);
  std::iota(out.begin(), out.end(), 0u);
  return out;
}

IndexRows resamples_of(std::size_t periods, std::size_t count) {
  IndexRows out;
  for (std::size_t b = 0; b < count; ++b) out.push_back(stationary_indices(periods, 3, 1, b));
  return out;
}

SnoopingInput input_of(const test::Family& f) {
  SnoopingInput in;
  for (std::size_t v = 0; v < f.variants; ++v) {
    in.advantage.emplace_back();
    for (std::size_t t = 0; t < f.periods; ++t) in.advantage.back().push_back(f.view().at(v, t));
  }
  in.mean_block = 3;
  in.resamples = resamples_of(f.periods, 200);
  return in;
}

// Every variant loses, much or a little: nothing is better than nothing.
TEST(FaultB1, LosersHaveAPOfOneInEveryTest) {
  for (const double edge : {-80.0, -20.0, -10.0}) {
    const test::Family f =
        test::family({.variants = 2, .periods = 120, .sharpe_ann = edge, .seed = 4});
    const SnoopingInput in = input_of(f);
    const ResampledMeans m = resampled_means(in);
    for (const Recentring how : {Recentring::Lower, Recentring::Consistent, Recentring::Upper}) {
      EXPECT_EQ(superior_ability(m, how).statistic, 0);
      EXPECT_EQ(superior_ability(m, how).p, 1) << edge;
    }
    EXPECT_GT(reality_check(m).p, 0.9);
    EXPECT_TRUE(step_m(m).superior.empty());
    for (const double p : step_m(m).adjusted_p) EXPECT_GT(p, 0.9);
    const auto live = best_of_many(f.view(), all_rows(2), 3, serial_for());
    ASSERT_TRUE(live.tests);
    EXPECT_EQ(live.tests->p_spa_lower, 1);
    EXPECT_EQ(live.tests->p_spa_consistent, 1);
    EXPECT_EQ(live.tests->p_spa_upper, 1);
    EXPECT_GT(live.tests->p_reality_check, 0.9);
    EXPECT_EQ(live.tests->superior, 0u);
    EXPECT_EQ(contest(in.advantage, in.resamples, 3).p_spa, 1);
  }
}

TEST(FaultB1, WhatNeverDiffersHasAPOfOne) {
  SnoopingInput flat;
  flat.advantage = {std::vector<double>(40, 0.0), std::vector<double>(40, 0.0)};
  flat.resamples = resamples_of(40, 100);
  const ResampledMeans m = resampled_means(flat);
  EXPECT_EQ(reality_check(m).p, 1);
  EXPECT_EQ(superior_ability(m, Recentring::Consistent).p, 1);
  for (const double p : step_m(m).adjusted_p) EXPECT_EQ(p, 1);
  const test::Family f = test::family({.variants = 1, .periods = 40, .seed = 2});
  const Columns twins(3, input_of(f).advantage.front());
  for (const McsStatistic s : {McsStatistic::Range, McsStatistic::Max}) {
    for (const double p : model_confidence_set(twins, flat.resamples, s).p) EXPECT_EQ(p, 1);
  }
  const std::vector<double> level(50, 1.0);
  EXPECT_EQ(ols_cusum(level).p, 1);
  std::vector<double> even;
  for (int i = 0; i < 4000; ++i) even.push_back(i % 2 == 0 ? 1 : -1);
  EXPECT_EQ(ols_cusum(even).p, 1) << "a statistic of " << ols_cusum(even).statistic;
}

// Symmetric returns without an edge: the best in sample is as often above as below the middle.
TEST(FaultB4, PboOfNullFamiliesIsAHalfHoweverSeldomTheyTrade) {
  constexpr std::size_t kVariants = 20;
  constexpr std::size_t kPeriods = 96;
  constexpr int kFamilies = 150;
  for (const double active : {1.0, 0.3, 0.1, 0.04, 0.02}) {
    double sum = 0;
    for (int k = 0; k < kFamilies; ++k) {
      test::Family f = test::family({.variants = kVariants,
                                     .periods = kPeriods,
                                     .seed = static_cast<std::uint64_t>(900 + k)});
      for (std::size_t v = 0; v < kVariants; ++v) {
        Rng rng(static_cast<std::uint64_t>(77 + k), v);
        for (std::size_t t = 0; t < kPeriods; ++t) {
          if (rng.uniform() >= active) f.at(v, t) = 0;
        }
        f.at(v, rng.uniform() < 0.5 ? 3 : 90) = static_cast<float>(0.01 * test::normal(rng));
      }
      const auto r = probability_of_overfitting(f.view(), {.blocks = 6, .dominance = false});
      ASSERT_TRUE(r.ok()) << r.error().text();
      sum += r->pbo;
    }
    EXPECT_NEAR(sum / kFamilies, 0.5, 0.07) << "of days with a return: " << active;
  }
}

TEST(FaultB4, AVariantThatNeverMovesIsNotOfTheFamily) {
  const test::Family f = test::family({.variants = 9, .periods = 80, .seed = 6});
  test::Family more = test::family({.variants = 12, .periods = 80, .seed = 6});
  for (std::size_t v : {std::size_t{9}, std::size_t{10}, std::size_t{11}}) {
    for (std::size_t t = 0; t < 80; ++t) more.at(v, t) = 0;
  }
  const auto a = probability_of_overfitting(f.view(), {.blocks = 8});
  const auto b = probability_of_overfitting(more.view(), {.blocks = 8});
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_EQ(b->not_ranked, 3u);
  EXPECT_EQ(a->chosen, b->chosen);
  EXPECT_EQ(a->rank, b->rank);
  EXPECT_EQ(a->pbo, b->pbo);
  EXPECT_EQ(a->dominance.gap_mean, b->dominance.gap_mean);
}

TEST(FaultB5, TheMeanBlockIsTheOneThatWasUsed) {
  const test::Family f = test::family({.variants = 5, .periods = 90, .seed = 3});
  const auto found = best_of_many(f.view(), all_rows(5), 1.917, serial_for());
  ASSERT_TRUE(found.tests);
  EXPECT_EQ(found.tests->mean_block, 1.917);
}

TEST(FaultB6, TheExpectedMaximumIsGoodForAnyN) {
  EXPECT_NEAR(expected_max_sharpe(10), 1.574598, 1e-6);
  double last = 0;
  for (double n = 2; n < 1e300; n *= 1e12) {
    const double approx = expected_max_sharpe(n);
    ASSERT_TRUE(std::isfinite(approx)) << n;
    EXPECT_GT(approx, last);
    EXPECT_LT(approx, std::sqrt(2 * std::log(n)) + 0.05);
    if (n > 4) {
      EXPECT_NEAR(approx, expected_max_exact(n), 0.04 * approx) << n;
    }
    last = approx;
  }
  // By the upper tail, to the last digits: z of 1e-17 and of 1e-17 / e.
  EXPECT_NEAR(expected_max_sharpe(1e17),
              -(1 - kEulerGamma) * normal_quantile(1e-17) -
                  kEulerGamma * normal_quantile(1e-17 / std::exp(1.0)),
              1e-12);
  EXPECT_EQ(expected_max_sharpe(1), 0);
  EXPECT_GE(expected_max_sharpe(1.2), 0) << "a maximum is not below the mean";
}

TEST(FaultB11, TiesAreTakenOffKendallsW) {
  const Concordance tied = kendall_w({{1, 1, 2, 3, 4}, {2, 1, 1, 4, 4}, {1, 2, 3, 3, 5}});
  EXPECT_NEAR(tied.w, 0.8154761904761905, 1e-12);
  EXPECT_NEAR(kendall_w({{1, 1, 2}, {3, 3, 9}}).w, 1, 1e-12) << "equal rankings agree, ties or not";
  EXPECT_EQ(kendall_w({{1, 1}, {2, 2}}).w, 0);
  EXPECT_EQ(kendall_w({{1, 1}, {2, 2}}).p, 1);
}

TEST(FaultB11, JamesSteinDoesNotDependOnTheOrder) {
  const std::vector<double> y = {0.4, 1.9, -0.3, 0.8, 0.1};
  const std::vector<double> se = {0.5, 1.2, 0.4, 0.9, 0.6};
  const RandomEffects a = random_effects(y, se);
  const std::vector<double> y2 = {1.9, 0.1, 0.8, 0.4, -0.3};
  const std::vector<double> se2 = {1.2, 0.6, 0.9, 0.5, 0.4};
  const RandomEffects b = random_effects(y2, se2);
  EXPECT_NEAR(a.james_stein[1], b.james_stein[0], 1e-12);
  EXPECT_NEAR(a.james_stein[4], b.james_stein[1], 1e-12);
  EXPECT_NEAR(a.james_stein[0], 0.465991513437058, 1e-12);
}

TEST(FaultB11, TheDrawdownTailMeetsItselfBetweenItsTwoSeries) {
  EXPECT_NEAR(max_drawdown_tail(0.9999999, 1, 1), max_drawdown_tail(1.0000001, 1, 1), 1e-6);
  EXPECT_NEAR(max_drawdown_tail(6, 0.5, 90), 0.4115108173513936, 1e-13);
  EXPECT_EQ(max_drawdown_tail(0, 1, 1), 1);
  EXPECT_NEAR(max_drawdown_tail(1e-3, 1, 1), 1, 1e-15);
  EXPECT_LT(max_drawdown_tail(30, 1, 1), 1e-100);
  EXPECT_GT(max_drawdown_tail(30, 1, 1), 0);
  // E = integral of the tail.
  double sum = 0;
  for (double h = 0.0005; h < 12; h += 0.001) sum += 0.001 * max_drawdown_tail(h, 1, 1);
  EXPECT_NEAR(sum, expected_max_drawdown(0, 1, 1), 1e-6);
}

TEST(FaultB11, JohansenKnowsTwelveSeries) {
  std::vector<std::vector<double>> series;
  for (std::uint64_t s = 0; s < 12; ++s) {
    Rng rng(5, s);
    double at = 0;
    series.emplace_back();
    for (int t = 0; t < 120; ++t) series.back().push_back(at += test::normal(rng));
  }
  const JohansenTest t = johansen(series, 0, 1);
  EXPECT_EQ(t.trace_critical[0], (std::array{326.5354, 334.9795, 351.2150}));
  EXPECT_EQ(t.max_critical[8], (std::array{25.1236, 27.5858, 32.7172}));
}

TEST(FaultB11, RiskConstrainedKellyHoldsItsConstraintOverSeveralAssets) {
  // A bet at 1.5 to 1 won half of the time, a weaker one that wins apart from it, and cash.
  const std::vector<std::vector<double>> returns = {
      {2.5, 2.5, 0.0, 0.0}, {2.2, 0.0, 2.2, 0.0}, {1, 1, 1, 1}};
  const std::vector<double> p = {0.25, 0.25, 0.25, 0.25};
  const PortfolioKelly k = kelly_portfolio(returns, p, 0.7, 0.1);
  EXPECT_NEAR(k.lambda, std::log(0.1) / std::log(0.7), 1e-12);
  EXPECT_NEAR(std::accumulate(k.kelly.begin(), k.kelly.end(), 0.0), 1, 1e-9);
  EXPECT_NEAR(std::accumulate(k.constrained.begin(), k.constrained.end(), 0.0), 1, 1e-9);
  EXPECT_NEAR(k.constraint, 1, 1e-6) << "it binds";
  EXPECT_LT(k.growth_constrained, k.growth_kelly);
  EXPECT_GT(k.growth_constrained, 0);
  // No small exchange between two assets that keeps the constraint gains growth.
  const auto value = [&](const std::vector<double>& b, double& risk) {
    double growth = 0;
    risk = 0;
    for (std::size_t s = 0; s < p.size(); ++s) {
      double wealth = 0;
      for (std::size_t a = 0; a < b.size(); ++a) wealth += returns[a][s] * b[a];
      growth += p[s] * std::log(wealth);
      risk += p[s] * std::pow(wealth, -k.lambda);
    }
    return growth;
  };
  double risk = 0;
  const double best = value(k.constrained, risk);
  for (std::size_t a = 0; a < 3; ++a) {
    for (std::size_t b = 0; b < 3; ++b) {
      std::vector<double> other = k.constrained;
      other[a] += 1e-3;
      other[b] -= 1e-3;
      if (other[b] < 0) continue;
      const double growth = value(other, risk);
      EXPECT_TRUE(risk > 1 || growth <= best + 1e-9) << a << " from " << b;
    }
  }
}

TEST(FaultB11, InferenceOf2025HasCriticalRatioPowerAndFalseDiscoveries) {
  const TrackRecord r{
      .sharpe = 0.31, .periods = 60, .skew = -1.1, .kurtosis = 6.2, .autocorrelation = 0.1};
  EXPECT_NEAR(critical_sharpe(r, 0, 0.05), 0.234761415511695, 1e-12);
  EXPECT_NEAR(sharpe_power(r, 0, 0.4, 0.1), 0.8870772473604609, 1e-12);
  EXPECT_NEAR(observed_false_discovery_rate(r, 0, 0.4, 0.05), 0.29064735556549537, 1e-10);
  EXPECT_NEAR(normal_maximum(12).variance, 0.3236363870476451, 1e-10);
  EXPECT_NEAR(deflated_sharpe_of_best(r, 12, 0.04), 0.40735707627358814, 1e-9);
}

}  // namespace
}  // namespace winnow::sweeps
