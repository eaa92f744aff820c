#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace winnow::sweeps::risk {

/// Purpose: what one variant did, day by day (or trade by trade), with its way through each day as
/// far as that is known: what resampling and policies need. All values are multiples of the equity
/// at the day's start, so that days can be put in any order.
/// Invariants: first.size() == days() + 1; level.size() == exit_cost.size() == first.back(); every
/// day has at least one bar; growth[d] is the last level of day d; all finite, growth >= 0.
/// Thread: const, any.
struct DayBars {
  std::vector<double> growth;  ///< 1 + return of the day
  std::vector<double> low;     ///< lowest level of the day
  std::vector<double> high;    ///< highest level, the day's start (1) included
  std::vector<double> fall;  ///< largest fall from a level (or the start) inside the day, fraction
  std::vector<std::size_t> first;   ///< bars of day d are [first[d], first[d + 1])
  std::vector<double> level;        ///< equity at the bar's close
  std::vector<double> exit_cost;    ///< share of that equity which flattening there would cost
  std::vector<std::int32_t> month;  ///< a number that changes where a calendar month begins

  std::size_t days() const { return growth.size(); }
};

/// Days of which only the ends are known. Returns are fractions; below -1 counts as -1, a number
/// that is not finite as 0. `month` as in DayBars, or empty: a month is kMonthDays long.
DayBars days_from_returns(std::span<const double> returns,
                          std::span<const std::int32_t> month = {});
inline constexpr std::size_t kMonthDays = 30;

/// The equity of a backtest at each bar's close.
struct BarEquity {
  std::span<const double> equity;        ///< quote currency
  std::span<const double> exit_cost;     ///< one a bar, as DayBars::exit_cost
  std::span<const std::size_t> day_end;  ///< bars before the end of each day, ascending
  std::span<const std::int32_t> month;   ///< one a day
  double initial = 0;                    ///< equity before the first bar
};
/// Requires: sizes as said, every day has a bar, initial > 0. After a ruin nothing moves.
DayBars days_from_bars(const BarEquity& bars);

}  // namespace winnow::sweeps::risk
