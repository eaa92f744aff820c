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
  tallies[lanes::kMostExposure] = 1;
  out.metrics.resize(metric_decls().size());
  std::vector<float> returns(out.returns.size());
  const std::vector<double> exposure(out.returns.size(), 1.0);
  MetricRow row(input);
  row.see_exposure(exposure);
  row.compute(equity, tallies, out.metrics, returns);
  return out;
}

// A long of one unit at the last period's close pays rate times the price at each funding.
Result<std::vector<double>> holding_returns(const MarketView& market, Window window,
                                            HoldingCost cost) {
  WINNOW_TRY(check_window(market, window));
  ExecutionModel execution;
  execution.funding = cost == HoldingCost::Funding;
  const Prepared prepared(market, window, execution);
  const lanes::Job job = prepared.job();
  std::vector<double> out = metric_input(job, market).market_returns;
  double before = job.open[job.first];
  std::size_t next = 0;
  for (std::size_t p = 0; p < out.size(); ++p) {
    const std::size_t last = job.period_last[p];
    for (; next < job.fundings && job.funding[next].bar <= last; ++next) {
      out[p] -= job.funding[next].rate_frac * job.open[job.funding[next].bar] / before;
    }
    before = job.close[last];
  }
  return out;
}

}  // namespace winnow::engine
