#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "serve/sweep_view.hpp"

namespace winnow::serve {

/// Ratios that no trial stores, because the ledger goes on counting: a leaderboard has them as
/// further metrics.
inline constexpr std::array<const char*, 2> kLuckMetrics = {"psr", "dsr"};

/// Purpose: probabilistic and deflated Sharpe ratios of a sweep's trials from their metrics (daily
/// Sharpe, skew, kurtosis), N and the spread of ratios being what the ledger and the sweep say now.
/// Thread: const, any.
class Luck {
 public:
  /// `ratio_variance`: by segment, of the sweep's committed trials. Fails: Corrupt, Io.
  static Result<Luck> make(const Sources& sources, const SweepView& view,
                           std::span<const double> ratio_variance);

  /// In the order of kLuckMetrics; NaN where the Sharpe ratio is not measurable.
  std::array<double, 2> of(std::uint64_t trial, double sharpe_ann, double skew,
                           double kurtosis) const;

 private:
  explicit Luck(const SweepView& view) : view_(&view) {}
  const SweepView* view_;
  std::vector<double> best_of_all_;  // by segment: what luck shows, per period
};

/// Variance of Sharpe ratios, per period, across the variants that a segment is judged by (those
/// that a search drew to itself lie closer than luck does); 0 for fewer than two.
double ratio_variance(const sweeps::Plan& plan, const sweeps::Segment& segment,
                      std::span<const std::uint64_t> trial, std::span<const double> sharpe_ann);

}  // namespace winnow::serve
