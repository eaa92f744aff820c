// How many trials a second the store acknowledges, synced, and what plain RocksDB rows and the bare
// disk do in the same run. Every figure's run reads back what it wrote and compares hashes.
//
// WINNOW_BENCH_DIR is the folder to write in (default: the working directory). WINNOW_BENCH_SMALL=1
// runs a few blocks of each, as ctest does.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "bench/store_data.hpp"
#include "store/store.hpp"

namespace winnow::store {
namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Commits groups of fresh blocks and times nothing but commit(); then reads everything back.
void commit_blocks(benchmark::State& state, const BenchShape& shape, std::uint64_t salt) {
  const auto group_size = static_cast<std::uint64_t>(state.range(0));
  BenchDir dir;
  auto opened = Store::open(dir.path());
  if (!opened.ok()) return state.SkipWithError(opened.error().text().c_str());
  Store& store = **opened;
  if (const Status put = store.put_sweep(bench_sweep("bench", shape)); !put.ok()) {
    return state.SkipWithError(put.error().text().c_str());
  }
  std::uint64_t next = 0;
  HashSum expected;
  for (auto _ : state) {
    std::vector<ResultBlock> blocks;
    std::vector<BlockCommit> group;
    for (std::uint64_t i = 0; i < group_size; ++i) {
      blocks.push_back(bench_block(salt, next++, shape));
      expected.add(blocks.back());
    }
    for (const ResultBlock& block : blocks) {
      group.push_back({"bench", "dataset", "family", "user", &block});
    }
    const auto start = std::chrono::steady_clock::now();
    auto outcomes = store.commit(group, {1});
    state.SetIterationTime(seconds_since(start));
    if (!outcomes.ok()) return state.SkipWithError(outcomes.error().text().c_str());
  }
  HashSum found;
  for (std::uint64_t b = 0; b < next; ++b) {
    auto block = store.read_block("bench", b, {.keys = true, .metrics = true, .returns = true});
    if (!block.ok()) return state.SkipWithError(block.error().text().c_str());
    found.add(*block);
  }
  if (found.value() != expected.value()) return state.SkipWithError("read back other bytes");
  const auto counts = store.ledger();
  if (!counts.ok() || counts->size() != 1 || counts->front().trials != next * shape.rows) {
    return state.SkipWithError("the ledger lost count");
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(next * shape.rows));
  state.SetBytesProcessed(static_cast<std::int64_t>(next * shape.bytes()));
  state.SetLabel("hash " + found.hex());
}

constexpr BenchShape kNoop{.rows = 4096, .metrics = 1, .periods = 0};
constexpr BenchShape kWide{.rows = 232, .metrics = 32, .periods = 500};

void BM_CommitNoopTrials(benchmark::State& state) { commit_blocks(state, kNoop, 1); }
void BM_CommitWideTrials(benchmark::State& state) { commit_blocks(state, kWide, 2); }

// The same sweep run again under another name: every key is looked up and found.
void BM_CommitRepeatedTrials(benchmark::State& state) {
  BenchDir dir;
  auto opened = Store::open(dir.path());
  if (!opened.ok()) return state.SkipWithError(opened.error().text().c_str());
  Store& store = **opened;
  const std::uint64_t blocks = bench_small() ? 2 : 64;
  std::vector<ResultBlock> all;
  for (std::uint64_t b = 0; b < blocks; ++b) all.push_back(bench_block(3, b, kNoop));
  std::uint64_t sweeps = 0;
  const auto commit_all = [&]() -> Status {
    const std::string id = "bench-" + std::to_string(sweeps++);
    WINNOW_TRY(store.put_sweep(bench_sweep(id, kNoop)));
    for (const ResultBlock& block : all) {
      const BlockCommit commit{id, "dataset", "family", "user", &block};
      if (auto done = store.commit({&commit, 1}, {1}); !done.ok()) return done.error();
    }
    return {};
  };
  if (const Status s = commit_all(); !s.ok()) return state.SkipWithError(s.error().text().c_str());
  for (auto _ : state) {
    const auto start = std::chrono::steady_clock::now();
    if (const Status s = commit_all(); !s.ok()) {
      return state.SkipWithError(s.error().text().c_str());
    }
    state.SetIterationTime(seconds_since(start));
  }
  const auto counts = store.ledger();
  if (!counts.ok() || counts->front().trials != blocks * kNoop.rows ||
      counts->front().executions != sweeps * blocks * kNoop.rows) {
    return state.SkipWithError("the ledger counted repeats as new");
  }
  state.SetItemsProcessed(static_cast<std::int64_t>((sweeps - 1) * blocks * kNoop.rows));
}

// Rows of 200 bytes under running keys, range(0) a synced batch: what RocksDB gives without any
// index, ledger or deduplication.
void BM_PlainRocksDbRows(benchmark::State& state) {
  BenchDir dir;
  rocksdb::Options options;
  options.create_if_missing = true;
  rocksdb::DB* raw = nullptr;
  const rocksdb::Status opened = rocksdb::DB::Open(options, dir.path().string(), &raw);
  const std::unique_ptr<rocksdb::DB> db(raw);
  if (!opened.ok()) return state.SkipWithError(opened.ToString().c_str());
  const std::string payload(150, 'x');
  rocksdb::WriteOptions synced;
  synced.sync = true;
  std::int64_t row = 0;
  for (auto _ : state) {
    rocksdb::WriteBatch batch;
    for (std::int64_t i = 0; i < state.range(0); ++i, ++row) {
      char key[64];
      const int n =
          std::snprintf(key, sizeof key, "run/%012lld/sharpe/%08lld",
                        static_cast<long long>(row / 20), static_cast<long long>(row % 20));
      batch.Put(rocksdb::Slice(key, static_cast<std::size_t>(n)), payload);
    }
    if (const auto s = db->Write(synced, &batch); !s.ok()) {
      return state.SkipWithError(s.ToString().c_str());
    }
  }
  state.SetItemsProcessed(row);
}

// range(0) bytes appended to a file, then fdatasync: the disk's own limit.
void BM_AppendAndSync(benchmark::State& state) {
  BenchDir dir;
  const int fd = ::open((dir.path() / "log").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  const std::string bytes = random_bytes(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    if (::write(fd, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()) ||
        ::fdatasync(fd) != 0) {
      state.SkipWithError("the disk refuses");
      break;
    }
  }
  ::close(fd);
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * state.range(0));
}

std::int64_t times(std::int64_t full) { return bench_small() ? 2 : full; }

void register_all() {
  for (const std::int64_t group : {1, 8, 64}) {
    benchmark::RegisterBenchmark("BM_CommitNoopTrials", BM_CommitNoopTrials)
        ->Arg(group)
        ->UseManualTime()
        ->Iterations(times(1024 / group))
        ->Unit(benchmark::kMillisecond);
    if (bench_small() && group > 8) continue;
    benchmark::RegisterBenchmark("BM_CommitWideTrials", BM_CommitWideTrials)
        ->Arg(group)
        ->UseManualTime()
        ->Iterations(times(1536 / group))
        ->Unit(benchmark::kMillisecond);
  }
  benchmark::RegisterBenchmark("BM_CommitRepeatedTrials", BM_CommitRepeatedTrials)
      ->UseManualTime()
      ->Iterations(times(8))
      ->Unit(benchmark::kMillisecond);
  for (const std::int64_t rows : {1, 100, 1000, 4096}) {
    benchmark::RegisterBenchmark("BM_PlainRocksDbRows", BM_PlainRocksDbRows)
        ->Arg(rows)
        ->UseRealTime()
        ->Iterations(times(rows == 1 ? 4000 : 400'000 / rows))
        ->Unit(benchmark::kMillisecond);
  }
  for (const std::int64_t kib : {1, 200, 512, 4096, 32768}) {
    benchmark::RegisterBenchmark("BM_AppendAndSync", BM_AppendAndSync)
        ->Arg(kib << 10)
        ->UseRealTime()
        ->Iterations(times(kib > 1000 ? 64 : 500))
        ->Unit(benchmark::kMillisecond);
  }
}

}  // namespace
}  // namespace winnow::store

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  winnow::store::register_all();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
