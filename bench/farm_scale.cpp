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

void BM_Farm(benchmark::State& state) {
  const auto nodes = static_cast<std::uint32_t>(state.range(0));
  const auto block_ms = static_cast<double>(state.range(1));
  const auto blocks_per_worker = static_cast<std::uint32_t>(state.range(2));
  winnow::sim::ScaleReport report;
  for (auto _ : state) {
    report = winnow::sim::measure_scale({.nodes = nodes,
                                         .workers = kWorkers,
                                         .blocks_per_worker = blocks_per_worker,
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
  // Ten blocks a worker are the worst case: the end of a sweep is a large part of it. A hundred are
  // a short sweep of everyday.
  struct Size {
    std::int64_t block_ms, blocks;
  };
  for (const Size size : {Size{100, 10}, Size{500, 10}, Size{100, 100}}) {
    for (const std::int64_t nodes : {1, 16, 64, 250, 1000}) {
      if (small && nodes * size.blocks > 640) continue;
      benchmark::RegisterBenchmark("BM_Farm", BM_Farm)
          ->ArgNames({"nodes", "block_ms", "blocks"})
          ->Args({nodes, size.block_ms, size.blocks})
          ->UseManualTime()
          ->Iterations(1)
          ->Unit(benchmark::kSecond);
    }
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
