#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "sweeps/bakeoff_figures.hpp"
#include "sweeps/stats/parallel.hpp"

namespace winnow::sweeps {

// A bake-off: families on the same days of the same data, compared by what each would have paid.
// Every family stands there three times: as a portfolio (all its variants at equal weights, every
// day), as a walk-forward (in each window the variant with the best Sharpe of the training days is
// held through the test days), and as its plateau centre, which was chosen with all days in view
// and is shown beside the others but never tested.

/// Paired difference of annual Sharpes, first minus second, of one kind of series.
struct PairFigures {
  std::size_t first = 0, second = 0;
  double difference_sharpe_ann = 0;
  stats::Interval interval;
  double p = 1;       ///< two-sided: (1 + #{|d* - d| >= |d|}) / (1 + resamples)
  double p_holm = 1;  ///< over all pairs of both kinds
};

enum class BakeoffVerdict : std::uint8_t {
  Better,              ///< one family beats cash and, after correction, every other one
  NotDistinguishable,  ///< some beat cash, none beats all others
  NoneBeatsCash,
  OneEntrant,
  TooFewDays,
  NotMeasurable,  ///< fewer than two families have days that vary
};
/// "BETTER", "NOT_DISTINGUISHABLE", ...
const char* bakeoff_verdict_name(BakeoffVerdict verdict);

struct Bakeoff {
  BakeoffVerdict verdict = BakeoffVerdict::NotMeasurable;
  std::vector<std::string> reasons;
  std::size_t winner = 0;            ///< for Better
  bool tested_walk_forward = false;  ///< what the verdict is about: walk-forwards, else portfolios
  std::size_t periods = 0;
  double mean_block = 1;
  double p_spa = 1;  ///< Hansen's test, studentised, consistent: the best is no better than cash
  std::vector<EntrantFigures> entrants;
  std::vector<PairFigures> portfolio_pairs, walk_forward_pairs;
  std::vector<std::vector<double>> correlation;  ///< of portfolios; NaN where it does not exist
};
inline constexpr std::size_t kBakeoffDaysMin = 60;
inline constexpr std::size_t kBakeoffEntrantsMax = 50;

/// Requires: 1 to kBakeoffEntrantsMax entrants of one number of periods. The same bits for every
/// ParallelFor. Memory: resamples * periods * 8 bytes.
Bakeoff bake_off(const std::vector<Entrant>& entrants, const BakeoffOptions& options,
                 const ParallelFor& parallel);

/// Training and test periods that fit a calendar: 90 and 30 days from 150 days on, else a half and
/// a sixth of what there is.
BakeoffOptions bakeoff_windows(std::size_t periods);

/// How large a strategy may become before its own impact eats its edge, as multiples of the size it
/// was run at. All fills times k earn k times the edge before impact P and pay k^1.5 times the
/// impact I (square-root impact: cost = qty px c sqrt(qty / volume)). Half the edge is gone at (P /
/// 2 I)^2, the profit is largest at (2 P / 3 I)^2, nothing is left at (P / I)^2. 0 without an edge.
struct ImpactCapacity {
  double half_edge = 0;
  double optimum = 0;
  double breakeven = 0;
};
/// Requires: impact > 0.
ImpactCapacity impact_capacity(double edge_before_impact, double impact);

}  // namespace winnow::sweeps
