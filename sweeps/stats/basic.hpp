#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace winnow::sweeps::stats {

// The small change of statistics. All take plain numbers and have no units of their own. Fewer
// numbers than a formula needs give NaN; the callers say what that means.

double mean(std::span<const double> x);

/// Sum of squared deviations / (n - ddof).
double variance(std::span<const double> x, int ddof = 1);
double stdev(std::span<const double> x, int ddof = 1);

/// Third and fourth standardised moments, biased (division by n), kurtosis NOT in excess: 3 for the
/// normal law. The convention of Bailey and Lopez de Prado and of scipy.
double skewness(std::span<const double> x);
double kurtosis(std::span<const double> x);

/// Mean over standard deviation with divisor n - 1, per observation. 0 / 0 is NaN.
double sharpe(std::span<const double> x);

/// Quantile by linear interpolation between order statistics at (n - 1) q (numpy's default).
/// Requires: 0 <= q <= 1.
double quantile(std::span<const double> x, double q);
double median(std::span<const double> x);

/// Ranks from 1, ties get their average.
std::vector<double> average_ranks(std::span<const double> x);

/// Pearson's correlation. NaN if either side is constant.
double correlation(std::span<const double> x, std::span<const double> y);
double spearman(std::span<const double> x, std::span<const double> y);
/// Kendall's tau-b (corrected for ties). Quadratic in n.
double kendall_tau_b(std::span<const double> x, std::span<const double> y);
/// Two-sided p of a correlation r of n pairs by Student's t with n - 2 degrees of freedom.
double correlation_p(double r, std::size_t n);

/// y = intercept + slope x by least squares.
struct Line {
  double slope = 0;
  double intercept = 0;
  double r = 0;
};
Line fit_line(std::span<const double> x, std::span<const double> y);

/// First index of the largest element; NaN never wins. n for an empty or all-NaN input.
std::size_t argmax(std::span<const double> x);

// Normal, Student and chi-squared laws (Boost.Math) with limits instead of exceptions.
double normal_cdf(double x);
double normal_pdf(double x);
double normal_quantile(double p);  ///< -inf at 0, +inf at 1, NaN outside
double student_cdf(double x, double dof);
double student_quantile(double p, double dof);
double chi2_sf(double x, double dof);  ///< P(X > x)

inline constexpr double kEulerGamma = 0.57721566490153286;

/// ln |gamma(x)|, as lgamma gives it, which two threads may not call at once.
double log_gamma(double x);

}  // namespace winnow::sweeps::stats
