// Variants stepped bar by bar: what a coordinator with so many shadows pays for a bar. Goals:
// 10,000 lanes in under 5 ms, 1,000 in under 0.5 ms. The lanes' states at the end are those of a
// second stepper that was saved and restored on the way.

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "engine/execution.hpp"
#include "engine/stepper.hpp"
#include "engine_workloads.hpp"

namespace winnow::bench {
namespace {

constexpr std::size_t kHistory = 3'000;
constexpr std::size_t kBars = 3'000;

MarketView history_of(const MarketColumns& m) {
  MarketView view = m.view();
  const auto cut = [](auto& column) { column = column.first(kHistory); };
  cut(view.time_ns);
  cut(view.open);
  cut(view.high);
  cut(view.low);
  cut(view.close);
  cut(view.volume);
  return view;
}

engine::BarEvent bar_of(const MarketColumns& m, std::size_t t) {
  return {m.time_ns[t], m.open[t], m.high[t], m.low[t], m.close[t], m.volume[t]};
}

enum class Rules { Off, On };

engine::ExecutionModel model_of(Rules rules) {
  engine::ExecutionModel e;
  e.taker_fee_bps = 5;
  e.half_spread_bps = 1;
  if (rules == Rules::Off) return e;
  e.participation_max_frac = 0.05;
  e.impact_y = 1;
  for (const engine::ExecutionRule& rule : engine::execution_rules()) rule.set(e, rule.otherwise);
  return e;
}

void step_bars(benchmark::State& state, const engine::FamilyDecl& family,
               const std::vector<double>& rows, Rules rules) {
  const MarketColumns market = minute_market(11, kHistory + kBars);
  const engine::ExecutionModel model = model_of(rules);
  auto lanes = engine::StepperLanes::open(family, rows, history_of(market), model);
  auto other = engine::StepperLanes::open(family, rows, history_of(market), model);
  if (!lanes.ok()) return state.SkipWithError(lanes.error().text().c_str());
  std::size_t t = kHistory;
  std::size_t intents = 0;
  for (auto _ : state) {
    const auto wanted = lanes->on_bar(bar_of(market, t++));
    if (!wanted.ok()) return state.SkipWithError(wanted.error().text().c_str());
    intents += wanted->size();
  }
  for (std::size_t k = kHistory; k < t; ++k) {
    if (!other->on_bar(bar_of(market, k)).ok()) return state.SkipWithError("ERROR OCCURRED");
    if (k == (kHistory + t) / 2) {
      auto restored = engine::StepperLanes::restore(other->save(), model);
      if (!restored.ok()) return state.SkipWithError("ERROR OCCURRED: not restored");
      other = std::move(restored);
    }
  }
  for (std::size_t v = 0; v < lanes->variants(); ++v) {
    if (lanes->digest(v) != other->digest(v)) {
      return state.SkipWithError("ERROR OCCURRED: restored lanes differ");
    }
  }
  state.counters["lanes"] = static_cast<double>(lanes->variants());
  state.counters["s_a_lane"] = benchmark::Counter(
      static_cast<double>(lanes->variants()) * 1e-9,
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
  state.counters["intents_a_bar"] =
      benchmark::Counter(static_cast<double>(intents), benchmark::Counter::kAvgIterations);
}

void BM_MeanReversion(benchmark::State& state, Rules rules) {
  const std::vector<double> rows = w3_rows(static_cast<std::size_t>(state.range(0)), true);
  step_bars(state, *engine::find_family("mean_reversion"), rows, rules);
}
void BM_SmaCross(benchmark::State& state) {
  step_bars(state, *engine::find_family("sma_cross"),
            w1_rows(50, static_cast<int>(state.range(0) / 50)), Rules::Off);
}
void BM_small(benchmark::State& state) {
  step_bars(state, *engine::find_family("mean_reversion"), w3_rows(50, true), Rules::On);
}
BENCHMARK_CAPTURE(BM_MeanReversion, plain, Rules::Off)
    ->Arg(1'000)
    ->Arg(10'000)
    ->Iterations(kBars)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_MeanReversion, all_rules, Rules::On)
    ->Arg(1'000)
    ->Arg(10'000)
    ->Iterations(kBars)
    ->Unit(benchmark::kMillisecond);
BENCHMARK(BM_SmaCross)->Arg(1'000)->Arg(10'000)->Iterations(kBars)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_small)->Iterations(300)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace winnow::bench

BENCHMARK_MAIN();
