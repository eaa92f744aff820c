// Bake-offs of families whose truth is known.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/det_math.hpp"
#include "base/rng.hpp"
#include "sweeps/bakeoff.hpp"
#include "sweeps/stats/basic.hpp"
#include "sweeps/validation.hpp"

namespace winnow::sweeps {
namespace {

constexpr std::size_t kVariants = 40;

/// Variants that share half their variance; a true annual Sharpe each.
std::vector<float> family(std::uint64_t seed, std::size_t periods, double sharpe_ann) {
  std::vector<float> out(kVariants * periods);
  const auto normal = [](Rng& rng) {
    return det_normal_quantile(std::max(rng.uniform(), 0x1.0p-53));
  };
  Rng common_rng(seed, 1'000'000);
  std::vector<double> common(periods);
  for (double& v : common) v = normal(common_rng);
  for (std::size_t i = 0; i < kVariants; ++i) {
    Rng rng(seed, i);
    for (std::size_t t = 0; t < periods; ++t) {
      const double z = std::sqrt(0.5) * (common[t] + normal(rng));
      out[i * periods + t] = static_cast<float>(0.01 * (sharpe_ann / std::sqrt(365.0) + z));
    }
  }
  return out;
}

Entrant entrant(const std::string& name, const std::vector<float>& panel, std::size_t periods) {
  Entrant e{.name = name, .panel = {}, .centre = {}};
  e.panel = PanelView::of(panel, panel.size() / periods, periods);
  e.centre.assign(panel.begin(), panel.begin() + static_cast<std::ptrdiff_t>(periods));
  return e;
}

BakeoffOptions quick() {
  BakeoffOptions o;
  o.resamples = 400;
  return o;
}

TEST(Bakeoff, AnEdgeBeatsNoise) {
  const auto good = family(1, 730, 4);
  const auto noise = family(2, 730, 0);
  const auto b =
      bake_off({entrant("noise", noise, 730), entrant("good", good, 730)}, quick(), serial_for());
  EXPECT_EQ(b.verdict, BakeoffVerdict::Better) << b.reasons.back();
  EXPECT_EQ(b.winner, 1u);
  EXPECT_TRUE(b.tested_walk_forward);
  EXPECT_LT(b.entrants[1].p_beats_cash, 0.05);
  EXPECT_GT(b.entrants[0].p_beats_cash, 0.05);
  EXPECT_LT(b.entrants[0].p_in_best_set, 0.05);
  EXPECT_LT(b.entrants[1].portfolio.sharpe_interval.low, b.entrants[1].portfolio.sharpe_ann);
  EXPECT_GT(b.entrants[1].portfolio.sharpe_interval.high, b.entrants[1].portfolio.sharpe_ann);
  ASSERT_EQ(b.walk_forward_pairs.size(), 1u);
  EXPECT_LT(b.walk_forward_pairs[0].interval.high, 0);
  EXPECT_GE(b.walk_forward_pairs[0].p_holm, b.walk_forward_pairs[0].p);
}

TEST(Bakeoff, NoiseSeldomWins) {
  int wrong = 0;
  constexpr int kWorlds = 60;
  for (int w = 0; w < kWorlds; ++w) {
    const auto seed = static_cast<std::uint64_t>(w);
    const auto x = family(100 + seed, 365, 0);
    const auto y = family(500 + seed, 365, 0);
    BakeoffOptions options = quick();
    options.resamples = 200;
    options.seed = seed;
    const auto b = bake_off({entrant("x", x, 365), entrant("y", y, 365)}, options, serial_for());
    wrong += b.verdict == BakeoffVerdict::Better ? 1 : 0;
  }
  EXPECT_LE(wrong, 3) << "of " << kWorlds << ": 5% of the worlds";
}

TEST(Bakeoff, EqualEdgesAreNotToldApart) {
  const auto x = family(7, 730, 4);
  const auto b = bake_off({entrant("x", x, 730), entrant("same", x, 730)}, quick(), serial_for());
  EXPECT_EQ(b.verdict, BakeoffVerdict::NotDistinguishable);
  EXPECT_EQ(b.portfolio_pairs[0].difference_sharpe_ann, 0);
  EXPECT_EQ(b.portfolio_pairs[0].p, 1);
  EXPECT_NEAR(b.correlation[0][1], 1, 1e-12);
  EXPECT_NEAR(b.entrants[0].crowding_max, 1, 1e-12);
}

TEST(Bakeoff, WalkForwardIsThatOfASweepsValidation) {
  const auto x = family(9, 365, 1);
  ValidationProtocol protocol;
  protocol.train = 90;
  protocol.test = protocol.step = 30;
  const auto plan = plan_folds(protocol, std::size_t{365});
  ASSERT_TRUE(plan.ok());
  const auto expected = validate_panel(*plan, entrant("x", x, 365).panel, 365);
  const auto b = bake_off({entrant("x", x, 365)}, quick(), serial_for());
  const EntrantFigures& e = b.entrants[0];
  EXPECT_EQ(b.verdict, BakeoffVerdict::OneEntrant);
  EXPECT_EQ(e.windows, expected.folds.size());
  EXPECT_EQ(e.walk_forward.returns.size(), expected.oos.days);
  EXPECT_NEAR(e.walk_forward.sharpe_ann, expected.oos.sharpe_ann, 1e-9);
  EXPECT_NEAR(e.efficiency, expected.efficiency, 1e-9);
  EXPECT_NEAR(e.windows_positive_frac, expected.folds_positive_frac, 1e-12);
}

TEST(Bakeoff, DoesNotDependOnTheOrderOfWork) {
  const auto x = family(3, 365, 1);
  const auto y = family(4, 365, 2);
  const std::vector<Entrant> both = {entrant("x", x, 365), entrant("y", y, 365)};
  const ParallelFor backwards = [](std::size_t n, const std::function<void(std::size_t)>& body) {
    for (std::size_t i = n; i-- > 0;) body(i);
  };
  const auto a = bake_off(both, quick(), serial_for());
  const auto b = bake_off(both, quick(), backwards);
  EXPECT_EQ(a.p_spa, b.p_spa);
  EXPECT_EQ(a.walk_forward_pairs[0].p, b.walk_forward_pairs[0].p);
  EXPECT_EQ(a.entrants[1].portfolio.returns, b.entrants[1].portfolio.returns);
  EXPECT_EQ(a.entrants[1].walk_forward.returns, b.entrants[1].walk_forward.returns);
}

TEST(Bakeoff, DegenerateEntrantsAreNamed) {
  const auto x = family(5, 365, 1);
  const std::vector<float> idle(3 * 365, 0.0f);
  const std::vector<float> failed(3 * 365, std::numeric_limits<float>::quiet_NaN());
  const std::vector<float> nothing;
  Entrant empty{.name = "empty", .panel = PanelView::of(nothing, 0, 365), .centre = {}};
  const auto b = bake_off(
      {entrant("x", x, 365), entrant("idle", idle, 365), entrant("failed", failed, 365), empty},
      quick(), serial_for());
  EXPECT_EQ(b.verdict, BakeoffVerdict::NotMeasurable);
  EXPECT_EQ(b.entrants[1].variants, 3u);
  EXPECT_EQ(b.entrants[2].variants, 0u);
  EXPECT_FALSE(b.entrants[1].portfolio.measured);
  EXPECT_EQ(b.reasons.size(), 4u);
  const auto brief = family(6, 20, 1);
  const auto few = bake_off({entrant("x", brief, 20), entrant("y", brief, 20)}, bakeoff_windows(20),
                            serial_for());
  EXPECT_EQ(few.verdict, BakeoffVerdict::TooFewDays);
}

TEST(Bakeoff, CapacityIsWhereImpactEatsTheEdge) {
  const double edge = 1200;
  const double impact = 150;
  const ImpactCapacity k = impact_capacity(edge, impact);
  const auto profit = [&](double size) { return edge * size - impact * std::pow(size, 1.5); };
  EXPECT_NEAR(profit(k.half_edge), edge * k.half_edge / 2, 1e-9);
  EXPECT_NEAR(profit(k.breakeven), 0, 1e-9);
  EXPECT_GT(profit(k.optimum), profit(k.optimum * 1.01));
  EXPECT_GT(profit(k.optimum), profit(k.optimum * 0.99));
  EXPECT_EQ(impact_capacity(-1, impact).breakeven, 0);
}

}  // namespace
}  // namespace winnow::sweeps
