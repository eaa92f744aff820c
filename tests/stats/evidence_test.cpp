#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "sweeps/family_evidence.hpp"
#include "sweeps/stats/basic.hpp"
#include "sweeps/stats/pbo.hpp"

namespace winnow::sweeps {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// Variants with a common factor: correlation rho between any two.
std::vector<double> correlated(std::size_t variants, std::size_t periods, double rho,
                               double drift) {
  std::mt19937_64 rng(11);
  std::normal_distribution<double> normal;
  std::vector<double> common(periods), out;
  for (double& c : common) c = normal(rng);
  for (std::size_t v = 0; v < variants; ++v) {
    for (std::size_t t = 0; t < periods; ++t) {
      out.push_back(0.01 * (drift + std::sqrt(rho) * common[t] + std::sqrt(1 - rho) * normal(rng)));
    }
  }
  return out;
}

TEST(FamilyEvidence, MeanCorrelationIsThatOfAllPairs) {
  const std::size_t n = 12, periods = 80;
  const auto returns = correlated(n, periods, 0.4, 0);
  const auto e = family_evidence(PanelView::of(std::span(returns), n, periods), 3, 5, serial_for());
  double sum = 0;
  const auto row = [&](std::size_t v) { return std::span(returns).subspan(v * periods, periods); };
  for (std::size_t a = 0; a < n; ++a) {
    for (std::size_t b = a + 1; b < n; ++b) sum += stats::correlation(row(a), row(b));
  }
  EXPECT_NEAR(e.mean_correlation, sum / (n * (n - 1) / 2.0), 1e-12);
  ASSERT_TRUE(e.best && e.centre && e.portfolio && e.overfitting);
  EXPECT_NEAR(e.best->sharpe, stats::sharpe(row(3)), 1e-12);
  EXPECT_NEAR(e.centre->sharpe, stats::sharpe(row(5)), 1e-12);
  const auto pbo = stats::probability_of_overfitting(PanelView::of(std::span(returns), n, periods));
  ASSERT_TRUE(pbo.ok());
  EXPECT_EQ(e.overfitting->pbo, pbo->pbo);
}

TEST(FamilyEvidence, AnEdgeOfAllIsProfitAndNoneIsNot) {
  const std::size_t n = 30, periods = 365;
  const auto edge = correlated(n, periods, 0.3, 0.16);
  const auto none = correlated(n, periods, 0.3, 0);
  const auto with =
      family_evidence(PanelView::of(std::span(edge), n, periods), {}, {}, serial_for());
  const auto without =
      family_evidence(PanelView::of(std::span(none), n, periods), {}, {}, serial_for());
  EXPECT_GT(with.p_profit, 0.95);
  EXPECT_LT(without.p_profit, 0.95);
  EXPECT_FALSE(with.best || with.centre);
}

TEST(FamilyEvidence, DegenerateFamiliesHaveReasonsAndNoNaN) {
  const std::size_t periods = 40;
  const auto one = correlated(1, periods, 0, 0.1);
  const auto single =
      family_evidence(PanelView::of(std::span(one), 1, periods), 0, 0, serial_for());
  EXPECT_EQ(single.variants, 1u);
  EXPECT_EQ(single.mean_correlation, 1);
  EXPECT_EQ(ratio_variance(std::vector<double>{0.1}), 0);
  EXPECT_FALSE(single.overfitting);
  EXPECT_NE(single.overfitting_reason, "");

  for (const double value : {0.0, kNan}) {
    const std::vector<double> flat(3 * periods, value);
    const auto e = family_evidence(PanelView::of(std::span(flat), 3, periods), 0, 1, serial_for());
    EXPECT_EQ(e.variants, 0u);
    EXPECT_FALSE(e.portfolio || e.best || e.centre || e.overfitting);
    EXPECT_NE(e.overfitting_reason, "");
    EXPECT_EQ(e.p_profit, 0);
  }
  std::vector<double> clones;
  for (int copy = 0; copy < 7; ++copy) clones.insert(clones.end(), one.begin(), one.end());
  const auto same =
      family_evidence(PanelView::of(std::span(clones), 7, periods), 0, 1, serial_for());
  EXPECT_EQ(same.variants, 7u);
  EXPECT_NEAR(same.mean_correlation, 1, 1e-12);
  EXPECT_FALSE(same.overfitting) << "copies tie in every split";
  EXPECT_NE(same.overfitting_reason, "");
  const auto nothing = family_evidence(PanelView(), {}, {}, serial_for());
  EXPECT_NE(nothing.overfitting_reason, "");
}

TEST(Deflation, FallsWithTrialsAndIsPsrForOne) {
  const stats::TrackRecord record{.sharpe = 0.1, .periods = 500, .skew = 0, .kurtosis = 3};
  EXPECT_EQ(deflate(record, 1, 0.002, 365).dsr, deflate(record, 1, 0.002, 365).psr);
  EXPECT_EQ(deflate(record, 1, 0.002, 365).dsr, stats::probabilistic_sharpe(record, 0));
  double last = 1;
  for (const double trials : {1.0, 10.0, 1000.0, 1e6}) {
    const double dsr = deflate(record, trials, 0.002, 365).dsr;
    EXPECT_LT(dsr, last);
    last = dsr;
  }
  EXPECT_EQ(deflate(record, 100, 0.002, 365).dsr, stats::deflated_sharpe(record, 100, 0.002));
  EXPECT_EQ(deflate(record, 100, 0, 365).dsr, deflate(record, 100, 1 / 500.0, 365).dsr)
      << "clones made luck small";
  stats::TrackRecord loser = record;
  loser.sharpe = -0.1;
  EXPECT_FALSE(deflate(loser, 10, 0.002, 365).min_track_record_periods);
}

TEST(EffectiveTrials, LieBetweenOneAndAll) {
  EXPECT_EQ(effective_trials(100, 0), 100);
  EXPECT_EQ(effective_trials(100, 1), 1);
  EXPECT_EQ(effective_trials(100, -0.3), 100) << "opposite variants are no more than independent";
  EXPECT_NEAR(effective_trials(100, 0.5), 50.5, 1e-12);
}

}  // namespace
}  // namespace winnow::sweeps
