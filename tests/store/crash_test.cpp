#include <cstdio>
#include <fstream>
#include <sstream>

#include "child.hpp"
#include "crash_script.hpp"
#include "store/high_water.hpp"
#include "store_fixture.hpp"

namespace winnow::store {
namespace {

constexpr int kKills = 24;

using Place = std::pair<int, std::uint64_t>;

// What must hold after any crash: all acknowledged blocks, whole; a ledger that counts each key
// once.
void check_store(const std::filesystem::path& dir, const std::set<Place>& acknowledged) {
  auto store = open_store(dir);
  const Status verified = store->verify([](std::string_view) {});
  ASSERT_TRUE(verified.ok()) << verified.error().text();
  std::set<TrialKey> keys;
  std::uint64_t rows = 0;
  for (int sweep = 0; sweep < 2; ++sweep) {
    const auto flags = must(store->committed(kCrashSweeps[sweep], kCrashBlocks));
    for (std::uint64_t block = 0; block < kCrashBlocks; ++block) {
      if (!flags[block]) {
        EXPECT_FALSE(acknowledged.contains({sweep, block}))
            << "lost: block " << block << " of sweep " << kCrashSweeps[sweep];
        continue;
      }
      const ResultBlock expected = crash_block(sweep, block);
      expect_stored(*store, kCrashSweeps[sweep], expected);
      keys.insert(expected.keys.begin(), expected.keys.end());
      rows += expected.rows;
    }
  }
  std::uint64_t trials = 0;
  std::uint64_t executions = 0;
  for (const LedgerCount& line : must(store->ledger())) {
    trials += line.trials;
    executions += line.executions;
  }
  EXPECT_EQ(trials, keys.size());
  EXPECT_EQ(executions, rows);
  EXPECT_TRUE(must(store->alarms()).empty());
}

TEST(StoreCrash, NothingAcknowledgedIsLostByKills) {
  TempDir dir;
  const std::uint64_t seed = 20231121;
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  Rng rng(seed);
  std::set<Place> acknowledged;
  for (int kill = 0; kill < kKills && !::testing::Test::HasFailure(); ++kill) {
    Child child({"commit", dir.path().string(), std::to_string(rng.next_u64())});
    const auto take = [&](const std::string& text) {
      std::istringstream words(text);
      std::string word;
      words >> word;
      ASSERT_NE(word, "error") << text;
      int sweep = 0;
      std::uint64_t block = 0;
      if (word == "ack" && words >> sweep >> block) acknowledged.insert({sweep, block});
    };
    // A third of the kills fall into the opening, the rest after some acknowledgements.
    const std::uint64_t lines = kill % 3 == 2 ? rng.below(2) : rng.below(60);
    for (std::uint64_t i = 0; i < lines; ++i) take(child.line());
    for (std::uint64_t spin = rng.below(200'000); spin > 0; --spin) rng.next_u64();
    child.kill_now();
    for (const std::string& text : child.rest()) take(text);
    EXPECT_EQ(child.wait(), 128 + 9);
    if (std::filesystem::exists(dir.path() / "CURRENT") && !acknowledged.empty()) {
      check_store(dir.path(), acknowledged);
    }
  }
  EXPECT_GT(acknowledged.size(), 100u);
}

// The newest write-ahead log with records in it.
std::filesystem::path log_file(const std::filesystem::path& dir) {
  std::filesystem::path out;
  for (const auto& file : std::filesystem::directory_iterator(dir)) {
    if (file.path().extension() == ".log" && file.file_size() > 0 && file.path() > out) {
      out = file.path();
    }
  }
  return out;
}

// A folder with the files of a store whose writer was killed after `blocks` commits.
void make_killed_store(const std::filesystem::path& dir, std::uint64_t blocks) {
  TempDir live;
  auto store = open_store(live.path());
  must(store->put_sweep(make_sweep("s", blocks, kCrashShape)));
  for (std::uint64_t b = 0; b < blocks; ++b) {
    const ResultBlock block = make_block(1, b, kCrashShape);
    commit_one(*store, commit_of("s", block));
  }
  std::filesystem::copy(live.path(), dir, std::filesystem::copy_options::recursive);
}

TEST(StoreCrash, TornLogTailLosesOnlyItsEnd) {
  TempDir dir;
  const auto whole = dir.path() / "whole";
  constexpr std::uint64_t kBlocks = 6;
  make_killed_store(whole, kBlocks);
  const std::uintmax_t size = std::filesystem::file_size(log_file(whole));
  Rng rng(77);
  std::uint64_t fewest = kBlocks;
  for (int cut = 0; cut < 12; ++cut) {
    const auto torn = dir.path() / ("torn" + std::to_string(cut));
    std::filesystem::copy(whole, torn, std::filesystem::copy_options::recursive);
    std::filesystem::resize_file(log_file(torn), size - 1 - rng.below(size / 2));
    // What a power cut tears was not acknowledged, and no mark says that it was (F6).
    std::filesystem::remove(torn / HighWater::kFileName);
    auto store = open_store(torn);
    must(store->verify([](std::string_view) {}));
    const auto flags = must(store->committed("s", kBlocks));
    std::uint64_t kept = 0;
    while (kept < kBlocks && flags[kept]) ++kept;
    for (std::uint64_t b = kept; b < kBlocks; ++b) EXPECT_FALSE(flags[b]) << "a hole before " << b;
    EXPECT_LT(kept, kBlocks);
    EXPECT_EQ(must(store->ledger()).at(0).trials, kept * kCrashShape.rows);
    fewest = std::min(fewest, kept);
  }
  EXPECT_LT(fewest, kBlocks - 1);
}

TEST(StoreCrash, DamageInsideTheLogIsNotForgotten) {
  TempDir dir;
  const auto store_dir = dir.path() / "store";
  make_killed_store(store_dir, 40);
  const auto log = log_file(store_dir);
  const auto middle = static_cast<std::streamoff>(std::filesystem::file_size(log) / 3);
  {
    std::fstream file(log, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(middle);
    const char byte = static_cast<char>(file.get());
    file.seekp(middle);
    file.put(static_cast<char>(byte ^ 0x10));
  }
  auto store = Store::open(store_dir);
  ASSERT_FALSE(store.ok());
  EXPECT_EQ(store.error().code(), ErrorCode::Corrupt);
  EXPECT_NE(store.error().text().find(store_dir.string()), std::string::npos);
}

}  // namespace
}  // namespace winnow::store
