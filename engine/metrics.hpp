#pragma once

#include <span>
#include <vector>

#include "base/market.hpp"
#include "engine/calendar.hpp"
#include "engine/lanes/job.hpp"

namespace winnow::engine {

/// What a variant's metrics are made of besides its tallies.
struct MetricInput {
  double initial_cash = 0;
  double bars = 0;       ///< of the window
  double taker_fee = 0;  ///< fractions
  double maker_fee = 0;
  double periods_per_year = kPeriodsPerYearOpen;
  /// Calendar time from the window's first open to the last close of each period.
  std::vector<double> elapsed_days;
  /// What holding the market earned in each period: from the window's first open on, close to
  /// close.
  std::vector<double> market_returns;
};

/// Requires: `market` is the whole of what the job's bars are of.
MetricInput metric_input(const lanes::Job& job, const MarketView& market);

/// Purpose: turns one variant's period equity and tallies into its metrics row. Reused for many
/// variants to keep its scratch space. Thread: one.
///
/// Ratios: a denominator of zero gives NaN ("not measurable"), except that nothing over nothing is
/// 0 (a variant that never trades has Sharpe 0). Annual figures over less than kAnnualDaysMin are
/// NaN. All else is finite.
class MetricRow {
 public:
  explicit MetricRow(MetricInput input);

  /// Of the rows that follow: the greatest drawdown so far at the end of each period, of whoever
  /// saw more than the periods' ends; empty: the equity alone says it. Must outlive the calls.
  void see_drawdown(std::span<const double> drawdown) { drawdown_ = drawdown; }

  /// Of the rows that follow: the mean position of each period. Must outlive the calls.
  void see_exposure(std::span<const double> exposure) { exposure_ = exposure; }

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
  void return_metrics(std::span<const double> returns, std::span<double> out);
  void market_metrics(std::span<const double> returns, std::span<double> out) const;
  void tail_metrics(std::span<const double> returns, std::span<double> out);
  bool sort_ends(std::span<const double> returns, std::size_t ends);
  void trade_metrics(std::span<const double> equity, std::span<const double> tallies,
                     std::span<double> out) const;
  /// Of the first `periods` periods.
  double years(std::size_t periods) const;
  void drop_annual(std::size_t periods, std::span<double> out) const;

  MetricInput input_;
  std::span<const double> drawdown_;
  std::span<const double> exposure_;
  std::vector<double> market_;  ///< returns of holding, less their mean
  double market_mean_ = 0;
  double market_growth_ = 1;
  double market_squares_ = 0;  ///< of market_
  double return_mean_ = 0;     ///< of what return_metrics() saw last
  double return_squares_ = 0;  ///< about their mean; 0 where they do not vary
  std::vector<double> r_;
  std::vector<double> sorted_;
  std::vector<double> far_;
};

}  // namespace winnow::engine
