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

/// What one unit of the position pays for being held.
enum class HoldingCost {
  None,
  Funding,  ///< what the data recorded, as a long pays it
};
/// The same returns, less what holding costs: what skill is measured against. Fails: as
/// hold_market.
Result<std::vector<double>> holding_returns(const MarketView& market, Window window,
                                            HoldingCost cost);

}  // namespace winnow::engine
