#include "sweeps/family_evidence.hpp"

#include <algorithm>
#include <cmath>

#include "engine/calendar.hpp"
#include "sweeps/convergence/kernels.hpp"
#include "sweeps/risk/tail_risk.hpp"
#include "sweeps/stats/basic.hpp"
#include "sweeps/stats/bootstrap.hpp"
#include "sweeps/stats/haircut.hpp"
#include "sweeps/stats/pbo.hpp"

namespace winnow::sweeps {
namespace {

// Rows are summed in chunks of one size, and the chunks in order: the bits do not depend on
// threads.
constexpr std::size_t kTrialsRead = 4096;
constexpr double kConfidence = 0.95;
// Copies of one variant tie in every split, which no rank can tell from overfitting.
constexpr double kSameCorrelation = 1 - 1e-9;
constexpr std::size_t kTrackPeriodsMin = 5;

/// Sums over some variants.
struct RowSums {
  std::vector<double> standardised;  ///< [period], each variant with sd 1 (divisor n)
  double mean = 0;              ///< what each period's sum is above that of variants with mean 0
  std::vector<double> returns;  ///< [period]
  std::vector<std::uint32_t> rows;  ///< variants that count
};

template <class Real>
void add_row(const Real* row, std::size_t index, RowSums& all) {
  const std::size_t periods = all.returns.size();
  const auto n = static_cast<double>(periods);
  const double mean = sums(row, periods, 0).sum / n;
  const double squares = sums(row, periods, mean).square;
  const double sd = std::sqrt(squares / n);
  if (!std::isfinite(sd) || !(sd > 0)) return;
  add_scaled(row, 1.0, all.returns);
  add_scaled(row, 1 / sd, all.standardised);
  all.mean += mean / sd;
  all.rows.push_back(static_cast<std::uint32_t>(index));
}

RowSums sum_rows(const PanelView& panel, const ParallelFor& parallel) {
  const std::size_t chunks = (panel.variants() + kTrialsRead - 1) / kTrialsRead;
  std::vector<RowSums> parts(chunks);
  parallel(chunks, [&](std::size_t c) {
    parts[c].standardised.assign(panel.periods(), 0);
    parts[c].returns.assign(panel.periods(), 0);
    const std::size_t end = std::min(panel.variants(), (c + 1) * kTrialsRead);
    for (std::size_t row = c * kTrialsRead; row < end; ++row) {
      if (panel.is_double()) {
        add_row(panel.row<double>(row), row, parts[c]);
      } else {
        add_row(panel.row<float>(row), row, parts[c]);
      }
    }
    for (double& v : parts[c].standardised) v -= parts[c].mean;
  });
  RowSums all{.standardised = std::vector<double>(panel.periods()),
              .returns = std::vector<double>(panel.periods()),
              .rows = {}};
  for (const RowSums& part : parts) {
    for (std::size_t t = 0; t < panel.periods(); ++t) {
      all.standardised[t] += part.standardised[t];
      all.returns[t] += part.returns[t];
    }
    all.rows.insert(all.rows.end(), part.rows.begin(), part.rows.end());
  }
  return all;
}

// With z of mean 0 and sd 1: sum over t of (sum over i of z)^2 / T = N + N (N - 1) r.
double mean_correlation(const RowSums& sums) {
  const auto n = static_cast<double>(sums.rows.size());
  if (sums.rows.size() < 2) return sums.rows.size() == 1 ? 1 : 0;
  double squares = 0;
  for (const double s : sums.standardised) squares += s * s;
  squares /= static_cast<double>(sums.standardised.size());
  return std::clamp((squares - n) / (n * (n - 1)), -1.0, 1.0);
}

std::optional<stats::TrackRecord> record_of_row(const PanelView& panel,
                                                std::optional<std::size_t> row) {
  if (!row || *row >= panel.variants()) return std::nullopt;
  std::vector<double> returns(panel.periods());
  for (std::size_t t = 0; t < returns.size(); ++t) returns[t] = panel.at(*row, t);
  return track_record_of(returns);
}

void add_overfitting(const PanelView& panel, const RowSums& sums, const ParallelFor& parallel,
                     FamilyEvidence& out) {
  if (sums.rows.size() > 1 && out.mean_correlation > kSameCorrelation) {
    out.overfitting_reason = "the variants' returns do not differ";
    return;
  }
  // 12,870, 924 and 252 splits: seconds at each limit.
  const std::size_t blocks = sums.rows.size() <= 20'000    ? 16
                             : sums.rows.size() <= 200'000 ? 12
                                                           : 10;
  const auto result = stats::probability_of_overfitting(
      panel.subset(sums.rows), {.blocks = blocks, .dominance = false}, parallel);
  if (!result.ok()) {
    out.overfitting_reason = result.error().text();
  } else if (std::isnan(result->pbo)) {
    out.overfitting_reason = "no split ranks the variants";
  } else {
    out.overfitting = Overfitting{result->pbo, result->oos_loss_frac, blocks};
  }
}

}  // namespace

std::optional<stats::TrackRecord> track_record_of(const std::vector<double>& returns) {
  if (returns.size() < kTrackPeriodsMin) return std::nullopt;
  const stats::TrackRecord record = stats::track_record(returns);
  const bool whole =
      std::isfinite(record.sharpe) && std::isfinite(record.skew) && std::isfinite(record.kurtosis);
  return whole ? std::optional(record) : std::nullopt;
}

FamilyEvidence family_evidence(const PanelView& panel, std::optional<std::size_t> best,
                               std::optional<std::size_t> centre, const ParallelFor& parallel) {
  FamilyEvidence out;
  out.periods = panel.periods();
  if (panel.periods() < 2 || panel.variants() == 0) {
    out.overfitting_reason = "there are no period returns";
    out.best_of_many.reason = out.overfitting_reason;
    return out;
  }
  RowSums sums = sum_rows(panel, parallel);
  out.variants = sums.rows.size();
  out.mean_correlation = mean_correlation(sums);
  if (!sums.rows.empty()) {
    for (double& r : sums.returns) r /= static_cast<double>(sums.rows.size());
    out.portfolio = track_record_of(sums.returns);
  }
  if (out.portfolio)
    out.p_profit =
        risk::sharpe_posterior(sums.returns, 0, engine::kPeriodsPerYearOpen).p_above_zero;
  out.best = record_of_row(panel, best);
  out.centre = record_of_row(panel, centre);
  add_overfitting(panel, sums, parallel, out);
  const double block = out.portfolio ? stats::optimal_block_length(sums.returns).stationary : 1;
  out.best_of_many =
      best_of_many(panel, sums.rows, stats::usable_block(block, panel.periods()), parallel);
  return out;
}

namespace {

// Months of 1/12 of a year's periods, as the haircut's authors count.
void add_haircut(const stats::TrackRecord& record, double periods_per_year, Deflation& out) {
  if (!(record.periods >= kHaircutPeriodsMin)) return;
  out.haircut_sharpe_ann = 0;
  out.haircut_frac = 1;
  if (!(record.sharpe > 0)) return;
  const stats::HaircutSingle single =
      stats::haircut_single({.frequency = stats::Frequency::Monthly,
                             .observations = record.periods / periods_per_year * 12,
                             .sharpe = record.sharpe * std::sqrt(periods_per_year)});
  const double p = single.p * out.trials;
  if (!(p < 1)) return;
  const stats::HaircutResult left = stats::haircut_from_p(single, p);
  // Not finite: p is below what a double holds, and nothing is taken.
  out.haircut_sharpe_ann = std::isfinite(left.sharpe_ann)
                               ? std::clamp(left.sharpe_ann, 0.0, single.sharpe_ann)
                               : single.sharpe_ann;
  out.haircut_frac = 1 - *out.haircut_sharpe_ann / single.sharpe_ann;
}

}  // namespace

Deflation deflate(const stats::TrackRecord& record, double trials, double ratio_variance,
                  double periods_per_year) {
  Deflation out;
  out.trials = std::max(1.0, trials);
  out.expected_max_sharpe = luck_sharpe(trials, ratio_variance, record.periods);
  out.psr = stats::probabilistic_sharpe(record, 0);
  out.dsr = stats::probabilistic_sharpe(record, out.expected_max_sharpe);
  const double needed = stats::min_track_record(record, 0, kConfidence);
  if (std::isfinite(needed)) out.min_track_record_periods = needed;
  if (!std::isfinite(out.psr)) out.psr = 0;
  if (!std::isfinite(out.dsr)) out.dsr = 0;
  add_haircut(record, periods_per_year, out);
  return out;
}

double ratio_variance(std::span<const double> ratios) {
  return ratios.size() > 1 ? stats::variance(ratios) : 0.0;
}

double luck_sharpe(double trials, double ratio_variance, double periods) {
  const double variance = std::max(ratio_variance, 1 / std::max(1.0, periods));
  return stats::expected_max_sharpe(std::max(1.0, trials), 0, variance);
}

double effective_trials(double trials, double mean_correlation) {
  const double r = std::clamp(mean_correlation, 0.0, 1.0);
  return trials < 1 ? trials : stats::effective_trials_mean_correlation(r, trials);
}

}  // namespace winnow::sweeps
