#include "serve/rerun.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace winnow::serve {

engine::Window window_of(const MarketView& market, const sweeps::ResolvedSpec& spec) {
  const auto at = [&](TimestampNs t) {
    return static_cast<std::size_t>(
        std::lower_bound(market.time_ns.begin(), market.time_ns.end(), t.ns) -
        market.time_ns.begin());
  };
  return {at(spec.from), at(spec.to)};
}

namespace {

bool same_bits(std::span<const float> a, std::span<const float> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](float x, float y) { return x == y || (std::isnan(x) && std::isnan(y)); });
}

}  // namespace

Result<Rerun> rerun_variant(const Sources& sources, const SweepView& view, std::uint64_t trial,
                            std::span<const float> stored) {
  if (view.meta.engine_version != engine::kEngineVersion) {
    return Error(ErrorCode::Refused, "its result is of engine version " +
                                         std::to_string(view.meta.engine_version) +
                                         ", which this program cannot run again");
  }
  if (sources.datasets == nullptr) {
    return Error(ErrorCode::NotFound, "no datasets are here to run the variant again");
  }
  const sweeps::Segment& segment = view.plan.segment_of_trial(trial);
  auto dataset = sources.datasets->load(view.dataset(segment).content_hash);
  if (!dataset.ok()) return dataset.error();
  const engine::Window window = window_of(dataset->view(), view.plan.spec());
  auto run = engine::run_detailed(dataset->view(), window, view.plan.family(segment),
                                  view.plan.params(trial, 1), view.plan.execution(segment));
  if (!run.ok()) return run.error();
  if (!same_bits(run->backtest.returns, stored)) {
    return Error(ErrorCode::Corrupt, "variant " + std::to_string(trial) +
                                         " run again has other daily returns than are stored");
  }
  return Rerun{std::move(*dataset), window, std::move(*run)};
}

std::vector<std::int32_t> months_of(std::span<const std::int64_t> period_start_ns) {
  std::vector<std::int32_t> out;
  for (const std::int64_t start : period_start_ns) {
    const std::chrono::sys_days day{std::chrono::days{utc_day({start})}};
    const std::chrono::year_month_day date{day};
    out.push_back(static_cast<int>(date.year()) * 12 +
                  static_cast<std::int32_t>(static_cast<unsigned>(date.month())));
  }
  return out;
}

sweeps::risk::DayBars day_bars_of(const Rerun& rerun, const engine::ExecutionModel& execution) {
  const MarketView& market = rerun.dataset.view();
  const engine::Backtest& run = rerun.run.backtest;
  const double cost = (execution.taker_fee_bps + execution.half_spread_bps) / 10'000;
  std::vector<double> exit_cost(run.equity.size(), 0.0);
  std::vector<std::size_t> day_end;
  auto fill = rerun.run.fills.begin();
  double qty = 0;
  for (std::size_t i = 0; i < run.equity.size(); ++i) {
    const std::size_t bar = rerun.window.first + i;
    for (; fill != rerun.run.fills.end() && fill->bar <= bar; ++fill) qty += fill->qty;
    const double held = std::fabs(qty) * market.close[bar];
    // What fills leave behind by rounding is no position.
    if (run.equity[i] > 0 && held > 1e-9 * run.equity[i])
      exit_cost[i] = cost * held / run.equity[i];
    if (i > 0 && utc_day({market.time_ns[bar]}) != utc_day({market.time_ns[bar - 1]})) {
      day_end.push_back(i);
    }
  }
  day_end.push_back(run.equity.size());
  const auto month = months_of(run.period_start_ns);
  return sweeps::risk::days_from_bars({.equity = run.equity,
                                       .exit_cost = exit_cost,
                                       .day_end = day_end,
                                       .month = month,
                                       .initial = execution.initial_cash});
}

std::vector<double> trade_returns(const engine::Backtest& run, double initial_cash) {
  std::vector<double> out;
  double equity = initial_cash;
  for (const engine::Trade& trade : run.trades) {
    if (!(equity > 0)) break;
    out.push_back(std::max(-1.0, trade.pnl / equity));
    equity += trade.pnl;
  }
  return out;
}

}  // namespace winnow::serve
