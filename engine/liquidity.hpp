#pragma once

#include <cstddef>
#include <vector>

#include "base/market.hpp"
#include "engine/engine.hpp"

namespace winnow::engine {

/// Days of history that sizes and costs look back on.
inline constexpr int kLiquidityDays = 20;

/// Purpose: what a decision at the close before a bar may know of how much trades in it, and what
/// an order then costs. Indexed by bar of the market; only the window's bars are filled in.
struct Liquidity {
  /// Mean volume of the bars of the same time of day on the last 20 days; where there are none, or
  /// nothing traded in them, of the bars of the last 24 hours; 0 where nothing is known.
  std::vector<double> expected_volume;
  /// Slippage of an order over the root of its quantity; see ExecutionModel::impact_y.
  std::vector<double> impact_scale;
};
/// Requires: window and execution are checked.
Liquidity find_liquidity(const MarketView& market, Window window, const ExecutionModel& execution);

/// Bars before the window that its liquidity looks back on: with fewer, sizes and costs differ.
std::size_t liquidity_bars(const MarketView& market, Window window,
                           const ExecutionModel& execution);

}  // namespace winnow::engine
