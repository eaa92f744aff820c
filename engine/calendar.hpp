#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace winnow::engine {

/// The year of calendar time: what CAGR and turnover are per, whatever days a market trades on.
inline constexpr double kDaysPerYear = 365;
/// Of a market that never closes, and of results of engine version 1, which knew no other.
inline constexpr double kPeriodsPerYearOpen = 365;
/// Nothing is annualised over less calendar time than this: such a figure would be an extrapolation
/// of a few days to a year. It is NaN instead.
inline constexpr double kAnnualDaysMin = 30;

/// How many periods (UTC days that have bars, see period_starts) a market has a year.
struct Calendar {
  std::string name = "24/7";  ///< "24/7", "24/6", "business days", ...
  double periods_per_year = kPeriodsPerYearOpen;
  bool operator==(const Calendar&) const = default;
};

/// The calendar of a dataset, from its own days: a weekday belongs to the market if a quarter as
/// many of its days have bars as of the commonest weekday; so a halt of a year, or a holiday, moves
/// nothing. Seven weekdays: 365 periods a year; five: 252 (business days, holidays off); any other
/// number k: 365 k / 7 (FX with its Sunday evenings: 313). Bars longer than a day: 365 days / bar.
/// Under three weeks of data say nothing: 24/7.
/// Requires: ascending times of all bars there are, not of a window of them.
Calendar calendar_of(std::span<const std::int64_t> time_ns, std::int64_t interval_ns);
/// The same in words, of a number of periods alone.
std::string calendar_name(double periods_per_year);

}  // namespace winnow::engine
