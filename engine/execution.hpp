#pragma once

#include <cstdint>
#include <string>
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

enum class Sizing {
  AllIn,     ///< the largest quantity whose cost with fees the cash pays
  FixedQty,  ///< `fixed_qty`, whatever the cash
};

/// Purpose: what trading costs and what a venue accepts; the same in backtest, shadow, paper and
/// live. Every cost can be switched off by its zero.
///
/// Bar semantics. A decision is taken at a bar's close and fills at the next bar's open. A stop or
/// a target inside a position is watched from the entry bar on; in one bar the stop comes first. A
/// stop fills at min(open, stop) of a long (max for a short) as a taker; a target fills at
/// max(open, target) of a long (min for a short) as a resting maker order: no spread, no impact.
struct ExecutionModel {
  std::string name = "none";
  double taker_fee_bps = 0;           ///< of notional
  double maker_fee_bps = 0;           ///< of notional; negative is a rebate
  double half_spread_bps = 0;         ///< a taker pays price * (1 +- this)
  double half_spread_range_frac = 0;  ///< volatility part: this times (high-low)/close of the bar
                                      ///< at whose close the order was decided (for stops: the bar
                                      ///< before) is added to the half-spread
  double impact_bps = 0;              ///< square-root slippage: impact_bps * sqrt(qty / bar volume)
  double participation_max_frac =
      0;  ///< an entry takes at most this share of the fill bar's volume
  bool funding = false;
  Sizing sizing = Sizing::AllIn;
  double fixed_qty = 0;
  double initial_cash = 100'000;
  std::vector<InstrumentRules> rules;  ///< by from_ns; empty: no rounding

  /// Every field that can change a result. Part of TrialKey.
  Hash128 key() const;
};

/// Ensures: every number is finite and inside what the model means: fees below 100%, only a maker
/// rebate is negative, cash above 0, a fixed quantity where sizing asks for one, rules by strictly
/// rising time. Fails: InvalidInput naming field, value and range.
Status check_execution(const ExecutionModel& execution);

}  // namespace winnow::engine
