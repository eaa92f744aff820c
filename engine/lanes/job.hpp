#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/indicators/spec.hpp"

// What crosses from the engine into the lane kernels, which are built apart for each instruction
// set.

namespace winnow::engine::lanes {

/// Counts and sums that a variant collects at its fills; everything else comes from period equity.
enum Tally : int {
  kTrades,             ///< closed ones
  kWins,               ///< of these, pnl > 0
  kLongs,              ///< of these, long
  kGrossProfit,        ///< sum of the positive pnl, quote currency
  kGrossLoss,          ///< sum of the negative pnl, as a positive number
  kHoldBars,           ///< bars in a position, an open one included
  kTradeHoldBars,      ///< bars from fill to fill, closed trades
  kEntryNotional,      ///< all entries
  kTradeNotional,      ///< entries of closed trades
  kTakerExitNotional,  ///< exits that pay the taker fee
  kMakerExitNotional,
  kSlippage,      ///< paid to spread, impact and rounding, quote currency
  kFundingPaid,   ///< negative: received
  kWorstTrade,    ///< smallest pnl / equity before entry, at most 0
  kRejected,      ///< entries that the venue's rules or a dry bar refused
  kOpenQty,       ///< signed, after the last bar
  kRuined,        ///< 1 if equity was used up
  kLiquidations,  ///< positions that the venue took over
  kForgiven,      ///< what was owed beyond the cash at ruin, quote currency
  kMostExposure,  ///< largest |notional| / equity after an entry or at a period's close
  kTallies
};

/// A multiple of a step is num * n / den: 0.01 becomes n / 100, which is the nearest double to the
/// decimal. num == 0: no rounding.
struct Step {
  double num = 0;
  double den = 1;
};

/// Rounding in force from a bar on.
struct RuleStep {
  std::size_t from_bar = 0;
  Step tick;
  Step lot;
  double qty_min = 0;
  double notional_min = 0;
};

/// Funding of one bar, all its events added.
struct FundingStep {
  std::size_t bar = 0;
  double rate_frac = 0;
};

/// The rules that only the full executor knows; see ExecutionModel. All off: the plain one runs.
struct Rules {
  bool on = false;  ///< any
  bool work_exits = false;
  bool expected_volume = false;
  bool resting_targets = false;
  bool liquidation = false;
  bool drawdown_bars = false;
  bool watches_closes = false;  ///< a close alone may make a lane act
  bool shorts = true;
  double penetration_ticks = 0;
  double stop_range = 0;
  double maintenance = 0;
  double liquidation_fee = 0;
  double leverage_max = 0;
  double borrow_ann = 0;  ///< share of a short's notional charged in a year of 365 days
};

/// How positions are sized; see ExecutionModel and docs/SIZING.md. All off: all in, or fixed_qty.
struct Sizes {
  enum class By : std::uint8_t {
    Constant,  ///< `exposure` (1: all in)
    Day,       ///< Job::exposure, by bar
    Trades,    ///< the variant's own closed ones
  };
  By by = By::Constant;
  double exposure = 1;  ///< of equity; of Trades: before `trades_min`
  double least = 0;
  double most = 0;          ///< 0: any
  double kelly_factor = 0;  ///< times mean over mean square of a trade
  double trades_min = 0;
  bool rebalance = false;
  double band = 0;      ///< share of the wanted exposure
  double drawdown = 0;  ///< 0: not scaled
  double performance = 0;
  double performance_mean = 0;
};

/// What is charged of a short's notional from one day's end to another's, `days` later.
inline double borrow_share(const Rules& rules, std::int64_t days) {
  return rules.borrow_ann * static_cast<double>(days) / 365.0;
}

/// The execution model as fractions.
struct Costs {
  double taker_fee = 0;
  double maker_fee = 0;
  double half_spread = 0;
  double range_share = 0;
  double impact = 0;
  double participation = 0;
  double fixed_qty = 0;  ///< 0: all in
  double initial_cash = 0;
};

/// Variants of one family on one window. A slot is a place in a lane group: slots [k*lanes,
/// (k+1)*lanes) run together; a padded slot repeats its neighbour.
struct Job {
  const double* open = nullptr;
  const double* high = nullptr;
  const double* low = nullptr;
  const double* close = nullptr;
  const double* volume = nullptr;
  Bars market;            ///< the same bars, for indicators
  std::size_t first = 0;  ///< window [first, last)
  std::size_t last = 0;

  const std::size_t* period_last = nullptr;  ///< last bar of each period
  std::size_t periods = 0;                   ///< and rows of the outputs by period
  const FundingStep* funding = nullptr;      ///< inside the window, by bar
  std::size_t fundings = 0;
  const RuleStep* rules = nullptr;  ///< by from_bar
  std::size_t rule_count = 0;
  Costs costs;
  Rules full;
  // For the full executor, by bar of the window: what a decision at the close before may know of
  // the volume, and slippage / sqrt(quantity).
  const double* expected_volume = nullptr;
  const double* impact_scale = nullptr;

  const double* params = nullptr;  ///< [parameter][slot]
  std::size_t slots = 0;
  const ColumnSpec* specs = nullptr;
  std::size_t spec_count = 0;
  const std::uint32_t* columns = nullptr;  ///< [column][slot], index into specs

  double* period_equity = nullptr;    ///< out, [period][slot]
  double* period_exposure = nullptr;  ///< out, [period][slot]: see Group::exposure
  double* tallies = nullptr;          ///< out, [tally][slot]
  double* period_drawdown = nullptr;  ///< out, [period][slot]: greatest at a close so far; or null

  /// Asked before each tile with `stop_with`; yes ends the run, and what was written is of no use.
  bool (*stop)(void* with) = nullptr;
  void* stop_with = nullptr;

  Sizes sizes;                       ///< for the full executor
  const double* exposure = nullptr;  ///< of Sizes::By::Day: wanted, of equity; one value a UTC day
};

/// What one instruction set's library gives: for each family, in the order of families().
struct KernelTable {
  using Run = void (*)(const Job& job);
  int lanes = 0;
  std::size_t families = 0;
  const Run* run = nullptr;       ///< Requires: !job.full.on
  const Run* run_full = nullptr;  ///< with all the rules
};

}  // namespace winnow::engine::lanes
