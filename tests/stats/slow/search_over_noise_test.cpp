#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "sweeps/adaptive.hpp"
#include "sweeps/diversity.hpp"
#include "sweeps/judged.hpp"
#include "tests/stats/monte_carlo.hpp"
#include "tests/sweeps/support.hpp"

// A search goes to wherever noise was kind, so the family that it leaves behind looks like an edge.
// Whole searches over markets without one, by the samplers and ladders of the product.
namespace winnow::sweeps::test {
namespace {

constexpr std::uint64_t kSeed = 20260303;
constexpr std::size_t kDays = 365;
constexpr std::size_t kSearches = 400;
// Neighbours of 200 even points in the unit square lie .07 apart: they correlate by one half with
// the first, by .97 with the second.
constexpr double kNarrow = 0.06;
constexpr double kWide = 0.3;

/// Daily returns over two parameters, without an edge: of variance 1, correlating over distance as
/// exp(-d^2 / 2 reach^2) (random Fourier features; Rahimi and Recht 2007).
class NoiseMarket {
 public:
  NoiseMarket(std::uint64_t seed, double reach) : coefficients_(2 * kFeatures * kDays) {
    Rng rng(seed, 0);
    for (double& w : frequency_) w = quick_normal(rng) / reach;
    for (float& c : coefficients_) c = quick_normal(rng);
  }

  std::vector<float> returns(double x, double y) const {
    std::vector<float> out(kDays, 0.0f);
    for (std::size_t k = 0; k < kFeatures; ++k) {
      const double phase = frequency_[2 * k] * x + frequency_[2 * k + 1] * y;
      const auto a = static_cast<float>(std::cos(phase) / std::sqrt(double{kFeatures}));
      const auto b = static_cast<float>(std::sin(phase) / std::sqrt(double{kFeatures}));
      const float* c = &coefficients_[2 * k * kDays];
      for (std::size_t t = 0; t < kDays; ++t) out[t] += a * c[t] + b * c[kDays + t];
    }
    return out;
  }

 private:
  static constexpr std::size_t kFeatures = 96;
  std::vector<double> frequency_ = std::vector<double>(2 * kFeatures);
  std::vector<float> coefficients_;  // [feature][cosine, sine][day]
};

double sharpe(const std::vector<float>& returns, std::size_t days) {
  double sum = 0;
  double squares = 0;
  for (std::size_t t = 0; t < days; ++t) {
    sum += returns[t];
    squares += double{returns[t]} * returns[t];
  }
  const auto n = static_cast<double>(days);
  return sum / n / std::sqrt(squares / n - sum / n * (sum / n));
}

Plan plan_of_search(const std::string& search, std::uint64_t seed) {
  auto plan = testing::plan_of(
      "sweep: noise\ndata: [btcusdt-5m]\nwindow: {from: 2023-01-01, to: 2024-01-01}\n"
      "execution: binance-usdm\nstrategies:\n  - family: sma_cross\n    params:\n"
      "      fast_bars: {int: [2, 200]}\n      slow_bars: {int: [201, 600]}\nseed: " +
      std::to_string(seed % 1'000'000) + "\n" + search);
  EXPECT_TRUE(plan.ok()) << plan.error().text();
  return *plan;
}

/// A finished search: its plan, with all rows, and the returns of those on the whole window.
struct Finished {
  Plan plan;
  std::vector<std::uint64_t> trials;
  std::vector<float> returns;  // [trial][day]

  PanelView view() const {
    return PanelView::of(std::span<const float>(returns), trials.size(), kDays);
  }
};

Finished search_noise(const std::string& search, double reach, std::uint64_t seed) {
  const NoiseMarket market(seed, reach);
  Finished out{plan_of_search(search, seed), {}, {}};
  const Segment segment = out.plan.segments()[0];
  const auto rungs = rung_lengths(out.plan.spec());
  auto made = SegmentSearch::make(out.plan, segment);
  EXPECT_TRUE(made.ok()) << made.error().text();
  std::vector<GenerationRows> all;
  while (made->rows_made() < segment.trials) {
    EXPECT_TRUE(made->open().ok());
    const GenerationRows& rows = made->open_rows();
    std::vector<search::Outcome> outcomes;
    for (std::uint64_t r = 0; r < rows.rows(); ++r) {
      const double* p = &rows.values[r * rows.width];
      const auto returns = market.returns((p[0] - 2) / 198, (p[1] - 201) / 399);
      const auto days = static_cast<std::size_t>(rungs[rows.rungs[r]].ns / seconds(86'400).ns);
      outcomes.push_back({.losses = {-sharpe(returns, days)}});
      if (days < kDays) continue;
      out.trials.push_back(rows.first_row + r);
      out.returns.insert(out.returns.end(), returns.begin(), returns.end());
    }
    all.push_back(rows);
    EXPECT_TRUE(made->tell(outcomes).ok());
  }
  auto with = out.plan.with_rows(all);
  EXPECT_TRUE(with.ok());
  out.plan = *std::move(with);
  return out;
}

/// The verdict as the product reaches it (serve/scoring.cpp).
Convergence judge(const Finished& f) {
  const Segment& segment = f.plan.segments()[0];
  const Judged judged = judged_variants(f.plan, segment);
  std::vector<std::uint32_t> rows;
  for (std::size_t r = 0; r < f.trials.size(); ++r) {
    if (judged.counts(f.plan, segment, f.trials[r])) rows.push_back(static_cast<std::uint32_t>(r));
  }
  ConvergenceOptions o = score_only();
  o.launched = o.chosen = judged.variants(f.plan, segment);
  o.chosen_by_periods = judged.chosen_by_periods;
  o.spread = parameter_spread(f.plan.design(segment), judged_params(f.plan, segment, judged));
  return score_convergence(f.view().subset(rows), o);
}

/// What a reader who trusts the variants on the whole window would conclude.
Convergence believe(const Finished& f) { return score_convergence(f.view(), score_only()); }

double rate(const char* what, const std::string& search, double reach,
            Convergence (*verdict)(const Finished&)) {
  const std::size_t hits = count_seeds(kSearches, kSeed, [&](std::uint64_t seed) {
    return converged(verdict(search_noise(search, reach, seed)));
  });
  std::printf("%s: %zu of %zu, seed %llu\n", what, hits, kSearches,
              static_cast<unsigned long long>(kSeed));
  return static_cast<double>(hits) / kSearches;
}

// The true rate is at most .05; .072 is two standard errors of 400 draws above it.
constexpr double kRateMax = 0.072;

TEST(SearchOverNoise, TpeDoesNotConvergeMoreOftenThanItsLevel) {
  const std::string search = "search: {method: tpe, trials: 200, generation: 40}\n";
  EXPECT_GE(rate("tpe, all variants", search, kNarrow, believe), 0.06) << "the trap is none";
  EXPECT_LE(rate("tpe, as judged", search, kNarrow, judge), kRateMax);
}

TEST(SearchOverNoise, CmaesDoesNotConvergeMoreOftenThanItsLevel) {
  const std::string search = "search: {method: cmaes, trials: 200, generation: 40}\n";
  EXPECT_LE(rate("cmaes, as judged", search, kNarrow, judge), kRateMax);
}

TEST(SearchOverNoise, SurvivorsOfALadderConvergeOnLaterDaysAtTheirLevelOnly) {
  const std::string ladder =
      "search: {method: random, trials: 400, generation: 8}\n"
      "fidelity: {method: halving, shortest: 45d, eta: 2}\n";
  const std::string later = ladder + "convergence: {survivors: later_days}\n";
  for (const double reach : {kNarrow, kWide}) {
    EXPECT_GE(rate("halving, survivors alone", ladder, reach, believe), 0.15) << "the trap is none";
    EXPECT_LE(rate("halving, later days", later, reach, judge), kRateMax);
  }
  EXPECT_EQ(rate("halving, every launched variant", ladder, kNarrow, judge), 0);
}

}  // namespace
}  // namespace winnow::sweeps::test
