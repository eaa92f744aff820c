#pragma once

#include <span>
#include <vector>

#include "engine/engine.hpp"
#include "engine/trade_recorder.hpp"

namespace winnow::engine {

/// A backtest with its fills.
struct DetailedBacktest {
  Backtest backtest;
  std::vector<Fill> fills;
};
Result<DetailedBacktest> run_detailed(const MarketView& market, Window window,
                                      const FamilyDecl& family, std::span<const double> params,
                                      const ExecutionModel& execution);

}  // namespace winnow::engine
