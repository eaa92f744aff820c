#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "sweeps/risk/day_bars.hpp"

namespace winnow::sweeps::risk {

/// From where a loss is counted.
enum class LossFrom : std::uint8_t { DayStart, MonthStart, Peak };
/// How long the strategy then stays flat.
enum class FlatUntil : std::uint8_t { NextDay, NextMonth, Never };

/// One rule: once equity at a bar's close is `loss_frac` or more below its reference, the position
/// is closed at that close (for DayBars::exit_cost) and nothing is traded until `until`.
struct Rule {
  LossFrom from = LossFrom::DayStart;
  double loss_frac = 0;  ///< in (0, 1)
  FlatUntil until = FlatUntil::NextDay;
};

/// Purpose: rules that hold at the same time. No rules: the strategy as it is.
struct Policy {
  std::string name = "none";
  std::vector<Rule> rules;
};

/// Reads `none` or rules joined by `+`: `day_stop=0.03+drawdown_kill=0.15`. Rules: day_stop (flat
/// until the next day), month_stop (until the next month), month_kill and drawdown_kill (for good).
/// Fails: InvalidInput naming the rule, its value and what is allowed.
Result<Policy> parse_policy(std::string_view text);

/// none, day_stop 1% and 3%, drawdown_kill 5% and 15%, month_kill 5%.
std::vector<Policy> default_policies();

/// Purpose: one strategy's equity under a policy, a day at a time. What the strategy would have
/// earned while it is flat is foregone; afterwards it earns its own next day again, as if its
/// position had gone on without money. Equity starts at 1. Thread: one.
class PolicyWalk {
 public:
  PolicyWalk(const DayBars& days, const Policy& policy) : days_(days), policy_(policy) {}

  enum class Month : std::uint8_t { Same, New };
  /// Lives through source day `day`; `month` says whether a month begins with it. Returns the
  /// growth of the day.
  double step(std::size_t day, Month month);

  double equity() const { return equity_; }
  double lowest() const { return lowest_; }      ///< equity at any bar's close so far
  double drawdown() const { return drawdown_; }  ///< largest, at bars' closes; fraction
  std::uint32_t underwater() const {
    return longest_;
  }  ///< most days in a row below a day-end peak
  std::uint32_t triggers() const { return triggers_; }
  std::uint32_t days_out() const { return days_out_; }  ///< whole days without a position

 private:
  enum class Out : std::uint8_t { No, Day, Month, Forever };
  bool may_trigger(std::size_t day) const;
  double walk_bars(std::size_t day);
  void note(double level);
  void end_day();

  const DayBars& days_;
  const Policy& policy_;
  double equity_ = 1;
  double day_start_ = 1;
  double month_start_ = 1;
  double peak_ = 1;      // at bars' closes
  double end_peak_ = 1;  // at days' ends
  double lowest_ = 1;
  double drawdown_ = 0;
  std::uint32_t underwater_ = 0;
  std::uint32_t longest_ = 0;
  std::uint32_t triggers_ = 0;
  std::uint32_t days_out_ = 0;
  Out out_ = Out::No;
};

/// What a policy would have made of the days as they came.
struct PolicyHistory {
  std::vector<double> returns;  ///< one a day
  double total_return_frac = 0;
  double sharpe_ann = 0;  ///< mean / sd (n - 1), a year; NaN if the days do not vary
  double drawdown_frac = 0;
  std::uint32_t triggers = 0;
  std::uint32_t days_out = 0;
};
PolicyHistory apply_policy(const DayBars& days, const Policy& policy, double periods_per_year);

}  // namespace winnow::sweeps::risk
