// Monte Carlo of one variant: 10,000 paths of 365 days under six policies, with 288 bars in each
// source day, on one thread and on all. `check` is a hash of the outcomes.
#include <benchmark/benchmark.h>

#include <bit>
#include <cmath>
#include <cstdint>

#include "base/rng.hpp"
#include "serve/parallel.hpp"
#include "sweeps/risk/monte_carlo.hpp"

namespace {

using namespace winnow;
using namespace winnow::sweeps::risk;

DayBars make_days(std::size_t days, std::size_t bars) {
  std::vector<double> equity;
  std::vector<double> cost;
  std::vector<std::size_t> ends;
  Rng rng(7);
  double at = 100'000;
  for (std::size_t d = 0; d < days; ++d) {
    for (std::size_t b = 0; b < bars; ++b) {
      at *= 1 + 0.002 * (rng.uniform() - 0.498);
      equity.push_back(at);
      cost.push_back(0.0006);
    }
    ends.push_back(equity.size());
  }
  return days_from_bars(
      {.equity = equity, .exit_cost = cost, .day_end = ends, .month = {}, .initial = 100'000});
}

void run(benchmark::State& state, std::size_t paths, const sweeps::ParallelFor& parallel) {
  const DayBars days = make_days(365, 288);
  const auto policies = default_policies();
  const SimulationOptions options{
      .horizon = 365, .paths = paths, .seed = 3, .mean_block = 4, .checkpoints = {30, 90, 365}};
  std::uint64_t check = 0;
  for (auto _ : state) {
    const auto outcomes = simulate(days, policies, options, parallel);
    check = 0;
    for (const auto& policy : outcomes) {
      for (const PathOutcome& p : policy) {
        check = mix64(check ^ std::bit_cast<std::uint64_t>(p.final_multiple));
        check = mix64(check ^ std::bit_cast<std::uint64_t>(p.drawdown_frac));
      }
    }
    static std::uint64_t first[2] = {0, 0};
    std::uint64_t& known = first[paths == 10'000 ? 1 : 0];
    if (known == 0) known = check;
    if (known != check) state.SkipWithError("the same seed gave other paths");
  }
  state.counters["check"] = static_cast<double>(check >> 40);
  const auto steps = state.iterations() * paths * options.horizon * policies.size();
  state.SetItemsProcessed(static_cast<std::int64_t>(steps));
}

void small_one_thread(benchmark::State& s) { run(s, 200, sweeps::serial_for()); }
void small_all_threads(benchmark::State& s) { run(s, 200, serve::threads_for()); }
void one_thread(benchmark::State& s) { run(s, 10'000, sweeps::serial_for()); }
void all_threads(benchmark::State& s) { run(s, 10'000, serve::threads_for()); }
BENCHMARK(small_one_thread)->Unit(benchmark::kMillisecond);
BENCHMARK(small_all_threads)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(one_thread)->Unit(benchmark::kMillisecond);
BENCHMARK(all_threads)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
