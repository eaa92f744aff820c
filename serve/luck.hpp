#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "serve/sweep_view.hpp"
#include "sweeps/stats/sharpe.hpp"

namespace winnow::serve {

// One definition for every answer: `top`, `explain`, `compare`, `converge` and the report show the
// same deflated ratio of a variant, because all take its track record and the spread of ratios from
// the stored metrics by these functions, and N from the ledger.

/// Ratios that no trial stores, because the ledger goes on counting: a leaderboard has them as
/// further metrics.
inline constexpr std::array<const char*, 2> kLuckMetrics = {"psr", "dsr"};

/// The stored metrics that a track record is made of, by index.
struct RecordColumns {
  static constexpr std::array<const char*, 4> kNames = {"sharpe_ann", "skew", "kurtosis",
                                                        "vol_ann"};
  std::array<std::uint32_t, kNames.size()> index = {};
};
/// Nothing for a sweep that lacks one of them.
std::optional<RecordColumns> record_columns(const SweepView& view);

/// A trial's values of RecordColumns::kNames, in that order.
using Moments = std::array<double, RecordColumns::kNames.size()>;
Moments moments_of(const RecordColumns& columns, std::span<const double> metrics);

/// What a trial's moments say of it, per period. Nothing if it failed, never moved (there is no
/// spread of its returns), or did not see the whole window: what is of another time is compared
/// with nothing.
std::optional<sweeps::stats::TrackRecord> track_record_of(const SweepView& view,
                                                          std::uint64_t trial,
                                                          const Moments& moments);

/// Variance of Sharpe ratios, per period, across the variants that a segment is judged by (those
/// that a search drew to itself lie closer than luck does) and that have a track record: those that
/// never moved are no trials of a maximum. 0 for fewer than two. `moments`: of each of `trial`,
/// which ascend.
double ratio_variance(
    const SweepView& view, const sweeps::Segment& segment, std::span<const std::uint64_t> trial,
    const std::array<std::span<const double>, RecordColumns::kNames.size()>& moments);
/// The same, read from the store. Fails: Corrupt, Io, InvalidInput (no such metrics).
Result<double> stored_ratio_variance(const Sources& sources, const SweepView& view,
                                     const sweeps::Segment& segment);

/// Purpose: probabilistic and deflated Sharpe ratios of a sweep's trials from their metrics, N and
/// the spread of ratios being what the ledger and the sweep say now. Thread: const, any.
class Luck {
 public:
  /// `ratio_variance`: by segment, of the sweep's committed trials. Fails: Corrupt, Io.
  static Result<Luck> make(const Sources& sources, const SweepView& view,
                           std::span<const double> ratio_variance);

  /// In the order of kLuckMetrics; NaN without a track record.
  std::array<double, 2> of(std::uint64_t trial, const Moments& moments) const;

 private:
  explicit Luck(const SweepView& view) : view_(&view) {}
  const SweepView* view_;
  std::vector<double> best_of_all_;  // by segment: what luck shows, per period
};

}  // namespace winnow::serve
