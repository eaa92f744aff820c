// Whether a store's memory stays where it is while what it holds grows: trials are written in
// groups, then read through block by block and verified; the process's memory is noted on the way.
//
// WINNOW_BENCH_DIR and WINNOW_BENCH_SMALL as in store_commit.cpp.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "bench/store_data.hpp"
#include "store/store.hpp"

namespace winnow::store {
namespace {

constexpr BenchShape kShape{.rows = 512, .metrics = 8, .periods = 12};
constexpr std::uint64_t kGroup = 16;
constexpr std::size_t kMiB = std::size_t{1} << 20;
// Write buffers 192, the cache, two runs of trial keys with their file in the making 96, groups
// of blocks, compactions and what the allocator keeps 128.
constexpr StoreOptions kOptions{.cache_bytes = 256 * kMiB};
constexpr std::uint64_t kBoundMiB = 192 + 256 + 96 + 128;

/// A line of /proc/self/status, MiB.
double status_mib(const std::string& name) {
  std::ifstream in("/proc/self/status");
  for (std::string word; in >> word;) {
    double kib = 0;
    if (word == name && in >> kib) return kib / 1024;
  }
  return 0;
}

/// What this process has read from files so far, cached by the kernel or not, GiB.
double read_gib() {
  std::ifstream in("/proc/self/io");
  std::string word;
  double bytes = 0;
  in >> word >> bytes;
  return bytes / (1 << 30);
}

/// The highest resident memory since the last call.
double peak_mib() {
  const double peak = status_mib("VmHWM:");
  std::ofstream("/proc/self/clear_refs") << "5";
  return peak;
}

bool write(Store& store, std::uint64_t from, std::uint64_t to) {
  for (std::uint64_t b = from; b < to;) {
    std::vector<ResultBlock> blocks;
    std::vector<BlockCommit> group;
    while (blocks.size() < kGroup && b < to) blocks.push_back(bench_block(7, b++, kShape));
    for (const ResultBlock& block : blocks) {
      group.push_back({"bench", "dataset", "family", "user", &block});
    }
    if (!store.commit(group, {1}).ok()) return false;
  }
  return true;
}

// Every tenth block is compared with what was written.
bool read_through(const Store& store, std::uint64_t blocks) {
  for (std::uint64_t b = 0; b < blocks; ++b) {
    const auto block =
        store.read_block("bench", b, {.keys = true, .metrics = true, .returns = true});
    if (!block.ok()) return false;
    if (b % 10 == 0 && block->content_hash() != bench_block(7, b, kShape).content_hash()) {
      return false;
    }
  }
  return true;
}

// range(0) trials, memory noted at a tenth, a half and all of them.
void BM_Memory(benchmark::State& state) {
  const BenchDir dir;
  const std::uint64_t blocks = static_cast<std::uint64_t>(state.range(0)) / kShape.rows;
  double most = 0;
  const auto note = [&](const std::string& when) {
    const double peak = peak_mib();
    most = std::max(most, peak);
    state.counters[when + "_mib"] = status_mib("VmRSS:");
    state.counters[when + "_peak_mib"] = peak;
    state.counters[when + "_read_gib"] = read_gib();
  };
  for (auto _ : state) {
    auto store = Store::open(dir.path(), kOptions);
    if (!store.ok()) return state.SkipWithError(store.error().text().c_str());
    if (!(*store)->put_sweep(bench_sweep("bench", kShape)).ok()) {
      return state.SkipWithError("no sweep");
    }
    (void)peak_mib();
    std::uint64_t written = 0;
    for (const auto& [part, name] :
         {std::pair{10u, "write_10"}, {50u, "write_50"}, {100u, "write_100"}}) {
      if (!write(**store, written, blocks * part / 100)) return state.SkipWithError("a commit");
      written = blocks * part / 100;
      note(name);
    }
    if (!read_through(**store, blocks)) return state.SkipWithError("another block was read");
    note("read");
    if (!(*store)->verify([](std::string_view) {}).ok()) return state.SkipWithError("verify");
    note("verify");
    store->reset();
    auto reader = Store::open(dir.path(), {.read_only = true, .cache_bytes = 256 * kMiB});
    if (!reader.ok() || !read_through(**reader, blocks)) return state.SkipWithError("a reader");
    note("reader");
  }
  state.counters["bound_mib"] = kBoundMiB;
  if (most > kBoundMiB) {
    state.SkipWithError(
        (std::to_string(most) + " MiB; the bound is " + std::to_string(kBoundMiB)).c_str());
  }
}

}  // namespace
}  // namespace winnow::store

int main(int argc, char** argv) {
  using namespace winnow::store;
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RegisterBenchmark("BM_Memory", BM_Memory)
      ->Arg(bench_small() ? 51'200 : 10'000'384)
      ->Iterations(1)
      ->UseRealTime()
      ->Unit(benchmark::kSecond);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
