#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "sweeps/stats/basic.hpp"
#include "sweeps/stats/bayes.hpp"
#include "sweeps/stats/bootstrap.hpp"
#include "sweeps/stats/change_points.hpp"
#include "sweeps/stats/haircut.hpp"
#include "sweeps/stats/long_memory.hpp"
#include "sweeps/stats/metrics.hpp"
#include "sweeps/stats/multiplicity.hpp"
#include "sweeps/stats/pbo.hpp"
#include "sweeps/stats/sharpe.hpp"
#include "sweeps/stats/sizing.hpp"
#include "sweeps/stats/snooping.hpp"
#include "sweeps/stats/unit_root.hpp"
#include "sweeps/stats/validation.hpp"
#include "tests/stats/families.hpp"

// Small cases worked by hand, or true by definition.
namespace winnow::sweeps::stats {
namespace {

std::vector<double> noise(std::size_t n, std::uint64_t seed) {
  Rng rng(seed);
  std::vector<double> x(n);
  for (double& v : x) v = test::normal(rng);
  return x;
}

TEST(SharpeInference, ConventionsDifferAndNormalReturnsNeedFewerObservations) {
  const TrackRecord r{.sharpe = 0.458, .periods = 24, .skew = -2.448, .kurtosis = 10.164};
  EXPECT_NEAR(probabilistic_sharpe(r, 0), 0.9134, 1e-4);
  EXPECT_NEAR(probabilistic_sharpe(r, 0, SharpeConvention::Null2025), 0.9876, 1e-4);
  const TrackRecord normal{.sharpe = 0.458, .periods = 24};
  EXPECT_LT(min_track_record(normal, 0, 0.95), min_track_record(r, 0, 0.95));
  EXPECT_TRUE(std::isinf(min_track_record(r, 0.5, 0.95)));
}

TEST(SharpeInference, OneTrialIsNotDeflatedAndMoreTrialsDeflateMore) {
  const TrackRecord r{.sharpe = 0.1, .periods = 365};
  EXPECT_EQ(deflated_sharpe(r, 1, 0.01), probabilistic_sharpe(r, 0));
  EXPECT_GT(deflated_sharpe(r, 10, 0.001), deflated_sharpe(r, 1000, 0.001));
  EXPECT_NEAR(expected_max_exact(2), 1 / std::sqrt(M_PI), 1e-12);
  EXPECT_GT(expected_max_sharpe(10), expected_max_exact(10));
  EXPECT_LT(expected_max_sharpe(2), expected_max_exact(2));
}

TEST(SharpeInference, EffectiveTrialsOfEqualAndOfSingleEigenvalues) {
  const std::vector<double> equal(7, 1.0);
  const std::vector<double> one = {7, 0, 0, 0, 0, 0, 0};
  EXPECT_NEAR(effective_trials_participation(equal), 7, 1e-12);
  EXPECT_NEAR(effective_trials_entropy(equal), 7, 1e-12);
  EXPECT_NEAR(effective_trials_galwey(equal), 7, 1e-12);
  EXPECT_NEAR(effective_trials_participation(one), 1, 1e-12);
  EXPECT_NEAR(effective_trials_entropy(one), 1, 1e-12);
  EXPECT_NEAR(effective_trials_galwey(one), 1, 1e-12);
  EXPECT_DOUBLE_EQ(effective_trials_mean_correlation(0.5, 11), 6);
}

TEST(Multiplicity, OrderDoesNotMatterAndHommelIsNeverWeakerThanHochberg) {
  const std::vector<double> p = {0.06, 0.005, 0.045, 0.0135, 0.009, 0.0128};
  std::vector<double> sorted = p;
  std::sort(sorted.begin(), sorted.end());
  for (auto c : {Correction::Holm, Correction::Hommel, Correction::BenjaminiYekutieli}) {
    auto a = adjust(c, p);
    std::sort(a.begin(), a.end());
    EXPECT_EQ(a, adjust(c, sorted));
  }
  const auto hommel = adjust(Correction::Hommel, p);
  const auto hochberg = adjust(Correction::Hochberg, p);
  for (std::size_t i = 0; i < p.size(); ++i) EXPECT_LE(hommel[i], hochberg[i]);
  EXPECT_EQ(adjust(Correction::HarveyLiuBhy, p)[0], 0.06);
  EXPECT_TRUE(adjust(Correction::Holm, {}).empty());
}

TEST(Haircut, BonferroniOfTheAuthorsExample) {
  const HaircutInput in{.frequency = Frequency::Monthly,
                        .observations = 120,
                        .sharpe = 1,
                        .correct_autocorrelation = true,
                        .autocorrelation = 0.1,
                        .tests = 100};
  const auto h = haircuts(in, simulate_t_panel(0.4, 100, 200, 3));
  EXPECT_NEAR(h.single.sharpe_ann, 0.912, 5e-4);
  EXPECT_NEAR(h.bonferroni.p, 0.465, 5e-4);
  EXPECT_NEAR(h.bonferroni.sharpe_ann, 0.232, 5e-4);
  EXPECT_NEAR(hlz_model(0.3).null_frac, (0.44589 + 0.48604) / 2, 1e-12);
}

// --- PBO
// ---------------------------------------------------------------------------------------------

TEST(Pbo, NoiseIsNearAHalfAndATrueSpikeIsNearZero) {
  const test::Family f = test::family({.variants = 60, .periods = 512});
  const auto r = probability_of_overfitting(f.view(), {.blocks = 10});
  ASSERT_TRUE(r.ok());
  EXPECT_EQ(r->chosen.size(), 252u);
  EXPECT_GT(r->pbo, 0.2);
  test::Family spike = f;
  for (std::size_t t = 0; t < 512; ++t) spike.at(17, t) += 0.005f;
  const auto s = probability_of_overfitting(spike.view(), {.blocks = 10});
  ASSERT_TRUE(s.ok());
  EXPECT_LT(s->pbo, 0.01);
  EXPECT_EQ(std::count(s->chosen.begin(), s->chosen.end(), 17u), 252);
}

TEST(Pbo, EqualsTheDefinitionOnASmallPanel) {
  const test::Family f = test::family({.variants = 7, .periods = 43, .rho = 0.3, .seed = 9});
  const auto r = probability_of_overfitting(f.view(), {.blocks = 4});
  ASSERT_TRUE(r.ok());
  EXPECT_EQ(r->dropped_periods, 3u);
  const std::vector<std::vector<std::size_t>> sets = {{0, 1}, {0, 2}, {0, 3},
                                                      {1, 2}, {1, 3}, {2, 3}};
  for (std::size_t split = 0; split < sets.size(); ++split) {
    std::vector<double> in;
    std::vector<double> out;
    for (std::size_t i = 0; i < 7; ++i) {
      std::vector<double> a;
      std::vector<double> b;
      for (std::size_t t = 0; t < 40; ++t) {
        const std::size_t block = t / 10;
        const bool inside = block == sets[split][0] || block == sets[split][1];
        (inside ? a : b).push_back(f.view().at(i, t + 3));
      }
      in.push_back(sharpe(a));
      out.push_back(sharpe(b));
    }
    const std::size_t best = argmax(in);
    EXPECT_EQ(r->chosen[split], best);
    EXPECT_NEAR(r->in_sample[split], in[best], 1e-9);
    EXPECT_NEAR(r->out_sample[split], out[best], 1e-9);
    EXPECT_EQ(r->rank[split], average_ranks(out)[best]);
  }
}

TEST(Pbo, ThreadsDoNotChangeItAndDegenerateInputIsRefusedOrNamed) {
  const test::Family f = test::family({.variants = 70, .periods = 128});
  const auto backwards = [](std::size_t n, const std::function<void(std::size_t)>& body) {
    for (std::size_t i = n; i-- > 0;) body(i);
  };
  const auto a = probability_of_overfitting(f.view(), {.blocks = 8});
  const auto b = probability_of_overfitting(f.view(), {.blocks = 8}, backwards);
  EXPECT_EQ(a->chosen, b->chosen);
  EXPECT_EQ(a->rank, b->rank);
  EXPECT_FALSE(probability_of_overfitting(f.view(), {.blocks = 7}).ok());
  EXPECT_FALSE(probability_of_overfitting(f.view().window(0, 5), {.blocks = 8}).ok());
  const std::vector<float> zeros(4 * 64, 0.0f);
  EXPECT_FALSE(
      probability_of_overfitting(PanelView::of(std::span(zeros), 4, 64), {.blocks = 4}).ok());
  // Clones tie: the first is chosen and ranks in the middle.
  const auto ties =
      probability_of_overfitting(f.view().subset(std::vector<std::uint32_t>(9, 3)), {.blocks = 4});
  ASSERT_TRUE(ties.ok());
  EXPECT_EQ(ties->chosen[0], 0u);
  EXPECT_EQ(ties->rank[0], 5);
  EXPECT_EQ(ties->pbo, 1);
}

TEST(Pbo, WhatCannotBeRankedIsCountedAndNothingIsNan) {
  test::Family f = test::family({.variants = 6, .periods = 64});
  for (std::size_t t = 0; t < 64; ++t) {
    f.at(1, t) = std::numeric_limits<float>::quiet_NaN();
    f.at(2, t) = 0;
    f.at(3, t) = 0.01f;  // rises evenly: no spread, an infinite ratio
  }
  const auto r = probability_of_overfitting(f.view(), {.blocks = 4});
  ASSERT_TRUE(r.ok()) << r.error().text();
  EXPECT_EQ(r->not_ranked, 2u);
  EXPECT_EQ(r->chosen, std::vector<std::uint32_t>(6, 3));
  EXPECT_EQ(r->pbo, 0);
  for (const double v : {r->pbo, r->oos_loss_frac, r->slope, r->intercept, r->r}) {
    EXPECT_TRUE(std::isfinite(v));
  }
  for (const double logit : r->logit) EXPECT_TRUE(std::isfinite(logit));
  const auto one = probability_of_overfitting(f.view().subset(std::vector<std::uint32_t>{0}));
  ASSERT_FALSE(one.ok());
  EXPECT_NE(one.error().text().find("two variants; there are 1"), std::string::npos);
  const auto few = probability_of_overfitting(f.view().window(0, 3), {.blocks = 16});
  ASSERT_FALSE(few.ok());
  EXPECT_NE(few.error().text().find("3 periods cannot fill 16 blocks"), std::string::npos);
}

// --- snooping and bootstrap
// ----------------------------------------------------------------------------

TEST(Snooping, OneRealModelAmongNoiseIsFound) {
  SnoopingInput in;
  for (std::size_t k = 0; k < 8; ++k) in.advantage.push_back(noise(250, 100 + k));
  for (double& v : in.advantage[5]) v += 0.5;
  in.mean_block = 4;
  for (std::uint64_t b = 0; b < 400; ++b) in.resamples.push_back(stationary_indices(250, 4, 7, b));
  const ResampledMeans m = resampled_means(in);
  EXPECT_LT(reality_check(m).p, 0.01);
  EXPECT_LT(superior_ability(m, Recentring::Consistent).p, 0.01);
  EXPECT_LE(superior_ability(m, Recentring::Lower).p, superior_ability(m, Recentring::Upper).p);
  EXPECT_EQ(step_m(m).superior, std::vector<std::size_t>{5});
  Columns losses = in.advantage;
  for (auto& x : losses) {
    for (double& v : x) v = -v;
  }
  const auto set = model_confidence_set(losses, in.resamples, McsStatistic::Range);
  EXPECT_EQ(set.elimination_order.back(), 5u);
  EXPECT_EQ(set.included(), std::vector<std::size_t>{5});
}

TEST(Bootstrap, IndicesFollowTheRule) {
  const std::vector<std::size_t> starts = {3, 0, 1, 4, 2};
  const std::vector<double> u = {0.9, 0.9, 0.1, 0.9, 0.5};
  EXPECT_EQ(stationary_indices(starts, u, 2), (std::vector<std::size_t>{3, 4, 1, 2, 2}));
  EXPECT_EQ(circular_indices(5, 3, std::vector<std::size_t>{4, 1}),
            (std::vector<std::size_t>{4, 0, 1, 1, 2}));
  EXPECT_EQ(stationary_indices(50, 5, 1, 2), stationary_indices(50, 5, 1, 2));
  EXPECT_NE(stationary_indices(50, 5, 1, 2), stationary_indices(50, 5, 1, 3));
}

TEST(Bootstrap, BlockLengthGrowsWithDependence) {
  std::vector<double> x = noise(800, 3);
  const double white = optimal_block_length(x).stationary;
  for (std::size_t t = 1; t < x.size(); ++t) x[t] += 0.8 * x[t - 1];
  EXPECT_GT(optimal_block_length(x).stationary, 3 * std::max(white, 1.0));
  EXPECT_EQ(usable_block(0.19, 100), 1);
  EXPECT_EQ(optimal_block_length(std::vector<double>(50, 1.0)).stationary, 1);
}

// --- metrics
// -----------------------------------------------------------------------------------------

TEST(Metrics, DrawdownCountsTheStartingCapital) {
  const Drawdowns d = drawdowns(std::vector<double>{-0.1, 0.2, -0.5, 0.1});
  EXPECT_NEAR(d.maximum, -0.5, 1e-15);
  EXPECT_EQ(d.peak, 2u);
  EXPECT_EQ(d.trough, 3u);
  EXPECT_FALSE(d.recovery.has_value());
  EXPECT_NEAR(d.series[0], -0.1, 1e-15);
  EXPECT_EQ(d.longest_underwater, 2u);
}

TEST(Metrics, DegenerateDenominatorsAreNamedInfinityOrNan) {
  const std::vector<double> up = {0.01, 0.02, 0.01};
  EXPECT_TRUE(std::isinf(sortino_ann(up, 365)));
  EXPECT_TRUE(std::isnan(omega(up, 0)));
  EXPECT_TRUE(std::isnan(sharpe_ann(std::vector<double>{0.01}, 365)));
  EXPECT_EQ(square_root_capacity({.edge_frac = 1, .fee_frac = 2}).optimum_notional, 0);
}

TEST(Metrics, TradesByHand) {
  const TradeStats t =
      trade_stats(std::vector<double>{10, -5, 0, -5, -10}, std::vector<double>(5, 100.0));
  EXPECT_DOUBLE_EQ(t.win_frac, 0.2);
  EXPECT_DOUBLE_EQ(t.profit_factor, 0.5);
  EXPECT_EQ(t.losses_in_a_row_max, 2u);
  EXPECT_DOUBLE_EQ(t.expectancy_bps, -200);
  EXPECT_DOUBLE_EQ(t.turnover, 1000);
}

// --- validation
// ----------------------------------------------------------------------------------------

TEST(Validation, CombinatorialSplitsCoverEveryFoldEquallyAndNeverLeak) {
  const auto splits =
      combinatorial_splits({.periods = 103, .folds = 6, .test_folds = 2, .purge = 3, .embargo = 2});
  EXPECT_EQ(splits.size(), combinatorial_split_count(6, 2));
  std::vector<std::size_t> tested(103, 0);
  for (const auto& s : splits) {
    for (const Range& test : s.tests) {
      for (std::size_t i = test.first; i < test.last; ++i) ++tested[i];
      for (const Range& train : s.train) {
        EXPECT_TRUE(train.last + 3 <= test.first || train.first >= test.last + 5);
      }
    }
  }
  for (std::size_t n : tested) EXPECT_EQ(n, combinatorial_path_count(6, 2));
}

TEST(Validation, AnEmbargoBeyondTheEndDropsTheRest) {
  std::vector<double> t1(20);
  for (std::size_t i = 0; i < 20; ++i) t1[i] = static_cast<double>(i) + 1;
  IntervalOptions o{.folds = 4, .test_folds = 1, .embargo = 30};
  for (const auto& s : interval_splits(t1, o)) {
    for (const Range& train : s.train) EXPECT_LE(train.last, s.test[0].first);
  }
  o.keep_all_if_embargo_reaches_end = true;
  EXPECT_EQ(interval_splits(t1, o).back().train, (Ranges{{5, 20}}));
}

TEST(Validation, WalkForwardTestsFollowTheirTraining) {
  const auto rolling = walk_forward_splits({.periods = 100, .train = 30, .test = 20, .purge = 5});
  ASSERT_EQ(rolling.size(), 3u);
  EXPECT_EQ(rolling[1].train, (Range{20, 50}));
  EXPECT_EQ(rolling[1].test, (Range{55, 75}));
  EXPECT_TRUE(walk_forward_splits({.periods = 10, .train = 30, .test = 20}).empty());
}

// --- sizing and Bayes
// ------------------------------------------------------------------------------

// 60 even bets won of 100: Kelly .2.
std::vector<double> winning_trades() {
  std::vector<double> trades;
  for (int i = 0; i < 100; ++i) trades.push_back(i < 60 ? 1.0 : -1.0);
  Rng rng(17);
  for (std::size_t i = trades.size(); i > 1; --i) std::swap(trades[i - 1], trades[rng.below(i)]);
  return trades;
}

TEST(Sizing, TargetUtilityIsTheSharpestChanceOfTheTarget) {
  const std::vector<double> trades = winning_trades();
  const TradePaths paths{.paths = 1'000, .horizon = 50, .seed = 3};
  // A target at the start is met best by staking little, a far one by staking much.
  const auto near = target_utility(trades, 1.0, 0.2, paths);
  const auto far = target_utility(trades, 8.0, 0.2, paths);
  EXPECT_LT(near.fraction, far.fraction);
  EXPECT_GT(near.probability, far.probability);
  EXPECT_GT(near.probability, 0.85);
  EXPECT_LE(far.fraction, 0.4);
  EXPECT_GT(far.probability, 0.02);
  const auto again = target_utility(trades, 8.0, 0.2, paths);
  EXPECT_EQ(again.fraction, far.fraction);
  EXPECT_EQ(again.probability, far.probability);
  const auto none = target_utility(trades, 1.5, 0, paths);
  EXPECT_EQ(none.fraction, 0);
  EXPECT_EQ(none.probability, 0);
}

TEST(Sizing, KellyOfResamplesSaysWhatTheTradesKnow) {
  const std::vector<double> trades = winning_trades();
  const auto sure = kelly_interval(trades, {});
  EXPECT_LT(sure.low, 0.2);
  EXPECT_GT(sure.high, 0.2);
  // Independent bets: the standard error of a mean of 100 is .098, so 90% is .2 -+ .16.
  const std::vector<double> few(trades.begin(), trades.begin() + 20);
  const auto unsure = kelly_interval(few, {});
  EXPECT_EQ(unsure.low, 0) << "a tenth of the resamples have no edge";
  EXPECT_GT(unsure.high, sure.high);
}

TEST(Sizing, ScenarioKellyEqualsTheBinaryFormula) {
  const std::vector<double> outcomes = {2, -1};
  const std::vector<double> probabilities = {0.4, 0.6};
  EXPECT_NEAR(kelly_scenarios({outcomes, probabilities}), kelly_binary(0.4, 2).fraction, 1e-12);
  const std::vector<double> losing = {0.3, 0.7};
  EXPECT_EQ(kelly_scenarios({outcomes, losing}), 0);
  EXPECT_DOUBLE_EQ(probability_ever_below(0.5, 0.5), 0.125);
  const auto k = kelly_risk_constrained({outcomes, probabilities}, 0.7, 0.1);
  EXPECT_LT(k.fraction, k.kelly);
  EXPECT_NEAR(k.constraint, 1, 1e-9);
}

TEST(Bayes, PosteriorAgreesWithItsOwnParts) {
  const NormalInverseGamma p = NormalInverseGamma{0, 1, 2, 4e-4}.updated(noise(200, 4));
  EXPECT_NEAR(p.p_sharpe_above(0), p.p_mean_above(0), 1e-9);
  EXPECT_NEAR(p.p_mean_above(p.mean_quantile(0.3)), 0.7, 1e-12);
}

TEST(Bayes, ExpectedDrawdownMeetsThePublishedTableAndItsLimits) {
  // E = 2 sigma^2 / |mu| Q(mu^2 T / (2 sigma^2)); rows of the paper's tables.
  const auto q = [](double mu, double x) {
    return expected_max_drawdown(mu, 1, 2 * x / (mu * mu)) * std::abs(mu) / 2;
  };
  EXPECT_NEAR(q(0.5, 0.0005), 0.01969, 2e-4);
  EXPECT_NEAR(q(0.5, 0.01), 0.084693, 2e-4);
  EXPECT_NEAR(q(0.5, 0.1), 0.24305, 5e-4);
  EXPECT_NEAR(q(0.5, 0.5), 0.463159, 1e-3);
  EXPECT_NEAR(q(0.5, 10), 1.088998, 2e-3);
  EXPECT_NEAR(q(-0.5, 0.0005), 0.019965, 2e-4);
  EXPECT_NEAR(q(-0.5, 0.1), 0.325586, 1e-3);
  EXPECT_NEAR(q(-0.5, 1), 1.44552, 3e-3);
  EXPECT_NEAR(q(-0.5, 5), 5.49882, 2e-2);
  EXPECT_NEAR(expected_max_drawdown(1e-4, 2, 9), expected_max_drawdown(0, 2, 9), 1e-2);
}

// --- regimes
// -----------------------------------------------------------------------------------------

TEST(Regimes, ADriftlessWalkHasAUnitRootAndNoiseHasNone) {
  std::vector<double> x = noise(400, 12);
  EXPECT_LT(dickey_fuller(x, Trend::Constant, {}).p, 0.01);
  EXPECT_GT(kpss(x, Trend::Constant, 5).p, 0.05);
  std::partial_sum(x.begin(), x.end(), x.begin());
  EXPECT_GT(dickey_fuller(x, Trend::Constant, {}).p, 0.05);
  EXPECT_LT(kpss(x, Trend::Constant, 5).p, 0.05);
  EXPECT_EQ(dickey_fuller(std::vector<double>(50, 1.0), Trend::Constant, {}).p, 1);
}

TEST(Regimes, APairThatSharesATrendIsCointegrated) {
  std::vector<double> x = noise(500, 21);
  std::partial_sum(x.begin(), x.end(), x.begin());
  std::vector<double> y = noise(500, 22);
  for (std::size_t t = 0; t < 500; ++t) y[t] += 2 + 1.5 * x[t];
  EXPECT_NEAR(hedge_ratio(y, x).beta, 1.5, 0.05);
  EXPECT_LT(engle_granger(y, x, Trend::Constant, {}).p, 0.01);
  const auto j = johansen({y, x}, 0, 1);
  EXPECT_GT(j.trace[0], j.trace_critical[0][2]);
  EXPECT_NEAR(j.vectors[1][0] / j.vectors[0][0], -1.5, 0.05);
}

TEST(Regimes, PlantedBreaksAreFound) {
  std::vector<double> x = noise(200, 30);
  for (std::size_t t = 80; t < 200; ++t) x[t] += 3;
  const auto shifts = mean_shifts(x, 20, 3);
  ASSERT_EQ(shifts.selected().breaks.size(), 1u);
  EXPECT_NEAR(static_cast<double>(shifts.selected().breaks[0]), 80, 2);
  EXPECT_NEAR(static_cast<double>(sup_f(x).break_index), 80, 2);
  EXPECT_LT(ols_cusum(x).p, 1e-3);
  EXPECT_EQ(optimal_segments(x, SegmentCost::Mean, 30, 5).ends.size(), 2u);
  EXPECT_GE(page_cusum(x, {}).first_alarm.value_or(0), 80u);
}

TEST(Regimes, PersistenceRaisesHurst) {
  const std::vector<double> white = noise(2048, 40);
  EXPECT_NEAR(rescaled_range(white).hurst_corrected, 0.5, 0.08);
  EXPECT_NEAR(detrended_fluctuation(white).alpha, 0.5, 0.08);
  std::vector<double> walk = white;
  std::partial_sum(walk.begin(), walk.end(), walk.begin());
  EXPECT_GT(detrended_fluctuation(walk).alpha, 1.2);
}

}  // namespace
}  // namespace winnow::sweeps::stats
