#pragma once

#include <span>
#include <vector>

#include "engine/lanes/job.hpp"

namespace winnow::engine {

/// What a variant's metrics are made of besides its tallies.
struct MetricInput {
  double initial_cash = 0;
  double bars = 0;       ///< of the window
  double taker_fee = 0;  ///< fractions
  double maker_fee = 0;
};

MetricInput metric_input(const lanes::Job& job);

/// Purpose: turns one variant's period equity and tallies into its metrics row. Reused for many
/// variants to keep its scratch space. Thread: one.
///
/// Ratios: a denominator of zero gives NaN ("not measurable"), except that nothing over nothing is
/// 0 (a variant that never trades has Sharpe 0). All else is finite.
class MetricRow {
 public:
  explicit MetricRow(const MetricInput& input) : input_(input) {}

  /// Of the rows that follow: the greatest drawdown so far at the end of each period, of whoever
  /// saw more than the periods' ends; empty: the equity alone says it. Must outlive the calls.
  void see_drawdown(std::span<const double> drawdown) { drawdown_ = drawdown; }

  /// `equity`: at the end of each period, never negative. `tallies`: lanes::kTallies values. Writes
  /// metric_decls().size() values to `out` and, unless empty, the period returns to `returns`.
  void compute(std::span<const double> equity, std::span<const double> tallies,
               std::span<double> out, std::span<float> returns);

  /// The metrics of metric_from_equity() after the first periods.size() of the last compute()d
  /// equity, with the bits that compute() gives for that equity alone; all of `out` if there are
  /// none: NaN. Requires: `equity` is a prefix of what compute() saw.
  void compute_prefix(std::span<const double> equity, std::span<double> out);

 private:
  void curve_metrics(std::span<const double> equity, std::span<double> out);
  static void return_metrics(std::span<const double> returns, std::span<double> out);
  void tail_metrics(std::span<const double> returns, std::span<double> out);
  bool sort_ends(std::span<const double> returns, std::size_t ends);
  void trade_metrics(std::span<const double> equity, std::span<const double> tallies,
                     std::span<double> out) const;

  MetricInput input_;
  std::span<const double> drawdown_;
  std::vector<double> r_;
  std::vector<double> sorted_;
  std::vector<double> far_;
};

}  // namespace winnow::engine
