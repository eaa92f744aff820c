// The coordinator's real code under many simulated nodes: what a farm of N nodes costs it, in
// processor time, memory and bytes, and how busy the workers are kept. Time between processes is
// virtual, time in the coordinator real. docs/SCALING.md has the numbers and what they mean.
//
// WINNOW_BENCH_SMALL=1 runs the small farms only, as ctest does.
#include <benchmark/benchmark.h>
#include <spdlog/spdlog.h>

#include <cstdlib>

#include "tests/sim/scale.hpp"

namespace {

constexpr std::uint32_t kWorkers = 4;
constexpr std::uint32_t kBlocksPerWorker = 10;

void BM_Farm(benchmark::State& state) {
  const auto nodes = static_cast<std::uint32_t>(state.range(0));
  const auto block_ms = static_cast<double>(state.range(1));
  winnow::sim::ScaleReport report;
  for (auto _ : state) {
    report = winnow::sim::measure_scale({.nodes = nodes,
                                         .workers = kWorkers,
                                         .blocks_per_worker = kBlocksPerWorker,
                                         .block_ms = block_ms});
    if (!report.finished) return state.SkipWithError("the sweep did not finish");
    state.SetIterationTime(report.virtual_s);
  }
  const double per_thousand = 1000.0 / (static_cast<double>(nodes) * kWorkers);
  const auto blocks = static_cast<double>(report.blocks);
  const auto own_bytes =
      static_cast<double>(report.bytes_in - report.result_bytes + report.bytes_out);
  state.counters["efficiency_frac"] = report.efficiency_frac;
  state.counters["core_us_per_block"] = report.core_cpu_s / blocks * 1e6;
  state.counters["intake_us_per_block"] = report.intake_cpu_s / blocks * 1e6;
  state.counters["frames_per_block"] =
      static_cast<double>(report.frames_in + report.frames_out) / blocks;
  state.counters["core_frac_per_1000"] = report.core_cpu_s / report.virtual_s * per_thousand;
  state.counters["own_kB_s_per_1000"] = own_bytes / report.virtual_s * per_thousand * 1e-3;
  state.counters["core_kB_per_1000"] = static_cast<double>(report.core_bytes) * per_thousand * 1e-3;
}

}  // namespace

int main(int argc, char** argv) {
  spdlog::set_level(spdlog::level::off);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  const bool small = std::getenv("WINNOW_BENCH_SMALL") != nullptr;
  for (const std::int64_t nodes : {1, 16, 64, 250, 1000}) {
    for (const std::int64_t block_ms : {100, 500}) {
      if (small && nodes > 64) continue;
      benchmark::RegisterBenchmark("BM_Farm", BM_Farm)
          ->ArgNames({"nodes", "block_ms"})
          ->Args({nodes, block_ms})
          ->UseManualTime()
          ->Iterations(1)
          ->Unit(benchmark::kSecond);
    }
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
