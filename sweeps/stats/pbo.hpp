#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "sweeps/stats/panel.hpp"
#include "sweeps/stats/parallel.hpp"

namespace winnow::sweeps::stats {

// Probability of backtest overfitting by combinatorially symmetric cross-validation (Bailey,
// Borwein, Lopez de Prado and Zhu 2017). The calendar is cut into S equal blocks (the first T mod S
// periods are dropped); every choice of S/2 blocks is once in sample. n* is the first variant with
// the largest in-sample Sharpe (mean over sd, divisor n - 1, not annualised), w = rank of its
// out-of-sample Sharpe / (N + 1) with average ranks, logit = ln(w / (1 - w)), PBO = share of logits
// <= 0.
//
// A half in which a variant did nothing has the ratio 0, in sample as out of sample: above every
// loser, below every winner. Where the chosen variant did nothing out of sample and as many lie
// above it as below (logit 0), the split counts half. So a family without an edge has PBO .5
// however seldom it trades. A variant that never moves is no variant of the family.
//
// It measures whether a BEST variant persists. A true plateau has PBO near .5 and a single true
// spike near 0, so it must never gate convergence.

struct PboOptions {
  std::size_t blocks = 16;  ///< S: even, from 2 to 20
  double loss_threshold = 0;
  /// Compare the distribution of the chosen variants' out-of-sample ratios with that of all. Needs
  /// all N * splits ratios, so it is left out beyond kDominanceValuesMax of them.
  bool dominance = true;
};
inline constexpr std::size_t kDominanceValuesMax = 50'000'000;

/// Gap between the distribution functions "all variants" minus "chosen variants", at 1,000 points
/// over the range of the chosen ones.
struct StochasticDominance {
  bool computed = false;
  double grid_min = 0, grid_max = 0;
  bool first_order = false;  ///< the gap is never negative and somewhere positive
  double gap_mean = 0, gap_max = 0, gap_min = 0;
  double integral = 0;  ///< of the gap, by trapezoids
};

struct PboResult {
  double pbo = 0;
  double oos_loss_frac = 0;  ///< splits whose chosen variant is below the threshold out of sample
  /// Least squares of the out-of-sample on the in-sample ratio of the chosen variants
  /// (degradation).
  double slope = 0, intercept = 0, r = 0;
  std::size_t dropped_periods = 0;
  std::uint64_t not_ranked =
      0;  ///< variants whose returns are all zero or not finite: neither chosen nor ranked
  // By split, in lexicographic order of the in-sample blocks:
  std::vector<std::uint32_t> chosen;
  std::vector<double> in_sample;   ///< ratio of the chosen variant
  std::vector<double> out_sample;  ///< the same variant, out of sample
  std::vector<double> rank;        ///< of it among those ranked, out of sample, 1 the worst
  std::vector<double> logit;
  StochasticDominance dominance;
};

/// Deterministic for any ParallelFor. Cost: N * splits ratios, from block sums (vectorised), so
/// 100,000 variants and 12,870 splits take seconds. Fails: InvalidInput for fewer than two
/// variants, an odd or too large S, or fewer than 2 periods a half, or no variant that can be
/// ranked.
Result<PboResult> probability_of_overfitting(const PanelView& panel, const PboOptions& options = {},
                                             const ParallelFor& parallel = serial_for());

}  // namespace winnow::sweeps::stats
