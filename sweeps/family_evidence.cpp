#include "sweeps/family_evidence.hpp"

#include <algorithm>
#include <cmath>

#include "sweeps/risk/tail_risk.hpp"
#include "sweeps/stats/basic.hpp"
#include "sweeps/stats/pbo.hpp"

namespace winnow::sweeps {
namespace {

// Rows are summed in chunks of one size, and the chunks in order: the bits do not depend on
// threads.
constexpr std::size_t kChunk = 4096;
constexpr double kConfidence = 0.95;
constexpr std::size_t kTrackPeriodsMin = 5;

/// Sums over some variants.
struct Sums {
  std::vector<double> standardised;  ///< [period], each variant with mean 0 and sd 1 (divisor n)
  std::vector<double> returns;       ///< [period]
  std::vector<std::uint32_t> rows;   ///< variants that count
  std::vector<double> sharpe;        ///< of them
};

void add_row(const PanelView& panel, std::size_t row, Sums& sums) {
  const std::size_t n = panel.periods();
  double mean = 0;
  for (std::size_t t = 0; t < n; ++t) mean += panel.at(row, t);
  mean /= static_cast<double>(n);
  double squares = 0;
  for (std::size_t t = 0; t < n; ++t) {
    const double d = panel.at(row, t) - mean;
    squares += d * d;
  }
  const double sd = std::sqrt(squares / static_cast<double>(n));
  if (!std::isfinite(sd) || !(sd > 0)) return;
  for (std::size_t t = 0; t < n; ++t) {
    sums.returns[t] += panel.at(row, t);
    sums.standardised[t] += (panel.at(row, t) - mean) / sd;
  }
  sums.rows.push_back(static_cast<std::uint32_t>(row));
  sums.sharpe.push_back(mean / std::sqrt(squares / static_cast<double>(n - 1)));
}

Sums sum_rows(const PanelView& panel, const ParallelFor& parallel) {
  const std::size_t chunks = (panel.variants() + kChunk - 1) / kChunk;
  std::vector<Sums> parts(chunks);
  parallel(chunks, [&](std::size_t c) {
    parts[c].standardised.assign(panel.periods(), 0);
    parts[c].returns.assign(panel.periods(), 0);
    const std::size_t end = std::min(panel.variants(), (c + 1) * kChunk);
    for (std::size_t row = c * kChunk; row < end; ++row) add_row(panel, row, parts[c]);
  });
  Sums all{.standardised = std::vector<double>(panel.periods()),
           .returns = std::vector<double>(panel.periods()),
           .rows = {},
           .sharpe = {}};
  for (const Sums& part : parts) {
    for (std::size_t t = 0; t < panel.periods(); ++t) {
      all.standardised[t] += part.standardised[t];
      all.returns[t] += part.returns[t];
    }
    all.rows.insert(all.rows.end(), part.rows.begin(), part.rows.end());
    all.sharpe.insert(all.sharpe.end(), part.sharpe.begin(), part.sharpe.end());
  }
  return all;
}

// With z of mean 0 and sd 1: sum over t of (sum over i of z)^2 / T = N + N (N - 1) r.
double mean_correlation(const Sums& sums) {
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

void add_overfitting(const PanelView& panel, const Sums& sums, const ParallelFor& parallel,
                     FamilyEvidence& out) {
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
    return out;
  }
  Sums sums = sum_rows(panel, parallel);
  out.variants = sums.rows.size();
  out.mean_correlation = mean_correlation(sums);
  if (sums.sharpe.size() > 1) out.ratio_variance = stats::variance(sums.sharpe);
  if (!sums.rows.empty()) {
    for (double& r : sums.returns) r /= static_cast<double>(sums.rows.size());
    out.portfolio = track_record_of(sums.returns);
  }
  if (out.portfolio) out.p_profit = risk::sharpe_posterior(sums.returns, 0).p_above_zero;
  out.best = record_of_row(panel, best);
  out.centre = record_of_row(panel, centre);
  add_overfitting(panel, sums, parallel, out);
  return out;
}

Deflation deflate(const stats::TrackRecord& record, double trials, double ratio_variance) {
  Deflation out;
  out.trials = std::max(1.0, trials);
  const double variance = std::max(ratio_variance, 1 / std::max(1.0, record.periods));
  if (out.trials > 1) out.expected_max_sharpe = stats::expected_max_sharpe(out.trials, 0, variance);
  out.psr = stats::probabilistic_sharpe(record, 0);
  out.dsr = stats::deflated_sharpe(record, out.trials, variance);
  const double needed = stats::min_track_record(record, 0, kConfidence);
  if (std::isfinite(needed)) out.min_track_record_periods = needed;
  if (!std::isfinite(out.psr)) out.psr = 0;
  if (!std::isfinite(out.dsr)) out.dsr = 0;
  return out;
}

double effective_trials(double trials, double mean_correlation) {
  const double r = std::clamp(mean_correlation, 0.0, 1.0);
  return trials < 1 ? trials : stats::effective_trials_mean_correlation(r, trials);
}

}  // namespace winnow::sweeps
