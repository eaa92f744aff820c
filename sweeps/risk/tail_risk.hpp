#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sweeps/stats/bootstrap.hpp"
#include "sweeps/stats/parallel.hpp"

namespace winnow::sweeps::risk {

struct ResampleOptions {
  std::size_t resamples = 2000;
  double level = 0.95;    ///< of the confidence interval
  double mean_block = 1;  ///< stationary bootstrap, periods
  std::uint64_t seed = 1;
};

/// Value at risk and its tail mean over one period, as LOSSES: fractions of equity, positive where
/// money is lost. Historical: the percentile `tail` of the returns (linear interpolation) and the
/// mean of the int((n - 1) tail) + 1 smallest; parametric: the normal law with the sample's mean
/// and sd (divisor n - 1), CVaR = -(m - s phi(z) / tail). Intervals: percentiles of the historical
/// estimate over stationary bootstrap samples.
struct TailRisk {
  double tail = 0.05;
  double var_frac = 0;
  double cvar_frac = 0;
  double var_normal_frac = 0;
  double cvar_normal_frac = 0;
  stats::Interval var_interval = {};
  stats::Interval cvar_interval = {};
};
/// One entry a tail. Requires: at least two finite returns, tails in (0, 1).
std::vector<TailRisk> tail_risks(std::span<const double> returns, std::span<const double> tails,
                                 const ResampleOptions& options, const ParallelFor& parallel);

/// Posterior of the annual Sharpe ratio (by the data's calendar) of independent normal returns
/// under the reference prior 1 / sigma^2: a normal-inverse-gamma law with m = mean, kappa = n,
/// alpha = (n - 1) / 2, beta = half the sum of squares. No search is accounted for: see the
/// ledger's luck.
struct SharpePosterior {
  double mean_ann = 0;
  double sd_ann = 0;
  double low_ann = 0;  ///< 5% quantile
  double median_ann = 0;
  double high_ann = 0;  ///< 95% quantile
  double p_above_zero = 0;
  double p_above_benchmark = 0;
};
/// Requires: at least five returns that vary.
SharpePosterior sharpe_posterior(std::span<const double> returns, double benchmark_sharpe_ann,
                                 double periods_per_year);

}  // namespace winnow::sweeps::risk
