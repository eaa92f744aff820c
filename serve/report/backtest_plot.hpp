#pragma once

#include <string>
#include <string_view>

#include "base/market.hpp"
#include "engine/engine.hpp"

namespace winnow::serve::report {

/// What a plot of one backtest shows.
struct BacktestPlot {
  std::string_view title;     ///< `donchian on sim-btc`
  std::string_view subtitle;  ///< what it cost, and when
  const MarketView& market;
  engine::Window window;
  const engine::Backtest& backtest;
  double initial_cash = 0;
};

/// A whole SVG file: above the price with the fills of closed trades (left out where they are too
/// many to be seen), below the equity beside holding the instrument, both as multiples of what they
/// began with. Its size does not grow with the window.
std::string backtest_svg(const BacktestPlot& plot);

}  // namespace winnow::serve::report
