#pragma once

#include <vector>

#include "base/market.hpp"
#include "engine/engine.hpp"

namespace winnow::engine {

/// Buy and hold over the window: what every result stands beside.
struct Holding {
  /// In the order of metric_decls(), what trades would say (counts, costs, exposure) as of one
  /// position that is never closed and costs nothing.
  std::vector<double> metrics;
  std::vector<double> returns;  ///< per period: first open to first close, then close to close
};
/// Fails: InvalidInput (an empty window, columns of different lengths).
Result<Holding> hold_market(const MarketView& market, Window window);

}  // namespace winnow::engine
