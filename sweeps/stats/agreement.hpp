#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace winnow::sweeps::stats {

// Agreement between raters, periods or chains. Diagnostics of a family's shape: none of them
// controls an error rate, so none of them gates a decision (see the survey in CONVERGENCE).

using Matrix = std::vector<std::vector<double>>;  ///< [row][column], rows of one length

/// Intraclass correlations of a table targets x raters (Shrout and Fleiss 1979): one-way random
/// (1), two-way random (2), two-way mixed (3), of a single rating and of the mean of k. Requires:
/// at least two rows and two columns.
struct IntraclassCorrelation {
  double ms_targets, ms_raters, ms_within, ms_error;
  double icc11, icc21, icc31, icc1k, icc2k, icc3k;
};
IntraclassCorrelation intraclass_correlation(const Matrix& ratings);

/// Kendall's coefficient of concordance of k rankings of n things, from scores [ranking][thing],
/// corrected for ties: W = 12 S / (k^2 (n^3 - n) - k sum of t^3 - t over groups of t ties). 0 where
/// every ranking ties everything.
struct Concordance {
  double w = 0;
  double chi2 = 0;  ///< k (n - 1) W = Friedman's statistic, n - 1 degrees of freedom
  double p = 1;
  double mean_spearman = 0;  ///< over pairs of rankings; W = (mean (k - 1) + 1) / k without ties
};
Concordance kendall_w(const Matrix& scores);

/// Does a variant that was good in the first half stay good? Sharpe per half, halves split at T
/// / 2.
struct RankPersistence {
  double spearman, spearman_p, kendall_tau_b, pearson, sign_agreement_frac;
};
/// `columns` is [variant][period].
RankPersistence rank_persistence(const Matrix& columns);

/// Potential scale reduction (Gelman and Rubin 1992) of chains [chain][draw] of equal length.
struct ScaleReduction {
  double rhat = 0;
  double between = 0;  ///< B = n var(chain means)
  double within = 0;   ///< W = mean chain variance
};
ScaleReduction rhat(const Matrix& chains);
/// The same with each chain cut in two halves of floor(n / 2) draws, the first and the last
/// (Gelman and others, Bayesian Data Analysis 3).
ScaleReduction split_rhat(const Matrix& chains);

}  // namespace winnow::sweeps::stats
