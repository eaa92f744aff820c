#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace winnow::sweeps::stats {

// Inference on Sharpe ratios. Every ratio here is per observation (not annualised) unless its name
// says
// `_ann`; kurtosis is NOT in excess (3 for the normal law).

/// How the variance of an estimated Sharpe ratio is taken. They differ visibly: .913 against .987
/// on the hedge fund of the 2012 paper.
enum class SharpeConvention : std::uint8_t {
  /// Bailey and Lopez de Prado 2012: at the OBSERVED ratio, divided by T - 1, no autocorrelation.
  Observed2012,
  /// Lopez de Prado, Lipton and Zoonekynd 2025: at the NULL ratio, divided by T, with AR(1)
  /// autocorrelation of the returns.
  Null2025,
};

/// A track record, summed up.
struct TrackRecord {
  double sharpe = 0;
  double periods = 0;  ///< T
  double skew = 0;
  double kurtosis = 3;
  double autocorrelation = 0;  ///< of lag one; Null2025 only
};
/// Moments of returns. No two numbers that differ: the ratio is NaN.
TrackRecord track_record(std::span<const double> returns);

/// Standard deviation of the estimated ratio; for Null2025 under the hypothesis ratio =
/// `benchmark`.
double sharpe_stdev(const TrackRecord& record, SharpeConvention convention, double benchmark);

/// Probabilistic Sharpe ratio: P(true ratio > benchmark).
double probabilistic_sharpe(const TrackRecord& record, double benchmark,
                            SharpeConvention convention = SharpeConvention::Observed2012);

/// Observations needed until P(true ratio > benchmark) reaches `confidence`. +inf if the ratio is
/// not above the benchmark.
double min_track_record(const TrackRecord& record, double benchmark, double confidence,
                        SharpeConvention convention = SharpeConvention::Observed2012);

/// Approximate expected maximum of `trials` independent normal ratios (False Strategy Theorem):
/// mean + sd [(1 - g) z(1 - 1/N) + g z(1 - 1/(N e))]. Above the exact value for N >= 5, below at 2;
/// for one trial it is the mean (the paper's formula gives -inf there), and never below it. Good to
/// the last digits for any N a double holds. The product's one definition of what luck shows.
double expected_max_sharpe(double trials, double mean = 0, double variance = 1);

/// Mean and variance of the maximum of `trials` standard normal numbers, by quadrature.
struct NormalMaximum {
  double mean = 0;
  double variance = 1;
};
NormalMaximum normal_maximum(double trials);
double expected_max_exact(double trials);

/// Deflated Sharpe ratio: PSR against the expected maximum of `trials` ratios with variance
/// `variance_of_ratios` ACROSS trials (per observation). One trial: PSR(0).
double deflated_sharpe(const TrackRecord& record, double trials, double variance_of_ratios,
                       SharpeConvention convention = SharpeConvention::Observed2012);

/// The same in the 2025 convention, where the record is the best of `trials`: the deviation under
/// the null is that of a maximum, sqrt(Var max_N) times that of one ratio.
double deflated_sharpe_of_best(const TrackRecord& record, double trials, double variance_of_ratios);

// Planning a test of "ratio = null" against "ratio = alternative" (Lopez de Prado, Lipton and
// Zoonekynd 2025): the deviation at each hypothesis, with autocorrelation.

/// The ratio from which on the null is rejected at level `alpha`, one-sided.
double critical_sharpe(const TrackRecord& record, double null, double alpha);
/// P(rejected at `alpha` | ratio = alternative).
double sharpe_power(const TrackRecord& record, double null, double alternative, double alpha);
/// P(null | rejected) where a share `alternative_share` of all hypotheses is true.
double false_discovery_rate(double alpha, double power, double alternative_share);
/// P(null | a ratio at least as large as the record's).
double observed_false_discovery_rate(const TrackRecord& record, double null, double alternative,
                                     double alternative_share);

/// Years of data below which the best of `trials` worthless strategies is expected to show
/// `target_sharpe_ann` (minimum backtest length), and its upper bound 2 ln N / target^2.
double min_backtest_years(double trials, double target_sharpe_ann);
double min_backtest_years_bound(double trials, double target_sharpe_ann);

/// Effective number of independent trials among M correlated ones.
double effective_trials_mean_correlation(double mean_correlation,
                                         double trials);  ///< r + (1 - r) M
/// From eigenvalues of the correlation matrix (negative ones count as 0).
double effective_trials_participation(
    std::span<const double> eigenvalues);  ///< (sum)^2 / sum of l^2
double effective_trials_entropy(
    std::span<const double> eigenvalues);                             ///< exp entropy, Roy-Vetterli
double effective_trials_galwey(std::span<const double> eigenvalues);  ///< (sum sqrt l)^2 / sum

/// Factor that annualises a ratio of returns with autocorrelation `rho` of lag one and q periods a
/// year (Lo 2002): q / sqrt(q + 2 sum_k (q - k) rho^k).
double lo_annualisation(double rho, std::size_t periods_per_year);

}  // namespace winnow::sweeps::stats
