#include "engine/backtest.hpp"

#include <utility>

#include "engine/lanes/tile_size.hpp"
#include "engine/metrics.hpp"
#include "engine/prepare.hpp"
#include "engine/steps.hpp"

namespace winnow::engine {
Result<DetailedBacktest> run_detailed(const MarketView& market, Window window,
                                      const FamilyDecl& family, std::span<const double> params,
                                      const ExecutionModel& execution) {
  WINNOW_TRY(check_window(market, window));
  WINNOW_TRY(check_execution(execution));
  WINNOW_TRY(check_params(family, params));
  const Prepared prepared(market, window, execution);
  const FamilyRuntime& runtime = family_runtime(family);

  std::vector<ColumnSpec> specs;
  std::vector<std::uint32_t> columns;
  for (int c = 0; c < runtime.columns; ++c) {
    specs.push_back(runtime.column(c, params.data()));
    columns.push_back(static_cast<std::uint32_t>(c));
  }
  std::vector<double> equity(prepared.periods());
  std::vector<double> drawdown(execution.drawdown_bars ? prepared.periods() : 0);
  std::vector<double> exposure(prepared.periods());
  std::vector<double> tallies(lanes::kTallies);
  lanes::Job job = prepared.job();
  job.params = params.data();
  job.slots = 1;
  job.specs = specs.data();
  job.spec_count = specs.size();
  job.columns = columns.data();
  job.period_equity = equity.data();
  job.period_exposure = exposure.data();
  job.tallies = tallies.data();
  if (!drawdown.empty()) job.period_drawdown = drawdown.data();

  TradeRecorder recorder(market, window);
  const auto steps = make_steps(family, job, lanes::tile_bars(job), &recorder);
  steps->run_to(window.last);
  steps->finish();

  DetailedBacktest result;
  Backtest& backtest = result.backtest;
  backtest.metrics.resize(metric_decls().size());
  backtest.returns.resize(equity.size());
  backtest.exposures.assign(exposure.begin(), exposure.end());
  MetricRow row(metric_input(job, market));
  row.see_drawdown(drawdown);
  row.see_exposure(exposure);
  row.compute(equity, tallies, backtest.metrics, backtest.returns);
  backtest.period_start_ns = period_starts(market, window);
  backtest.trades = std::move(recorder.trades);
  backtest.equity = std::move(recorder.equity);
  backtest.open_qty = recorder.qty;
  result.fills = std::move(recorder.fills);
  return result;
}

Result<Backtest> run_backtest(const MarketView& market, Window window, const FamilyDecl& family,
                              std::span<const double> params, const ExecutionModel& execution) {
  auto detailed = run_detailed(market, window, family, params, execution);
  if (!detailed.ok()) return detailed.error();
  return std::move(detailed->backtest);
}

}  // namespace winnow::engine
