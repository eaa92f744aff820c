#include "sweeps/stats/sharpe.hpp"

#include <algorithm>
#include <boost/math/quadrature/gauss_kronrod.hpp>
#include <cmath>
#include <limits>

#include "sweeps/stats/basic.hpp"

namespace winnow::sweeps::stats {
namespace {

/// 1 - g3 SR + (g4 - 1)/4 SR^2, with the AR(1) factors of the 2025 paper (all 1 without
/// autocorrelation).
double moment_factor(const TrackRecord& r, double sharpe, double rho) {
  const double rho2 = rho * rho;
  const double a = (1 + rho) / (1 - rho);
  const double b = 1 + rho / (1 - rho) + rho2 / (1 - rho2);
  const double c = 1 + 2 * rho2 / (1 - rho2);
  return a - b * r.skew * sharpe + c * (r.kurtosis - 1) / 4 * sharpe * sharpe;
}

}  // namespace

TrackRecord track_record(std::span<const double> returns) {
  TrackRecord r;
  r.sharpe = sharpe(returns);
  r.periods = static_cast<double>(returns.size());
  r.skew = skewness(returns);
  r.kurtosis = kurtosis(returns);
  if (returns.size() > 2) {
    r.autocorrelation = correlation(returns.first(returns.size() - 1), returns.subspan(1));
  }
  return r;
}

double sharpe_stdev(const TrackRecord& r, SharpeConvention convention, double benchmark) {
  if (convention == SharpeConvention::Observed2012) {
    return std::sqrt(moment_factor(r, r.sharpe, 0) / (r.periods - 1));
  }
  return std::sqrt(moment_factor(r, benchmark, r.autocorrelation) / r.periods);
}

double probabilistic_sharpe(const TrackRecord& r, double benchmark, SharpeConvention convention) {
  return normal_cdf((r.sharpe - benchmark) / sharpe_stdev(r, convention, benchmark));
}

double min_track_record(const TrackRecord& r, double benchmark, double confidence,
                        SharpeConvention convention) {
  if (!(r.sharpe > benchmark)) return std::numeric_limits<double>::infinity();
  const double z = normal_quantile(confidence) / (r.sharpe - benchmark);
  if (convention == SharpeConvention::Observed2012) {
    return 1 + moment_factor(r, r.sharpe, 0) * z * z;
  }
  return moment_factor(r, benchmark, r.autocorrelation) * z * z;
}

double expected_max_sharpe(double trials, double mean, double variance) {
  if (!(trials > 1)) return mean;
  const double z1 = normal_quantile(1 - 1 / trials);
  const double z2 = normal_quantile(1 - std::exp(-1.0) / trials);
  return mean + std::sqrt(variance) * ((1 - kEulerGamma) * z1 + kEulerGamma * z2);
}

double expected_max_exact(double trials) {
  if (!(trials > 1)) return 0;
  const auto density = [trials](double x) {
    return trials * x * normal_pdf(x) * std::pow(normal_cdf(x), trials - 1);
  };
  double sum = 0;
  // Pieces of two standard deviations; outside of [-12, 12 ] is below 1e-30.
  for (double from = -12; from < 12; from += 2) {
    sum += boost::math::quadrature::gauss_kronrod<double, 61>::integrate(density, from, from + 2, 5,
                                                                         1e-14);
  }
  return sum;
}

double deflated_sharpe(const TrackRecord& r, double trials, double variance_of_ratios,
                       SharpeConvention convention) {
  return probabilistic_sharpe(r, expected_max_sharpe(trials, 0, variance_of_ratios), convention);
}

double min_backtest_years(double trials, double target_sharpe_ann) {
  const double ratio = expected_max_sharpe(trials) / target_sharpe_ann;
  return ratio * ratio;
}

double min_backtest_years_bound(double trials, double target_sharpe_ann) {
  return 2 * std::log(trials) / (target_sharpe_ann * target_sharpe_ann);
}

double effective_trials_mean_correlation(double mean_correlation, double trials) {
  return mean_correlation + (1 - mean_correlation) * trials;
}

double effective_trials_participation(std::span<const double> eigenvalues) {
  double sum = 0;
  double squares = 0;
  for (double l : eigenvalues) {
    sum += std::max(0.0, l);
    squares += l > 0 ? l * l : 0;
  }
  return sum * sum / squares;
}

double effective_trials_entropy(std::span<const double> eigenvalues) {
  double sum = 0;
  for (double l : eigenvalues) sum += std::max(0.0, l);
  double entropy = 0;
  for (double l : eigenvalues) {
    if (l > 0) entropy -= l / sum * std::log(l / sum);
  }
  return std::exp(entropy);
}

double effective_trials_galwey(std::span<const double> eigenvalues) {
  double sum = 0;
  double roots = 0;
  for (double l : eigenvalues) {
    sum += std::max(0.0, l);
    roots += std::sqrt(std::max(0.0, l));
  }
  return roots * roots / sum;
}

double lo_annualisation(double rho, std::size_t periods_per_year) {
  const double q = static_cast<double>(periods_per_year);
  double sum = 0;
  double power = 1;
  for (std::size_t k = 1; k < periods_per_year; ++k) {
    power *= rho;
    sum += (q - static_cast<double>(k)) * power;
  }
  return q / std::sqrt(q + 2 * sum);
}

}  // namespace winnow::sweeps::stats
