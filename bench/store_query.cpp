// How long questions to a store of many trials take, warm; and how long opening it again takes.
//
// WINNOW_BENCH_DIR and WINNOW_BENCH_SMALL as in store_commit.cpp.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "bench/store_data.hpp"
#include "store/store.hpp"

namespace winnow::store {
namespace {

constexpr std::uint32_t kMetrics = 30;
constexpr BenchShape kShape{.rows = 256, .metrics = kMetrics, .periods = 0};
constexpr BenchShape kPanel{.rows = 256, .metrics = 1, .periods = 365};

struct Filled {
  BenchDir dir;
  std::unique_ptr<Store> store;
  std::uint64_t blocks = 0;
  std::vector<double> second_metric;
};

// One sweep, in groups of 16 blocks.
std::unique_ptr<Filled> fill(std::uint64_t trials, const BenchShape& shape) {
  auto out = std::make_unique<Filled>();
  auto opened = Store::open(out->dir.path());
  if (!opened.ok() || !(*opened)->put_sweep(bench_sweep("bench", shape)).ok()) return nullptr;
  out->store = std::move(*opened);
  out->blocks = trials / shape.rows;
  for (std::uint64_t b = 0; b < out->blocks;) {
    std::vector<ResultBlock> blocks;
    std::vector<BlockCommit> group;
    for (; blocks.size() < 16 && b < out->blocks; ++b) {
      blocks.push_back(bench_block(7, b, shape));
      if (shape.metrics < 2) continue;
      const auto metric = blocks.back().metrics.begin() + shape.rows;
      out->second_metric.insert(out->second_metric.end(), metric, metric + shape.rows);
    }
    for (const ResultBlock& block : blocks) {
      group.push_back({"bench", "dataset", "family", "user", &block});
    }
    if (!out->store->commit(group, {1}).ok()) return nullptr;
  }
  return out;
}

std::vector<std::size_t> best(const std::vector<double>& values, std::size_t count) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  count = std::min(count, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
                    [&](std::size_t a, std::size_t b) { return values[a] > values[b]; });
  order.resize(count);
  return order;
}

void report_percentiles(benchmark::State& state, std::vector<double>& seconds) {
  std::sort(seconds.begin(), seconds.end());
  state.counters["p50_ms"] = seconds[seconds.size() / 2] * 1e3;
  state.counters["p99_ms"] = seconds[seconds.size() * 99 / 100] * 1e3;
}

// range(0) trials of 30 metrics: reads range(1) of them and picks the best 100 by the first.
void BM_Top100(benchmark::State& state) {
  const auto trials = static_cast<std::uint64_t>(state.range(0));
  const auto filled = fill(trials, kShape);
  if (!filled) return state.SkipWithError("the store cannot be filled");
  std::vector<std::uint32_t> asked = {1, 17, 4};
  asked.resize(static_cast<std::size_t>(state.range(1)));
  const std::vector<std::size_t> expected = best(filled->second_metric, 100);
  std::vector<double> seconds;
  for (auto _ : state) {
    const auto start = std::chrono::steady_clock::now();
    const auto table = filled->store->read_metrics("bench", asked);
    if (!table.ok()) return state.SkipWithError(table.error().text().c_str());
    const std::vector<std::size_t> top = best(table->columns[0], 100);
    seconds.push_back(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    if (top != expected) return state.SkipWithError("another top 100 than what was committed");
  }
  report_percentiles(state, seconds);
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * filled->blocks) *
                          kShape.rows);
}

/// Purpose: a sweep that runs: commits groups of blocks of another sweep while it lives, at most
/// `trials_per_s`. Thread: its own.
class BusyWriter {
 public:
  BusyWriter(Store& store, double trials_per_s) : store_(store), rate_(trials_per_s) {
    ok_ = store.put_sweep(bench_sweep("running", kShape)).ok();
    thread_ = std::jthread([this](std::stop_token stop) { loop(stop); });
  }
  std::uint64_t trials() const { return trials_; }
  bool ok() const { return ok_; }

 private:
  void loop(std::stop_token stop) {
    const auto start = std::chrono::steady_clock::now();
    for (std::uint64_t b = 0; ok_ && !stop.stop_requested();) {
      std::vector<ResultBlock> blocks;
      std::vector<BlockCommit> group;
      while (blocks.size() < 16) blocks.push_back(bench_block(8, b++, kShape));
      for (const ResultBlock& block : blocks) {
        group.push_back({"running", "dataset", "family", "user", &block});
      }
      ok_ = store_.commit(group, {1}).ok();
      trials_ += std::uint64_t{16} * kShape.rows;
      std::this_thread::sleep_until(
          start + std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                      std::chrono::duration<double>(static_cast<double>(trials_) / rate_)));
    }
  }
  Store& store_;
  double rate_;
  std::atomic<std::uint64_t> trials_ = 0;
  std::atomic<bool> ok_ = false;
  std::jthread thread_;
};

// range(0) trials of 30 metrics: filters by one, sorts by another, takes the best 100, while
// another sweep commits range(1) trials a second.
void BM_FilterTop100WhileCommitting(benchmark::State& state) {
  const auto filled = fill(static_cast<std::uint64_t>(state.range(0)), kShape);
  if (!filled) return state.SkipWithError("the store cannot be filled");
  const std::vector<std::uint32_t> asked = {1, 17};
  std::vector<std::size_t> expected;
  std::vector<double> seconds;
  const auto begun = std::chrono::steady_clock::now();
  BusyWriter writer(*filled->store, static_cast<double>(state.range(1)));
  for (auto _ : state) {
    const auto start = std::chrono::steady_clock::now();
    auto table = filled->store->read_metrics("bench", asked);
    if (!table.ok()) return state.SkipWithError(table.error().text().c_str());
    std::vector<double>& by = table->columns[0];
    for (std::size_t i = 0; i < by.size(); ++i) {
      if (!(table->columns[1][i] > 0)) by[i] = -1e300;
    }
    const std::vector<std::size_t> top = best(by, 100);
    seconds.push_back(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    if (expected.empty()) expected = top;
    if (top != expected) return state.SkipWithError("the same question, another answer");
  }
  const double spent =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  if (!writer.ok()) return state.SkipWithError("the writer failed");
  report_percentiles(state, seconds);
  state.counters["committed_per_s"] = static_cast<double>(writer.trials()) / spent;
}

// All returns of range(0) trials by 365 periods into one buffer.
void BM_ReadPanel(benchmark::State& state) {
  const auto filled = fill(static_cast<std::uint64_t>(state.range(0)), kPanel);
  if (!filled) return state.SkipWithError("the store cannot be filled");
  const auto shape = filled->store->returns_shape("bench", 0, filled->blocks);
  if (!shape.ok()) return state.SkipWithError(shape.error().text().c_str());
  std::vector<float> panel(shape->rows * shape->periods);
  for (auto _ : state) {
    const auto read = filled->store->read_returns("bench", 0, filled->blocks, panel);
    if (!read.ok()) return state.SkipWithError(read.error().text().c_str());
  }
  std::size_t at = 0;
  for (std::uint64_t b = 0; b < filled->blocks; ++b) {
    const ResultBlock block = bench_block(7, b, kPanel);
    if (!std::equal(block.returns.begin(), block.returns.end(), panel.begin() + at)) {
      return state.SkipWithError("other returns than what was committed");
    }
    at += block.returns.size();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * panel.size() * 4));
}

// Opening again after `range(0)` trials: what a restart costs.
void BM_Reopen(benchmark::State& state) {
  const auto filled = fill(static_cast<std::uint64_t>(state.range(0)), kShape);
  if (!filled) return state.SkipWithError("the store cannot be filled");
  for (auto _ : state) {
    filled->store.reset();
    const auto start = std::chrono::steady_clock::now();
    auto opened = Store::open(filled->dir.path());
    if (!opened.ok()) return state.SkipWithError(opened.error().text().c_str());
    const auto flags = (*opened)->committed("bench", filled->blocks);
    state.SetIterationTime(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    if (!flags.ok() || std::count(flags->begin(), flags->end(), true) !=
                           static_cast<std::ptrdiff_t>(filled->blocks)) {
      return state.SkipWithError("blocks are missing");
    }
    filled->store = std::move(*opened);
  }
}

}  // namespace
}  // namespace winnow::store

int main(int argc, char** argv) {
  using namespace winnow::store;
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  const bool small = bench_small();
  const std::int64_t hundred_thousand = small ? 2'560 : 100'096;
  const std::int64_t million = small ? 5'120 : 1'000'192;
  const std::int64_t times = small ? 3 : 100;
  for (const auto& [trials, metrics] :
       {std::pair{hundred_thousand, std::int64_t{3}}, {million, std::int64_t{1}}}) {
    benchmark::RegisterBenchmark("BM_Top100", BM_Top100)
        ->Args({trials, metrics})
        ->Iterations(times)
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
  }
  for (const std::int64_t trials_per_s : {20'000, 200'000}) {
    benchmark::RegisterBenchmark("BM_FilterTop100WhileCommitting", BM_FilterTop100WhileCommitting)
        ->Args({million, trials_per_s})
        ->Iterations(small ? 3 : 300)
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
  }
  benchmark::RegisterBenchmark("BM_ReadPanel", BM_ReadPanel)
      ->Arg(hundred_thousand)
      ->Iterations(small ? 1 : 5)
      ->UseRealTime()
      ->Unit(benchmark::kMillisecond);
  benchmark::RegisterBenchmark("BM_Reopen", BM_Reopen)
      ->Arg(million)
      ->Iterations(small ? 1 : 5)
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
