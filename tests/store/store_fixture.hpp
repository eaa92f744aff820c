#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "base/rng.hpp"
#include "store/store.hpp"

namespace winnow::store {

/// A folder of its own that goes away with the test.
class TempDir {
 public:
  TempDir() {
    // In memory where that is possible: no test here cuts the power, so syncs need no real disk.
    const std::filesystem::path memory = "/dev/shm";
    const bool in_memory = ::access(memory.c_str(), W_OK) == 0;
    std::string pattern =
        ((in_memory ? memory : std::filesystem::temp_directory_path()) / "winnow-store-XXXXXX")
            .string();
    if (::mkdtemp(pattern.data()) == nullptr) ADD_FAILURE() << "no folder " << pattern;
    path_ = pattern;
  }
  ~TempDir() {
    std::error_code ec;
    std::filesystem::remove_all(path_, ec);
    std::filesystem::remove(path_.string() + ".ledger", ec);  // of a store that it was
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// The value, or a test failure that says why there is none.
template <class T>
T must(Result<T> result) {
  if (!result.ok()) {
    ADD_FAILURE() << result.error().text();
    std::abort();
  }
  return std::move(*result);
}
inline void must(Status status) {
  if (!status.ok()) ADD_FAILURE() << status.error().text();
}

struct BlockShape {
  std::uint32_t rows = 16;
  std::uint32_t metrics = 3;
  std::uint32_t periods = 5;
};

/// A trial's key as a function of (salt, trial): equal salts give equal keys.
inline TrialKey key_of(std::uint64_t salt, std::uint64_t trial) {
  return {mix64(salt * 1'000'003 + trial), mix64(trial ^ mix64(salt))};
}

/// Block `block` of equal blocks. Its numbers are a function of (salt, trial) alone, as a real
/// trial's are of its key; every 97th trial of a salt fails.
inline ResultBlock make_block(std::uint64_t salt, std::uint64_t block, const BlockShape& shape = {},
                              std::uint64_t trials_before = 0) {
  ResultBlock b;
  b.block = block;
  b.first_trial = trials_before != 0 ? trials_before : block * shape.rows;
  b.rows = shape.rows;
  b.metric_count = shape.metrics;
  b.periods = shape.periods;
  b.metrics.resize(std::size_t{shape.metrics} * shape.rows);
  b.returns.resize(std::size_t{shape.periods} * shape.rows);
  for (std::uint32_t row = 0; row < shape.rows; ++row) {
    const std::uint64_t trial = b.first_trial + row;
    const bool failed = mix64(salt ^ trial) % 97 == 0;
    b.keys.push_back(key_of(salt, trial));
    b.status.push_back(failed ? TrialStatus::Failed : TrialStatus::Ok);
    if (failed) b.errors.push_back("trial " + std::to_string(trial) + " ran out of cash");
    Rng rng(salt, trial);
    for (std::uint32_t m = 0; m < shape.metrics; ++m) {
      b.metrics[std::size_t{m} * shape.rows + row] =
          failed ? std::numeric_limits<double>::quiet_NaN() : rng.uniform() - 0.5;
    }
    for (std::uint32_t p = 0; p < shape.periods; ++p) {
      b.returns[std::size_t{row} * shape.periods + p] =
          failed ? std::numeric_limits<float>::quiet_NaN()
                 : static_cast<float>(rng.uniform() - 0.5) * 0.02f;
    }
  }
  return b;
}

inline SweepMeta make_sweep(const std::string& id, std::uint64_t blocks,
                            const BlockShape& shape = {}) {
  SweepMeta meta;
  meta.id = id;
  meta.name = "test sweep " + id;
  meta.spec_json = R"({"seed": 42})";
  meta.user = "ann";
  meta.created = {1'700'000'000'000'000'000};
  meta.trials = blocks * shape.rows;
  meta.blocks = blocks;
  meta.engine_version = 7;
  meta.code_version = "0.1.0";
  for (std::uint32_t m = 0; m < shape.metrics; ++m) {
    meta.metric_names.push_back("metric_" + std::to_string(m));
  }
  return meta;
}

inline BlockCommit commit_of(const std::string& sweep, const ResultBlock& block,
                             const std::string& dataset = "btc", const std::string& family = "mr") {
  return {sweep, dataset, family, "ann", &block};
}

inline constexpr TimestampNs kNow{1'700'000'100'000'000'000};

inline std::unique_ptr<Store> open_store(const std::filesystem::path& dir, bool read_only = false) {
  StoreOptions options;
  options.read_only = read_only;
  options.cache_bytes = std::size_t{8} << 20;
  return must(Store::open(dir, options));
}

inline CommitOutcome commit_one(Store& store, const BlockCommit& commit) {
  return must(store.commit({&commit, 1}, kNow)).at(0);
}

/// Expects the stored block to be `expected`, bit for bit.
inline void expect_stored(const Store& store, const std::string& sweep,
                          const ResultBlock& expected) {
  auto got = store.read_block(sweep, expected.block, Store::kAllParts);
  ASSERT_TRUE(got.ok()) << got.error().text();
  EXPECT_EQ(got->content_hash(), expected.content_hash()) << "block " << expected.block;
  EXPECT_EQ(got->first_trial, expected.first_trial);
  EXPECT_EQ(got->errors, expected.errors);
}

}  // namespace winnow::store
