#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.hpp"
#include "base/result.hpp"

namespace winnow::engine {

/// How an instrument's orders are rounded, from a time on. A zero switches that rule off.
struct InstrumentRules {
  std::int64_t from_ns = 0;
  double tick_px = 0;       ///< fills are rounded against the trader to a multiple of it
  double lot_qty = 0;       ///< quantities are rounded down to a multiple of it
  double qty_min = 0;       ///< an entry below it is not sent
  double notional_min = 0;  ///< an entry with quantity * price below it is not sent
};

/// How large a position is to be; formulas in docs/SIZING.md.
enum class Sizing {
  AllIn,             ///< the largest quantity whose cost with fees the cash pays
  FixedQty,          ///< `fixed_qty`, whatever the cash
  Exposure,          ///< notional is `exposure_frac` of equity
  VolatilityTarget,  ///< notional over equity is the target over the market's own volatility
  Kelly,             ///< a share of what the variant's closed trades make the Kelly fraction
};
/// As profiles say them, in the order of the enum.
std::span<const std::string_view> sizing_names();
std::string_view sizing_name(Sizing sizing);
std::optional<Sizing> find_sizing(std::string_view name);

/// Purpose: what trading costs, what a venue accepts and what the account may do; the same in
/// backtest, shadow, paper and live. Every cost and every rule can be switched off; a model that
/// was only constructed has all of them off. Definitions and formulas: docs/EXECUTION.md.
///
/// Bar semantics. A decision is taken at a bar's close and fills at the next bar's open. A stop or
/// a target inside a position is watched from the entry bar on; in one bar the stop comes first. A
/// stop becomes a market order at min(open, stop) of a long (max for a short); a target is a
/// resting maker order.
struct ExecutionModel {
  std::string name = "none";
  double taker_fee_bps = 0;           ///< of notional
  double maker_fee_bps = 0;           ///< of notional; negative is a rebate
  double half_spread_bps = 0;         ///< a taker pays price * (1 +- this)
  double half_spread_range_frac = 0;  ///< volatility part: this times (high-low)/close of the bar
                                      ///< at whose close the order was decided (for stops: the bar
                                      ///< before) is added to the half-spread
  double impact_bps = 0;              ///< square-root slippage: impact_bps * sqrt(qty / volume) of
                                      ///< the fill's bar, as expected where `expected_volume` is
  /// Slippage impact_y * sigma_day * sqrt(qty / volume_day), over the last 20 complete UTC days.
  /// Not beside impact_bps.
  double impact_y = 0;
  double participation_max_frac = 0;  ///< a fill takes at most this share of its bar's volume
  /// Exits obey the cap and lots, and nothing fills in a bar without volume: what is left of an
  /// exit is worked bar by bar. Off: exits are whole, and only entries are capped.
  bool work_exits = false;
  /// Sizes and costs use the volume expected at the close; what trades may only cut a fill. Off:
  /// they use the volume of the bar that fills them.
  bool expected_volume = false;
  /// Targets fill at their limit exactly, once the price went beyond it, up to their share of the
  /// volume there. Off: in full at a touch, at the open if that is better.
  bool resting_targets = false;
  double target_penetration_ticks = 0;  ///< how far beyond; without ticks: at all
  double stop_range_frac = 0;           ///< a stop fills this share of the bar's range worse
  /// Equity that the position's maintenance margin eats is closed at the price at which it does.
  /// Off: equity is looked at once a UTC day.
  bool liquidation = false;
  double maintenance_margin_frac = 0;  ///< of notional
  double liquidation_fee_bps = 0;      ///< of notional, on top of the taker fee
  bool drawdown_bars = false;          ///< drawdown at every bar's close; off: at UTC days' ends
  bool shorts = true;                  ///< off: entries on the short side are refused
  double leverage_max = 0;             ///< an entry's notional over the cash; 0: any
  double borrow_ann_frac = 0;          ///< a year, on shorts held at a UTC day's end
  bool funding = false;
  Sizing sizing = Sizing::AllIn;
  double fixed_qty = 0;
  double exposure_frac = 0;      ///< of equity; of what is estimated: until enough is known
  double exposure_min_frac = 0;  ///< least and most that an estimate or a scale makes of
  double exposure_max_frac = 0;  ///< it; a most of 0: any
  double volatility_target_ann_frac = 0;  ///< standard deviation of a year's return
  double volatility_decay = 0;            ///< weight of yesterday's variance in today's
  double days_a_year = 0;                 ///< that the target counts
  double kelly_frac = 0;                  ///< share of the Kelly fraction
  double kelly_trades_min = 0;            ///< closed ones, before which exposure_frac holds
  double kelly_wealth_min_frac = 0;       ///< risk-constrained: P(wealth ever below this share...
  double kelly_wealth_min_prob = 0;       ///< ...of the start) is at most about this; 0 and 0: off
  bool rebalance = false;                 ///< a position is brought back to its exposure...
  double rebalance_band_frac = 0;         ///< ...when off by more than this share of it at a close
  double drawdown_scale_frac = 0;         ///< exposure falls to nothing at this drawdown; 0: off
  double performance_scale = 0;           ///< times (1 + this * t-ratio of the last trades); 0: off
  double performance_mean_frac = 0;       ///< mean of a trade that the t-ratio is taken against
  double initial_cash = 100'000;
  std::vector<InstrumentRules> rules;  ///< by from_ns; empty: no rounding
  /// What impact_bps was in this profile under engine version 1; negative: what it is.
  double version_1_impact_bps = -1;

  /// Every field that can change a result. Part of TrialKey.
  Hash128 key() const;
  /// What the ledger calls this model: the key that engine version 1 gave for the same profile, so
  /// that a trial made again is no other. Rules that version 1 had not count only where a profile
  /// chooses a value of its own (neither off nor the default) and states no version 1.
  Hash128 ledger_key() const;
  /// Whether any rule is on that the plain executor has not.
  bool has_rules() const;
};

/// A rule of the full executor: its key in a profile, what it is switched off by, and what a
/// profile gets that does not name it. One of number and flag is set.
struct ExecutionRule {
  std::string_view name;
  double ExecutionModel::*number = nullptr;
  bool ExecutionModel::*flag = nullptr;
  double off = 0;  ///< of a flag: 0 or 1
  double otherwise = 0;
  double max = 0;      ///< of a number; the least is 0
  bool sizes = false;  ///< of sizing: came after version 2 of the engine, and changed no key of it

  double value(const ExecutionModel& m) const {
    return number != nullptr ? m.*number : m.*flag ? 1.0 : 0.0;
  }
  void set(ExecutionModel& m, double v) const {
    if (number != nullptr) {
      m.*number = v;
    } else {
      m.*flag = v != 0;
    }
  }
};
std::span<const ExecutionRule> execution_rules();

/// Whether a rule of sizing says anything under `sizing`.
bool says_something(const ExecutionRule& rule, Sizing sizing);
/// Makes `sizing` the model's, with what it means where nothing more is said: a band of a tenth, a
/// decay of .94, half of the Kelly fraction after 30 trades, at most all of the equity.
void choose_sizing(ExecutionModel& model, Sizing sizing);

/// Above it a variance would look back on more than ten years.
inline constexpr double kVolatilityDecayMax = 0.99;

/// Ensures: every number is finite and inside what the model means: fees below 100%, only a maker
/// rebate is negative, cash above 0, what a sizing needs is there and within leverage_max, rules by
/// strictly rising time. Fails: InvalidInput naming field, value and range.
Status check_execution(const ExecutionModel& execution);

}  // namespace winnow::engine
