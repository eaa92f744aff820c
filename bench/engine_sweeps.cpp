// W1 (crossover) and W3 (mean reversion with stops; also under all rules, and at a volatility
// target that is kept within its band) through run_batch, all metrics included, for each
// instruction set this machine has. Items are bar variants; `hash` must be what the workload's data
// and parameters give on every machine and at every width, else the benchmark fails.
//
// Small workloads run in ctest (--benchmark_filter=small); the full ones by hand, pinned to a core.

#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <map>
#include <string>

#include "bench/engine_workloads.hpp"

namespace winnow::bench {
namespace {

struct Workload {
  const char* name;
  const char* family;
  std::size_t bars;
  std::vector<double> rows;
  const char* hash;
  engine::ExecutionModel execution = bench_execution();
};

// What a profile has that names no rule.
engine::ExecutionModel full_execution() {
  engine::ExecutionModel e = bench_execution();
  for (const engine::ExecutionRule& rule : engine::execution_rules()) {
    if (!rule.sizes && rule.name != "target_penetration_ticks") rule.set(e, rule.otherwise);
  }
  return e;
}

engine::ExecutionModel target_execution() {
  engine::ExecutionModel e = bench_execution();
  engine::choose_sizing(e, engine::Sizing::VolatilityTarget);
  e.volatility_target_ann_frac = 0.3;  // half of the market's
  e.exposure_frac = 0.5;
  return e;
}

const std::vector<Workload>& workloads() {
  static const std::vector<Workload> all = {
      {"W1/small", "sma_cross", 3'000, w1_rows(4, 10), "9fe58e8ec83c6d00fccfd3aa95e43a6c"},
      {"W3/small", "mean_reversion", 3'000, w3_rows(40, true), "b7ae00ae81fc6450ab2e8d0cf4c44a30"},
      {"W1/10000x100000", "sma_cross", 100'000, w1_rows(50, 200),
       "f9f6148ff6d6d6c4b5c9725c7b7e650b"},
      {"W3/dense/1000x100000", "mean_reversion", 100'000, w3_rows(1'000, true),
       "4861d66446e7365a25a10c9c7dc992cb"},
      {"W3/sparse/1000x100000", "mean_reversion", 100'000, w3_rows(1'000, false),
       "a92e523864ee73fd53f03aded8cb4394"},
      {"W3/full/small", "mean_reversion", 3'000, w3_rows(40, true),
       "fc81e360c7ef44e74987c435cfaa04bb", full_execution()},
      {"W3/full/1000x100000", "mean_reversion", 100'000, w3_rows(1'000, true),
       "ad22abf481bfd43a119ed0e3caa57e68", full_execution()},
      {"W3/target/small", "mean_reversion", 3'000, w3_rows(40, true),
       "f9817e1ba3e56c18eef9d5dee02ce7b4", target_execution()},
      {"W3/target/1000x100000", "mean_reversion", 100'000, w3_rows(1'000, true),
       "1c89c348e6c8d00d88ea5b8eed63c14d", target_execution()},
  };
  return all;
}

const MarketColumns& market_of(std::size_t bars) {
  static std::map<std::size_t, MarketColumns> made;
  const auto at = made.find(bars);
  return at != made.end() ? at->second : made.emplace(bars, minute_market(42, bars)).first->second;
}

void run(benchmark::State& state, const Workload& workload, engine::Isa isa) {
  const MarketView market = market_of(workload.bars).view();
  const engine::ExecutionModel& execution = workload.execution;
  const engine::BatchRequest request{&market,
                                     {0, market.size()},
                                     engine::find_family(workload.family),
                                     workload.rows,
                                     &execution,
                                     isa,
                                     {},
                                     {},
                                     {}};
  double trades = 0;
  std::size_t variants = 1;
  for (auto _ : state) {
    const auto result = engine::run_batch(request);
    if (!result.ok()) return state.SkipWithError(result.error().text().c_str());
    state.PauseTiming();
    variants = result->variants;
    const std::string hash = result_hash(*result).hex();
    if (hash != workload.hash) {
      return state.SkipWithError(("result hash " + hash + " is not " + workload.hash).c_str());
    }
    trades = 0;
    const auto m = static_cast<std::size_t>(engine::find_metric("trades"));
    for (std::size_t v = 0; v < variants; ++v) trades += result->metrics[m * variants + v];
    state.ResumeTiming();
  }
  const double work = static_cast<double>(market.size() * variants);
  state.SetItemsProcessed(static_cast<std::int64_t>(work) * state.iterations());
  state.counters["trades_per_1000_bars"] = trades / work * 1000;
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  state.counters["rss_mib"] = static_cast<double>(usage.ru_maxrss) / 1024;
}

}  // namespace
}  // namespace winnow::bench

int main(int argc, char** argv) {
  using namespace winnow;
  for (const bench::Workload& workload : bench::workloads()) {
    for (const auto isa : {engine::Isa::Scalar, engine::Isa::Avx2, engine::Isa::Avx512}) {
      if (!engine::isa_supported(isa)) continue;
      const std::string name =
          std::string(workload.name) + "/" + std::string(engine::isa_name(isa));
      benchmark::RegisterBenchmark(name.c_str(), bench::run, workload, isa)
          ->Unit(benchmark::kMillisecond);
    }
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
