#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "base/rng.hpp"
#include "store/store.hpp"

// What the store's benchmarks commit and read.
namespace winnow::store {

inline bool bench_small() {
  const char* v = std::getenv("WINNOW_BENCH_SMALL");
  return v != nullptr && *v == '1';
}

/// A folder that goes away; under WINNOW_BENCH_DIR or the working directory, as the disk matters.
class BenchDir {
 public:
  BenchDir() {
    const char* base = std::getenv("WINNOW_BENCH_DIR");
    std::string pattern = std::string(base != nullptr ? base : ".") + "/winnow-bench-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    path_ = pattern;
  }
  ~BenchDir() {
    std::error_code ec;
    std::filesystem::remove_all(path_, ec);
    std::filesystem::remove(path_.string() + ".ledger", ec);
  }
  BenchDir(const BenchDir&) = delete;
  BenchDir& operator=(const BenchDir&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

struct BenchShape {
  std::uint32_t rows = 0;
  std::uint32_t metrics = 0;
  std::uint32_t periods = 0;
  /// Of one block: keys, metrics and returns.
  std::uint64_t bytes() const {
    return std::uint64_t{rows} * (16 + 8 * std::uint64_t{metrics} + 4 * std::uint64_t{periods});
  }
};

inline ResultBlock bench_block(std::uint64_t salt, std::uint64_t block, const BenchShape& shape) {
  ResultBlock b;
  b.block = block;
  b.first_trial = block * shape.rows;
  b.rows = shape.rows;
  b.metric_count = shape.metrics;
  b.periods = shape.periods;
  Rng rng(salt, block);
  b.keys.resize(shape.rows);
  for (TrialKey& key : b.keys) {
    key.high = rng.next_u64();
    key.low = rng.next_u64();
  }
  b.status.assign(shape.rows, TrialStatus::Ok);
  b.metrics.resize(std::size_t{shape.metrics} * shape.rows);
  for (double& v : b.metrics) v = rng.uniform() * 4 - 2;
  b.returns.resize(std::size_t{shape.periods} * shape.rows);
  for (float& v : b.returns) v = static_cast<float>(rng.uniform() * 0.04 - 0.02);
  return b;
}

inline SweepMeta bench_sweep(const std::string& id, const BenchShape& shape) {
  SweepMeta meta;
  meta.id = id;
  meta.name = id;
  meta.spec_json = "{}";
  meta.created = {1};
  for (std::uint32_t m = 0; m < shape.metrics; ++m) {
    meta.metric_names.push_back("metric_" + std::to_string(m));
  }
  return meta;
}

/// The content hashes of blocks, chained.
class HashSum {
 public:
  void add(const ResultBlock& block) {
    sum_ = KeyHasher("bench").add(sum_).add(block.content_hash()).finish();
  }
  Hash128 value() const { return sum_; }
  std::string hex() const { return sum_.hex().substr(0, 16); }

 private:
  Hash128 sum_;
};

inline std::string random_bytes(std::size_t n) {
  std::string out(n, '\0');
  Rng rng(9);
  for (char& c : out) c = static_cast<char>(rng.next_u64());
  return out;
}

}  // namespace winnow::store
