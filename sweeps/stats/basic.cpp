#include "sweeps/stats/basic.hpp"

#include <algorithm>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <numeric>

#include "base/check.hpp"
#include "base/numbers.hpp"

namespace winnow::sweeps::stats {
namespace {

double standardised_moment(std::span<const double> x, int order) {
  const double m = mean(x);
  double s2 = 0;
  double sk = 0;
  for (double v : x) {
    const double d = v - m;
    s2 += d * d;
    sk += std::pow(d, order);
  }
  const double n = static_cast<double>(x.size());
  return (sk / n) / std::pow(s2 / n, order / 2.0);
}

}  // namespace

double mean(std::span<const double> x) {
  double sum = 0;
  for (double v : x) sum += v;
  return x.empty() ? kNaN : sum / static_cast<double>(x.size());
}

double variance(std::span<const double> x, int ddof) {
  const double dof = static_cast<double>(x.size()) - ddof;
  if (dof <= 0) return kNaN;
  const double m = mean(x);
  double ss = 0;
  for (double v : x) ss += (v - m) * (v - m);
  return ss / dof;
}

double stdev(std::span<const double> x, int ddof) { return std::sqrt(variance(x, ddof)); }
double skewness(std::span<const double> x) { return standardised_moment(x, 3); }
double kurtosis(std::span<const double> x) { return standardised_moment(x, 4); }
double sharpe(std::span<const double> x) { return mean(x) / stdev(x); }

double quantile(std::span<const double> x, double q) {
  WINNOW_REQUIRES(q >= 0 && q <= 1);
  if (x.empty()) return kNaN;
  std::vector<double> v(x.begin(), x.end());
  std::sort(v.begin(), v.end());
  const double at = q * static_cast<double>(v.size() - 1);
  const auto low = static_cast<std::size_t>(std::floor(at));
  const std::size_t high = std::min(low + 1, v.size() - 1);
  const double frac = at - static_cast<double>(low);
  // numpy's form: exact at both ends.
  const double d = v[high] - v[low];
  return frac >= 0.5 ? v[high] - d * (1 - frac) : v[low] + d * frac;
}

double median(std::span<const double> x) { return quantile(x, 0.5); }

std::vector<double> average_ranks(std::span<const double> x) {
  std::vector<std::size_t> order(x.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return x[a] < x[b]; });
  std::vector<double> ranks(x.size());
  for (std::size_t i = 0; i < order.size();) {
    std::size_t j = i;
    while (j < order.size() && x[order[j]] == x[order[i]]) ++j;
    if (j == i) j = i + 1;  // a NaN equals nothing
    const double rank = static_cast<double>(i + 1 + j) / 2;
    for (; i < j; ++i) ranks[order[i]] = rank;
  }
  return ranks;
}

double correlation(std::span<const double> x, std::span<const double> y) {
  return fit_line(x, y).r;
}

double spearman(std::span<const double> x, std::span<const double> y) {
  return correlation(average_ranks(x), average_ranks(y));
}

double kendall_tau_b(std::span<const double> x, std::span<const double> y) {
  double score = 0;
  double pairs_x = 0;
  double pairs_y = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (std::size_t j = i + 1; j < x.size(); ++j) {
      const double a = static_cast<double>((x[i] > x[j]) - (x[i] < x[j]));
      const double b = static_cast<double>((y[i] > y[j]) - (y[i] < y[j]));
      score += a * b;
      pairs_x += a * a;
      pairs_y += b * b;
    }
  }
  return score / std::sqrt(pairs_x * pairs_y);
}

double correlation_p(double r, std::size_t n) {
  const double dof = static_cast<double>(n) - 2;
  if (dof <= 0) return kNaN;
  const double t = r * std::sqrt(dof / ((1 - r) * (1 + r)));
  return 2 * student_cdf(-std::abs(t), dof);
}

Line fit_line(std::span<const double> x, std::span<const double> y) {
  const double mx = mean(x);
  const double my = mean(y);
  double sxx = 0;
  double sxy = 0;
  double syy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    sxx += (x[i] - mx) * (x[i] - mx);
    sxy += (x[i] - mx) * (y[i] - my);
    syy += (y[i] - my) * (y[i] - my);
  }
  const double slope = sxy / sxx;
  return {slope, my - slope * mx, sxy / std::sqrt(sxx * syy)};
}

std::size_t argmax(std::span<const double> x) {
  std::size_t best = x.size();
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (std::isnan(x[i])) continue;
    if (best == x.size() || x[i] > x[best]) best = i;
  }
  return best;
}

double normal_cdf(double x) { return std::isnan(x) ? kNaN : 0.5 * std::erfc(-x / std::sqrt(2.0)); }

double normal_pdf(double x) { return std::exp(-0.5 * x * x) / std::sqrt(2 * M_PI); }

double normal_quantile(double p) {
  if (!(p >= 0 && p <= 1)) return kNaN;
  if (p == 0) return -kInf;
  if (p == 1) return kInf;
  return boost::math::quantile(boost::math::normal(), p);
}

double student_cdf(double x, double dof) {
  if (std::isnan(x) || !(dof > 0)) return kNaN;
  if (std::isinf(x)) return x > 0 ? 1 : 0;
  return boost::math::cdf(boost::math::students_t(dof), x);
}

double student_quantile(double p, double dof) {
  if (!(p >= 0 && p <= 1) || !(dof > 0)) return kNaN;
  if (p == 0) return -kInf;
  if (p == 1) return kInf;
  return boost::math::quantile(boost::math::students_t(dof), p);
}

double chi2_sf(double x, double dof) {
  if (std::isnan(x) || !(dof > 0)) return kNaN;
  if (x <= 0) return 1;
  if (std::isinf(x)) return 0;
  return boost::math::cdf(boost::math::complement(boost::math::chi_squared(dof), x));
}

double log_gamma(double x) {
  int sign = 0;
  return ::lgamma_r(x, &sign);
}

}  // namespace winnow::sweeps::stats
