#include "engine/holding.hpp"

#include "engine/metrics.hpp"
#include "engine/prepare.hpp"

namespace winnow::engine {

// The definitions are those of every variant: the row is made by the same code, of an equity that
// follows the market.
Result<Holding> hold_market(const MarketView& market, Window window) {
  WINNOW_TRY(check_window(market, window));
  const Prepared prepared(market, window, ExecutionModel{});
  const MetricInput input = metric_input(prepared.job(), market);
  Holding out;
  out.returns = input.market_returns;
  std::vector<double> equity;
  double level = input.initial_cash;
  for (const double r : out.returns) equity.push_back(level *= 1.0 + r);
  std::vector<double> tallies(lanes::kTallies, 0.0);
  tallies[lanes::kHoldBars] = input.bars;
  out.metrics.resize(metric_decls().size());
  std::vector<float> returns(out.returns.size());
  MetricRow(input).compute(equity, tallies, out.metrics, returns);
  return out;
}

}  // namespace winnow::engine
