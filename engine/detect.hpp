#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/market.hpp"
#include "base/result.hpp"
#include "engine/backtest.hpp"
#include "engine/engine.hpp"

namespace winnow::engine {

/// Fills of some strategy on a window of a market. Must be a function of its arguments.
using FillsOf = std::function<Result<std::vector<Fill>>(const MarketView& market, Window window)>;

/// What a detector found. `text` is empty if it is clean, else it names the bar and the two fills
/// that differ.
struct Detection {
  std::size_t checks = 0;  ///< comparisons made
  std::string text;
  bool clean() const { return text.empty(); }
};

/// How thoroughly look-ahead is searched for.
struct LookAheadSearch {
  /// The window is walked in stretches of so many bars, each begun without a position: a cut then
  /// costs what lies between it and the start of its stretch. 0: one stretch.
  std::size_t stretch_bars = 0;
  std::size_t cuts_max = 24;  ///< at most so many at fills, and half as many or more between
  /// Bars before a stretch that its runs are given; what lies before those is left out, so that a
  /// run costs nothing that grows with the data.
  std::size_t history_bars = ~std::size_t{0};
  /// Bars that all runs at cuts may take together, half of the history included: so many are
  /// spent. 0: what the numbers of cuts above take.
  std::size_t bars_max = 0;
  /// Asked between runs; yes ends the search with Cancelled. Empty: never.
  std::function<bool()> stop;
};

/// Look-ahead: at a cut only the open of a bar is known, and nothing up to the fills at that open
/// may depend on more: neither on the rest of that bar, nor on later bars, nor on where the window
/// ends. The volume of that bar may cut what is filled at its open and do nothing else. Cuts lie
/// where the strategy trades, and evenly between. Fails: as `fills_of`, Cancelled.
Result<Detection> detect_look_ahead(const MarketView& market, Window window,
                                    const FillsOf& fills_of, const LookAheadSearch& search);

/// Warm-up: with `warmup_bars` of history before the window and with all there is, every fill must
/// be the same bit for bit. On data with gaps last bits may differ, see lanes::RollingColumn.
/// Requires: warmup_bars <= window.first. Fails: as `fills_of`.
Result<Detection> detect_warm_up(const MarketView& market, Window window, const FillsOf& fills_of,
                                 std::size_t warmup_bars);

/// Bars of history that fill every indicator of this variant.
std::size_t warmup_bars(const FamilyDecl& family, std::span<const double> params);

/// Both detectors on one variant of a family: one cut through its whole life, and many through
/// stretches of it. The warm-up is checked where the window has history enough. Fails:
/// InvalidInput, Cancelled.
Result<Detection> detect_faults(const MarketView& market, Window window, const FamilyDecl& family,
                                std::span<const double> params, const ExecutionModel& execution,
                                const std::function<bool()>& stop = {});

}  // namespace winnow::engine
