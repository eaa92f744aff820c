#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sweeps/best_of_many.hpp"
#include "sweeps/stats/panel.hpp"
#include "sweeps/stats/parallel.hpp"
#include "sweeps/stats/sharpe.hpp"

namespace winnow::sweeps {

/// Probability of backtest overfitting of a family (stats/pbo.hpp). It says whether the BEST
/// variant persists: about .5 on a true plateau, so it gates nothing.
struct Overfitting {
  double pbo = 0;
  double oos_loss_frac = 0;  ///< splits whose chosen variant lost out of sample
  std::uint64_t blocks = 0;  ///< S of the splits
};

/// Purpose: what a family's returns say of its profit, without any account of how much was tried:
/// that is the ledger's, see deflate(). Sharpe ratios are per period. No field is NaN.
struct FamilyEvidence {
  std::uint64_t periods = 0;
  std::uint64_t variants = 0;   ///< with finite returns that vary; the others are left out
  double mean_correlation = 0;  ///< over all pairs of variants; 1 for a single one
  /// Equal capital in every variant. Absent where there is no variant or its returns do not vary.
  std::optional<stats::TrackRecord> portfolio;
  /// Posterior P(mean of the portfolio's returns > 0), normal returns, prior 1 / sigma^2.
  double p_profit = 0;
  std::optional<stats::TrackRecord> best;    ///< the row asked for
  std::optional<stats::TrackRecord> centre;  ///< the row asked for
  std::optional<Overfitting> overfitting;
  std::string overfitting_reason;  ///< why it is absent
  BestOfManyResult best_of_many;
};

/// `best` and `centre` are rows of the panel. Deterministic for any ParallelFor. Time: linear in
/// the panel but for PBO, whose number of blocks falls from 16 to 10 as variants grow.
FamilyEvidence family_evidence(const PanelView& panel, std::optional<std::size_t> best,
                               std::optional<std::size_t> centre, const ParallelFor& parallel);

/// Moments of returns; nothing for fewer than five, or some that do not vary or are not finite.
std::optional<stats::TrackRecord> track_record_of(const std::vector<double>& returns);

/// A track record against the luck of a number of trials (Bailey and Lopez de Prado 2012, 2014).
struct Deflation {
  double trials = 1;               ///< N, from the ledger
  double expected_max_sharpe = 0;  ///< of N worthless trials, per period
  double psr = 0;                  ///< P(true Sharpe > 0)
  double dsr = 0;                  ///< P(true Sharpe > expected_max_sharpe)
  /// Periods until psr would reach .95; absent if the ratio is not above 0.
  std::optional<double> min_track_record_periods;
  /// What is left of the annual ratio after a Bonferroni correction of its p-value
  /// for N tests, and the part that is gone (Harvey and Liu 2015; for the best of N, Holm is the
  /// same). 0 and 1 where nothing is left; absent below kHaircutPeriodsMin periods.
  std::optional<double> haircut_sharpe_ann, haircut_frac;
};
inline constexpr double kHaircutPeriodsMin = 120;
/// The spread of Sharpe ratios ACROSS variants, per period (divisor n - 1); 0 for fewer than two.
/// Only those of variants that moved belong here: the others are no trials of a maximum.
double ratio_variance(std::span<const double> ratios);
/// `ratio_variance` counts as at least that of worthless independent ratios, 1 / periods: N is of
/// all families, and a narrow one (ten clones, say) must not shrink what the others could show.
Deflation deflate(const stats::TrackRecord& record, double trials, double ratio_variance,
                  double periods_per_year);

/// The ratio, per period, that the best of `trials` worthless strategies is expected to show; with
/// the floor of deflate(). 0 for one trial.
double luck_sharpe(double trials, double ratio_variance, double periods);

/// Effective number of independent trials among `trials` whose returns correlate by
/// `mean_correlation` on average: r + (1 - r) N, with r cut to [0, 1]. At least 1 if N is.
double effective_trials(double trials, double mean_correlation);

}  // namespace winnow::sweeps
