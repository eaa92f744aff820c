#include "sweeps/convergence/convergence.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <thread>

#include "base/rng.hpp"
#include "sweeps/convergence/anova.hpp"
#include "sweeps/convergence/dedupe.hpp"
#include "sweeps/stats/basic.hpp"
#include "tests/stats/families.hpp"

namespace winnow::sweeps {
namespace {

using test::Family;

/// Calls the bodies from the last to the first.
ParallelFor backwards() {
  return [](std::size_t n, const std::function<void(std::size_t)>& body) {
    for (std::size_t i = n; i-- > 0;) body(i);
  };
}

ParallelFor three_threads() {
  return [](std::size_t n, const std::function<void(std::size_t)>& body) {
    std::vector<std::thread> threads;
    for (std::size_t k = 0; k < 3; ++k) {
      threads.emplace_back([&, k] {
        for (std::size_t i = k; i < n; i += 3) body(i);
      });
    }
    for (auto& t : threads) t.join();
  };
}

void expect_same_bits(const Convergence& a, const Convergence& b) {
  EXPECT_EQ(a.c, b.c);
  EXPECT_EQ(a.mu_sharpe_ann, b.mu_sharpe_ann);
  EXPECT_EQ(a.ms_variant, b.ms_variant);
  EXPECT_EQ(a.ms_residual, b.ms_residual);
  EXPECT_EQ(a.tau2_jackknife_se, b.tau2_jackknife_se);
  EXPECT_EQ(a.mean_correlation, b.mean_correlation);
  EXPECT_EQ(a.c_stress, b.c_stress);
  EXPECT_EQ(a.distinct, b.distinct);
  EXPECT_EQ(a.verdict, b.verdict);
}

TEST(BlockAnova, OneLuckyBlockOfAnySizeGivesArgumentOne) {
  for (double size : {0.5, 7.0, 1e6}) {
    std::vector<double> table(8 * 10, 0.0);  // 8 variants, 10 blocks
    for (std::size_t i = 0; i < 8; ++i) table[i * 10 + 3] = size;
    const BlockAnova a = block_anova({.table = table, .variants = 8, .blocks = 10});
    EXPECT_NEAR(convergence_c(a, 8, 10, 0), stats::student_cdf(1, 9), 1e-12);
  }
}

TEST(BlockAnova, OneSpikeOfAnySizeGivesOneOverRootNPlusOne) {
  for (double size : {0.5, 5.0, 1e6}) {
    std::vector<double> table(9 * 12, 0.0);
    for (std::size_t b = 0; b < 12; ++b) table[2 * 12 + b] = size;
    const BlockAnova a = block_anova({.table = table, .variants = 9, .blocks = 12});
    EXPECT_NEAR(convergence_c(a, 9, 12, 0), stats::student_cdf(1 / std::sqrt(10.0), 11), 1e-12);
  }
}

TEST(BlockAnova, JackknifeEqualsLeavingBlocksOut) {
  constexpr std::size_t kN = 7;
  constexpr std::size_t kBlocks = 9;
  Rng rng(11);
  std::vector<double> table(kN * kBlocks);
  for (double& v : table) v = rng.uniform();
  const BlockAnova a = block_anova({.table = table, .variants = kN, .blocks = kBlocks});
  std::vector<double> tau2;
  for (std::size_t out = 0; out < kBlocks; ++out) {
    std::vector<double> rest;
    for (std::size_t k = 0; k < table.size(); ++k) {
      if (k % kBlocks != out) rest.push_back(table[k]);
    }
    tau2.push_back(block_anova({.table = rest, .variants = kN, .blocks = kBlocks - 1}).tau2_raw);
  }
  const double b = kBlocks;
  EXPECT_NEAR(a.tau2_jackknife_se, std::sqrt((b - 1) / b * stats::variance(tau2, 0) * b), 1e-12);
}

TEST(Convergence, PlateauConvergesAndNoiseDoesNot) {
  const Family plateau =
      test::family({.variants = 30, .periods = 365, .sharpe_ann = 4, .rho = 0.6});
  const Convergence good = score_convergence(plateau.view());
  EXPECT_EQ(good.verdict, Verdict::Converged);
  EXPECT_TRUE(good.reasons.empty());
  EXPECT_GE(good.c, 0.95);
  EXPECT_EQ(good.distinct, 30u);
  const Family noise = test::family({.variants = 30, .periods = 365, .sharpe_ann = 0, .rho = 0.6});
  const Convergence bad = score_convergence(noise.view());
  EXPECT_NE(bad.verdict, Verdict::Converged);
  EXPECT_FALSE(bad.reasons.empty());
}

TEST(Convergence, OneSpikeAmongNoiseIsRefused) {
  Family f = test::family({.variants = 40, .periods = 730, .sharpe_ann = 0, .rho = 0.3});
  for (std::size_t t = 0; t < 730; ++t) f.at(7, t) += 0.02f;
  const Convergence r = score_convergence(f.view());
  EXPECT_NE(r.verdict, Verdict::Converged);
}

TEST(Convergence, OrderAndThreadsDoNotChangeABit) {
  Family f = test::family({.variants = 300, .periods = 200, .sharpe_ann = 1, .rho = 0.5});
  f.clone(3, 50, 1.0f);
  f.clone(9, 120, 2.0f);
  const Convergence expected = score_convergence(f.view());
  expect_same_bits(expected, score_convergence(f.view(), {}, backwards()));
  expect_same_bits(expected, score_convergence(f.view(), {}, three_threads()));
  std::vector<std::uint32_t> order(300);
  std::iota(order.begin(), order.end(), 0u);
  std::reverse(order.begin(), order.end());
  std::swap(order[1], order[200]);
  expect_same_bits(expected, score_convergence(f.view().subset(order)));
}

TEST(Convergence, ScaleOfAVariantIsIrrelevant) {
  Family f = test::family({.variants = 20, .periods = 300, .sharpe_ann = 1, .rho = 0.5});
  const double before = score_convergence(f.view()).c;
  for (std::size_t i = 0; i < 20; ++i) {
    for (std::size_t t = 0; t < 300; ++t) f.at(i, t) *= static_cast<float>(i + 1);
  }
  EXPECT_NEAR(score_convergence(f.view()).c, before, 1e-6);  // single-precision products
}

TEST(Convergence, ClonesDoNotChangeTheScore) {
  const Family f = test::family({.variants = 12, .periods = 300, .sharpe_ann = 1, .rho = 0.5});
  const Convergence before = score_convergence(f.view());
  std::vector<std::uint32_t> doubled;
  for (std::uint32_t i = 0; i < 12; ++i) {
    for (std::uint32_t copies = 0; copies <= i; ++copies) doubled.push_back(i);
  }
  const Convergence after = score_convergence(f.view().subset(doubled));
  EXPECT_EQ(after.distinct, 12u);
  EXPECT_EQ(after.variants, 78u);
  EXPECT_NEAR(after.c, before.c, 1e-12);
}

TEST(Convergence, ScoreFallsAsTheHurdleRises) {
  const Family f = test::family({.variants = 20, .periods = 365, .sharpe_ann = 2, .rho = 0.5});
  double last = 1;
  for (double h = -2; h <= 4; h += 0.5) {
    const double c = score_convergence(f.view(), {.hurdle_sharpe_ann = h}).c;
    EXPECT_LT(c, last);
    last = c;
  }
}

TEST(Convergence, SurvivorsOnlyNeverConverge) {
  const Family f = test::family({.variants = 30, .periods = 365, .sharpe_ann = 5, .rho = 0.5});
  ASSERT_EQ(score_convergence(f.view(), {.launched = 30}).verdict, Verdict::Converged);
  const Convergence r = score_convergence(f.view(), {.launched = 100});
  EXPECT_EQ(r.verdict, Verdict::Insufficient);
  ASSERT_EQ(r.reasons.size(), 1u);
  EXPECT_EQ(r.reasons[0].substr(0, 12), "survivorship");
}

TEST(Convergence, StressCountsOnceUnlessItHappened) {
  Family f = test::family({.variants = 20, .periods = 365, .sharpe_ann = 3, .rho = 0.5});
  const Convergence calm = score_convergence(f.view(), {.stress_sd = 8});
  EXPECT_LT(calm.c_stress, calm.c);
  EXPECT_FALSE(calm.stress_in_sample);
  for (std::size_t i = 0; i < 20; ++i) f.at(i, 100) = -0.2f;
  const Convergence hit = score_convergence(f.view(), {.stress_sd = 8});
  EXPECT_TRUE(hit.stress_in_sample);
  EXPECT_EQ(score_convergence(f.view(), {.stress_sd = 0}).c_stress, hit.c);
}

TEST(Convergence, DyingEdgeFailsRecency) {
  Family f = test::family({.variants = 20, .periods = 400, .sharpe_ann = 0, .rho = 0.5});
  for (std::size_t i = 0; i < 20; ++i) {
    for (std::size_t t = 0; t < 400; ++t) f.at(i, t) += t < 260 ? 0.008f : -0.008f;
  }
  const Convergence r = score_convergence(f.view());
  EXPECT_FALSE(r.recent_ok);
  EXPECT_NE(r.verdict, Verdict::Converged);
}

TEST(Convergence, LooksHaveTheirLevels) {
  EXPECT_DOUBLE_EQ(required_level(LookPlan::OneLook, 0.05, 10), 0.95);
  EXPECT_GT(required_level(LookPlan::EqualLooks, 0.05, 89), 1);
  EXPECT_DOUBLE_EQ(required_level(LookPlan::EqualLooks, 0.05, 90), 0.982);
  EXPECT_DOUBLE_EQ(required_level(LookPlan::SpendingLooks, 0.05, 364), 0.995);
  EXPECT_DOUBLE_EQ(required_level(LookPlan::SpendingLooks, 0.05, 5000), 0.965);
  const Family f = test::family({.variants = 20, .periods = 80, .sharpe_ann = 9, .rho = 0.3});
  EXPECT_NE(score_convergence(f.view(), {.looks = LookPlan::SpendingLooks}).verdict,
            Verdict::Converged);
}

/// Degenerate input has a named verdict, a reason and finite numbers.
void expect_named(const PanelView& panel) {
  const Convergence r = score_convergence(panel);
  EXPECT_NE(r.verdict, Verdict::Converged);
  ASSERT_FALSE(r.reasons.empty());
  EXPECT_FALSE(r.reasons[0].empty());
  for (double v : {r.c, r.evidence, r.coverage, r.mu_sharpe_ann, r.se, r.tau, r.ms_block,
                   r.ms_variant, r.ms_residual, r.icc, r.tau2_raw, r.tau2_jackknife_se, r.futility,
                   r.mean_correlation, r.recent_mean, r.recent_t, r.c_stress, r.p_value()}) {
    EXPECT_TRUE(std::isfinite(v));
  }
}

TEST(ConvergenceDegenerate, EveryCaseHasAVerdictAndNoNan) {
  expect_named(PanelView());
  expect_named(test::family({.variants = 1, .periods = 365}).view());
  expect_named(test::family({.variants = 20, .periods = 5}).view());
  expect_named(test::family({.variants = 20, .periods = 1}).view());
  expect_named(test::family({.variants = 20, .periods = 40, .sharpe_ann = 20}).view());
  Family constant = test::family({.variants = 4, .periods = 100});
  std::fill(constant.returns.begin(), constant.returns.end(), 0.001f);
  expect_named(constant.view());
  EXPECT_EQ(score_convergence(constant.view()).zero_variance, 4u);
  Family nan = test::family({.variants = 4, .periods = 100});
  std::fill(nan.returns.begin(), nan.returns.end(), std::numeric_limits<float>::quiet_NaN());
  expect_named(nan.view());
  EXPECT_EQ(score_convergence(nan.view()).not_finite, 4u);
  Family ties = test::family({.variants = 6, .periods = 120});
  for (std::size_t k = 0; k < ties.returns.size(); ++k)
    ties.returns[k] = k % 2 == 0 ? 0.01f : -0.01f;
  expect_named(ties.view());
  const Family one = test::family({.variants = 1, .periods = 100, .sharpe_ann = 3});
  expect_named(one.view().subset(std::vector<std::uint32_t>(50'000, 0)));
}

TEST(ConvergenceDegenerate, BadVariantsAreLeftOutAndCounted) {
  Family f = test::family({.variants = 20, .periods = 365, .sharpe_ann = 4, .rho = 0.5});
  const std::vector<std::uint32_t> good = {0,  1,  2,  3,  4,  6,  7,  8,  9,
                                           10, 12, 13, 14, 15, 16, 17, 18, 19};
  const double expected = score_convergence(f.view().subset(good)).c;
  f.at(5, 17) = std::numeric_limits<float>::infinity();
  for (std::size_t t = 0; t < 365; ++t) f.at(11, t) = 0;
  const Convergence r = score_convergence(f.view());
  EXPECT_EQ(r.not_finite, 1u);
  EXPECT_EQ(r.zero_variance, 1u);
  EXPECT_EQ(r.distinct, 18u);
  EXPECT_EQ(r.c, expected);
}

// --- clones --------------------------------------------------------------------------------------

/// Single linkage by all pairs in double precision, the definition.
std::vector<std::uint32_t> brute_force_groups(const Family& f) {
  const std::size_t n = f.variants;
  std::vector<std::vector<double>> unit(n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t t = 0; t < f.periods; ++t) unit[i].push_back(f.returns[i * f.periods + t]);
    const double m = stats::mean(unit[i]);
    const double s = stats::stdev(unit[i]) * std::sqrt(static_cast<double>(f.periods - 1));
    for (double& v : unit[i]) v = (v - m) / s;
  }
  std::vector<std::uint32_t> root(n);
  std::iota(root.begin(), root.end(), 0u);
  for (std::uint32_t i = 0; i < n; ++i) {
    for (std::uint32_t j = 0; j < i; ++j) {
      double r = 0;
      for (std::size_t t = 0; t < f.periods; ++t) r += unit[i][t] * unit[j][t];
      if (r <= kCloneCorrelation || root[i] == root[j]) continue;
      const std::uint32_t from = std::max(root[i], root[j]);
      const std::uint32_t to = std::min(root[i], root[j]);
      std::replace(root.begin(), root.end(), from, to);
    }
  }
  return root;
}

DedupeOutput link(const Family& f, double exact_work_max, const ParallelFor& parallel) {
  const PanelView view = f.view();
  std::vector<RowMoments> moments;
  for (std::size_t i = 0; i < f.variants; ++i) {
    std::vector<double> row;
    for (std::size_t t = 0; t < f.periods; ++t) row.push_back(view.at(i, t));
    moments.push_back({stats::mean(row),
                       1 / (stats::stdev(row) * std::sqrt(static_cast<double>(f.periods - 1)))});
  }
  return link_clones({.rows = &view, .moments = moments, .exact_work_max = exact_work_max},
                     parallel);
}

TEST(CloneLinking, EqualsAllPairsOnAFamilyOfChains) {
  // Chains of neighbours around the threshold: links at .985 to .999 of every kind.
  const Family f = test::chains({.variants = 700, .periods = 90, .chain_length = 10}, 0.03, 0.17);
  const auto expected = brute_force_groups(f);
  const DedupeOutput got = link(f, kExactWorkMax, serial_for());
  EXPECT_EQ(got.mode, DedupeMode::Exact);
  EXPECT_EQ(got.root, expected);
  EXPECT_GT(std::count_if(expected.begin(), expected.end(),
                          [i = 0u](std::uint32_t r) mutable { return r != i++; }),
            50);
}

TEST(CloneLinking, HashingThenCheckingEqualsAllPairs) {
  const Family f = test::chains({.variants = 5000, .periods = 64, .chain_length = 20}, 0.03, 0.17);
  const auto expected = brute_force_groups(f);
  EXPECT_EQ(link(f, kExactWorkMax, serial_for()).root, expected);
  EXPECT_EQ(link(f, kExactWorkMax, three_threads()).root, expected);
}

TEST(CloneLinking, BeyondItsBudgetHashingIsReportedSafeAndRepeatable) {
  const Family f = test::chains({.variants = 5000, .periods = 64, .chain_length = 20}, 0.03, 0.17);
  const auto exact = brute_force_groups(f);
  const DedupeOutput hashed = link(f, 0, serial_for());
  EXPECT_EQ(hashed.mode, DedupeMode::Hashed);
  EXPECT_GT(hashed.unchecked_pairs, 0u);
  EXPECT_EQ(hashed.root, link(f, 0, three_threads()).root);
  std::size_t missed = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    EXPECT_EQ(exact[hashed.root[i]], exact[i]);  // never a false link
    missed += hashed.root[i] != exact[i] ? 1 : 0;
  }
  EXPECT_LT(missed, exact.size() / 50);
}

// --- families
// --------------------------------------------------------------------------------------

TEST(FamilyCorrection, HolmAndBhOverAllFamilies) {
  const auto d = correct_families(std::vector<double>{0.01, 0.04, 0.03, std::nan("")});
  EXPECT_DOUBLE_EQ(d[0].p_holm, 0.04);
  EXPECT_DOUBLE_EQ(d[2].p_holm, 0.09);
  EXPECT_DOUBLE_EQ(d[1].p_holm, 0.09);
  EXPECT_DOUBLE_EQ(d[0].p_bh, 0.04);
  EXPECT_NEAR(d[1].p_bh, 0.04 * 4 / 3, 1e-15);
  EXPECT_EQ(d[3].p, 1);
}

TEST(PlateauCentre, PrefersThePlateauToTheNeedle) {
  // A line of nine: a needle at 1, a plateau around 6.
  const std::vector<double> values = {0, 9, 0, 1, 4, 5, 5, 5, std::nan("")};
  std::vector<std::vector<std::uint32_t>> near(9);
  for (std::uint32_t i = 0; i < 9; ++i) {
    if (i > 0) near[i].push_back(i - 1);
    if (i < 8) near[i].push_back(i + 1);
  }
  const auto neighbours = [&](std::size_t i) { return std::span<const std::uint32_t>(near[i]); };
  const PlateauCentre c = plateau_centre(values, neighbours);
  EXPECT_EQ(c.variant, 6u);
  EXPECT_DOUBLE_EQ(c.mean, 5);
  EXPECT_EQ(c.members, 3u);
  EXPECT_EQ(plateau_centre(std::vector<double>(3, std::nan("")), neighbours).members, 0u);
}

}  // namespace
}  // namespace winnow::sweeps
