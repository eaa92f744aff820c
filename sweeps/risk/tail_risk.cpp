#include "sweeps/risk/tail_risk.hpp"

#include <algorithm>
#include <boost/math/tools/toms748_solve.hpp>
#include <cmath>

#include "base/check.hpp"
#include "base/rng.hpp"
#include "sweeps/stats/basic.hpp"
#include "sweeps/stats/bayes.hpp"

namespace winnow::sweeps::risk {
namespace {

struct Estimate {
  double var = 0;
  double cvar = 0;
};

/// Both historical estimates of a sorted sample.
Estimate historical(std::span<const double> sorted, double tail) {
  const double at = tail * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  const double share = at - static_cast<double>(below);
  Estimate out;
  out.var = -(sorted[below] + share * (sorted[above] - sorted[below]));
  out.cvar = -stats::mean(sorted.first(below + 1));
  return out;
}

}  // namespace

std::vector<TailRisk> tail_risks(std::span<const double> returns, std::span<const double> tails,
                                 const ResampleOptions& options, const ParallelFor& parallel) {
  WINNOW_REQUIRES(returns.size() >= 2);
  WINNOW_REQUIRES(
      std::all_of(tails.begin(), tails.end(), [](double tail) { return tail > 0 && tail < 1; }));
  // [tail][resample], filled by resample.
  std::vector<std::vector<double>> var(tails.size(), std::vector<double>(options.resamples));
  auto cvar = var;
  constexpr std::size_t kChunk = 64;
  parallel((options.resamples + kChunk - 1) / kChunk, [&](std::size_t c) {
    std::vector<double> sample(returns.size());
    for (std::size_t b = c * kChunk; b < std::min(options.resamples, (c + 1) * kChunk); ++b) {
      const auto rows =
          stats::stationary_indices(returns.size(), options.mean_block, options.seed, b);
      for (std::size_t t = 0; t < rows.size(); ++t) sample[t] = returns[rows[t]];
      std::sort(sample.begin(), sample.end());
      for (std::size_t k = 0; k < tails.size(); ++k) {
        const Estimate e = historical(sample, tails[k]);
        var[k][b] = e.var;
        cvar[k][b] = e.cvar;
      }
    }
  });
  std::vector<double> sorted(returns.begin(), returns.end());
  std::sort(sorted.begin(), sorted.end());
  const double mean = stats::mean(returns);
  const double sd = stats::stdev(returns);
  const double outside = (1 - options.level) / 2;
  std::vector<TailRisk> out;
  for (std::size_t k = 0; k < tails.size(); ++k) {
    TailRisk risk{.tail = tails[k]};
    const Estimate e = historical(sorted, tails[k]);
    risk.var_frac = e.var;
    risk.cvar_frac = e.cvar;
    const double z = stats::normal_quantile(tails[k]);
    risk.var_normal_frac = -(mean + sd * z);
    risk.cvar_normal_frac = -(mean - sd * stats::normal_pdf(z) / tails[k]);
    risk.var_interval = {stats::quantile(var[k], outside), stats::quantile(var[k], 1 - outside)};
    risk.cvar_interval = {stats::quantile(cvar[k], outside), stats::quantile(cvar[k], 1 - outside)};
    WINNOW_INVARIANT(risk.var_interval.low <= risk.var_interval.high);
    WINNOW_INVARIANT(risk.cvar_interval.low <= risk.cvar_interval.high);
    out.push_back(risk);
  }
  return out;
}

SharpePosterior sharpe_posterior(std::span<const double> returns, double benchmark_sharpe_ann,
                                 double periods_per_year) {
  WINNOW_REQUIRES(returns.size() >= 5);
  const double n = static_cast<double>(returns.size());
  const double annual = std::sqrt(periods_per_year);
  const stats::NormalInverseGamma law{.m = stats::mean(returns),
                                      .kappa = n,
                                      .alpha = (n - 1) / 2,
                                      .beta = stats::variance(returns) * (n - 1) / 2};
  SharpePosterior out;
  const double centre = law.sharpe_mean();
  const double sd = law.sharpe_sd();
  const auto quantile = [&](double p) {
    const auto miss = [&](double s) { return 1 - law.p_sharpe_above(s) - p; };
    std::uintmax_t steps = 60;
    constexpr double kFar = 12;
    const double least = centre - kFar * sd;
    const double most = centre + kFar * sd;
    // The solver throws unless the ends have different signs.
    if (!(miss(least) < 0) || !(miss(most) > 0)) return std::nan("");
    const auto [low, high] = boost::math::tools::toms748_solve(
        miss, least, most, [&](double a, double b) { return b - a < 1e-9 * sd; }, steps);
    return (low + high) / 2 * annual;
  };
  out.mean_ann = centre * annual;
  out.sd_ann = sd * annual;
  out.low_ann = quantile(0.05);
  out.median_ann = quantile(0.5);
  out.high_ann = quantile(0.95);
  out.p_above_zero = law.p_sharpe_above(0);
  out.p_above_benchmark = law.p_sharpe_above(benchmark_sharpe_ann / annual);
  return out;
}

}  // namespace winnow::sweeps::risk
