#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/calendar.hpp"
#include "sweeps/risk/day_bars.hpp"
#include "sweeps/risk/policy.hpp"
#include "sweeps/stats/parallel.hpp"

namespace winnow::sweeps::risk {

// Monte Carlo of one variant's future: its days (or trades) drawn again by the stationary bootstrap
// (Politis and Romano 1994), so that runs of days that depend on one another stay together. Every
// path is a function of (days, options, its number): the numbers do not depend on threads.

struct SimulationOptions {
  std::size_t horizon = 365;  ///< periods in a path
  std::size_t paths = 10'000;
  std::uint64_t seed = 1;
  double mean_block = 1;  ///< of the bootstrap, periods; 1: independent draws
  double periods_per_year = engine::kPeriodsPerYearOpen;
  /// Periods after which the lowest equity so far is noted, ascending, at most `horizon`.
  std::vector<std::size_t> checkpoints = {};
};
inline constexpr std::size_t kHorizonMax = 36'500;
inline constexpr std::size_t kPathsMax = 1'000'000;
inline constexpr std::size_t kCheckpointsMax = 8;

/// What became of one path. Multiples of the equity at its start; fractions of the peak.
struct PathOutcome {
  double final_multiple = 1;
  double drawdown_frac = 0;      ///< largest, at bars' closes where they are known
  double sharpe_ann = 0;         ///< mean / sd (n - 1) of its days, a year; NaN: they do not vary
  std::uint32_t underwater = 0;  ///< most periods in a row below a peak
  std::uint32_t triggers = 0;    ///< how often the policy closed the position
  std::uint32_t periods_out = 0;
  std::array<float, kCheckpointsMax> lowest{};  ///< equity so far, one a checkpoint
};

/// Outcomes [policy][path]; every policy lives through the same days. In a path a month begins
/// every kMonthDays periods. Requires: days, 1 <= horizon <= kHorizonMax, mean_block >= 1, at most
/// kCheckpointsMax checkpoints. Time: about 5 ns a period, path and policy.
std::vector<std::vector<PathOutcome>> simulate(const DayBars& days,
                                               std::span<const Policy> policies,
                                               const SimulationOptions& options,
                                               const ParallelFor& parallel);

/// The same without policies, with the uncertainty of the days' mean and scale on top: each path
/// first draws both from their posterior under the reference prior 1 / sigma^2 (sigma^2 by its
/// inverse gamma law, the mean given it by the normal law), then its days, moved and scaled to
/// them. Drawdowns at days' ends. Requires: as simulate, and days that vary.
std::vector<PathOutcome> simulate_posterior(std::span<const double> returns,
                                            const SimulationOptions& options,
                                            const ParallelFor& parallel);

/// Order statistics of one number over all paths (linear interpolation).
inline constexpr std::array<double, 7> kQuantileLevels = {0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99};
struct Distribution {
  double mean = 0;
  std::array<double, kQuantileLevels.size()> quantile{};
};
/// Values that are not finite are left out; without any, all is NaN.
Distribution distribution(std::vector<double> values);

/// Share of paths whose equity was ever 1 - loss_frac or lower by a checkpoint, and the standard
/// error of that share as an estimate of the probability: sqrt(p (1 - p) / paths).
struct Ruin {
  double p = 0;
  double se = 0;
};
Ruin ruin(std::span<const PathOutcome> paths, double loss_frac, std::size_t checkpoint);

struct PathSummary {
  Distribution total_return_frac, drawdown_frac, underwater, sharpe_ann;
  double p_loss = 0;       ///< share of paths that end below their start
  double p_triggered = 0;  ///< share in which the policy closed a position at all
  double triggers_mean = 0;
  double out_frac = 0;  ///< mean share of periods spent flat by the policy
};
PathSummary summarise(std::span<const PathOutcome> paths, std::size_t horizon);

}  // namespace winnow::sweeps::risk
