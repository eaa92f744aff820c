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
  // Quantiles from the upper tail: 1 - 1 / N loses its digits from N = 1e8 on and is 1 at 1e17.
  const double z1 = -normal_quantile(1 / trials);
  const double z2 = -normal_quantile(std::exp(-1.0) / trials);
  // Between one trial and two the approximation falls below the mean, which no maximum does.
  const double z = std::max(0.0, (1 - kEulerGamma) * z1 + kEulerGamma * z2);
  return mean + std::sqrt(variance) * z;
}

namespace {

/// E f(maximum of `trials` standard normal numbers).
template <class F>
double maximum_moment(double trials, F f) {
  // k phi(x) Phi(x)^(k - 1); the power through the upper tail keeps its digits for any k.
  const auto integrand = [&](double x) {
    const double above = normal_cdf(-x);
    const double power = above < 1 ? (trials - 1) * std::log1p(-above) : -HUGE_VAL;
    return power < -745 ? 0 : f(x) * trials * normal_pdf(x) * std::exp(power);
  };
  double sum = 0;
  // Pieces of one standard deviation; the maximum of 1e300 normal numbers is below 38.
  for (double from = -12; from < 40; from += 1) {
    sum += boost::math::quadrature::gauss_kronrod<double, 61>::integrate(integrand, from, from + 1,
                                                                         2, 1e-14);
  }
  return sum;
}

}  // namespace

NormalMaximum normal_maximum(double trials) {
  NormalMaximum out{expected_max_exact(trials), 1};
  if (!(trials > 1)) return out;
  out.variance = maximum_moment(trials, [&](double x) { return (x - out.mean) * (x - out.mean); });
  return out;
}

double expected_max_exact(double trials) {
  return trials > 1 ? maximum_moment(trials, [](double x) { return x; }) : 0;
}

double deflated_sharpe(const TrackRecord& r, double trials, double variance_of_ratios,
                       SharpeConvention convention) {
  return probabilistic_sharpe(r, expected_max_sharpe(trials, 0, variance_of_ratios), convention);
}

double deflated_sharpe_of_best(const TrackRecord& r, double trials, double variance_of_ratios) {
  const double luck = expected_max_sharpe(trials, 0, variance_of_ratios);
  const double sd = sharpe_stdev(r, SharpeConvention::Null2025, luck) *
                    std::sqrt(normal_maximum(trials).variance);
  return normal_cdf((r.sharpe - luck) / sd);
}

double critical_sharpe(const TrackRecord& r, double null, double alpha) {
  return null - normal_quantile(alpha) * sharpe_stdev(r, SharpeConvention::Null2025, null);
}

double sharpe_power(const TrackRecord& r, double null, double alternative, double alpha) {
  const double sd = sharpe_stdev(r, SharpeConvention::Null2025, alternative);
  return normal_cdf((alternative - critical_sharpe(r, null, alpha)) / sd);
}

double false_discovery_rate(double alpha, double power, double alternative_share) {
  const double wrong = (1 - alternative_share) * alpha;
  return wrong / (wrong + alternative_share * power);
}

double observed_false_discovery_rate(const TrackRecord& r, double null, double alternative,
                                     double alternative_share) {
  const double p = 1 - probabilistic_sharpe(r, null, SharpeConvention::Null2025);
  const double reached = probabilistic_sharpe(r, alternative, SharpeConvention::Null2025);
  return false_discovery_rate(p, 1 - reached, alternative_share);
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
