#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "store_fixture.hpp"

// A writer's life for the crash test: two sweeps, of which the second repeats half of the first's
// trials under another block layout, committed in groups of random size and order.
namespace winnow::store {

inline constexpr std::uint64_t kCrashBlocks = 400;
inline constexpr BlockShape kCrashShape{.rows = 24, .metrics = 3, .periods = 40};
inline const std::string kCrashSweeps[] = {"first", "second"};

/// Block `block` of sweep 0 or 1. Sweep 1's trial t is sweep 0's trial t + 7, and has a row twice.
inline ResultBlock crash_block(int sweep, std::uint64_t block) {
  ResultBlock b =
      make_block(5, block, kCrashShape, block * kCrashShape.rows + (sweep == 1 ? 7 : 0));
  b.first_trial = block * kCrashShape.rows;
  return b;
}

/// Says `ack SWEEP BLOCK` after each acknowledged block. Ends when all are committed.
inline int commit_until_killed(const std::filesystem::path& dir, std::uint64_t seed,
                               const std::function<void(const std::string&)>& say) {
  StoreOptions options;
  options.index_run_keys = 300;  // so that kills meet the index files in the making
  options.cache_bytes = std::size_t{8} << 20;
  auto opened = Store::open(dir, options);
  if (!opened.ok()) {
    say("error " + opened.error().text());
    return 1;
  }
  Store& store = **opened;
  for (const std::string& id : kCrashSweeps) {
    if (!store.put_sweep(make_sweep(id, kCrashBlocks, kCrashShape)).ok()) return 1;
  }
  say("ready");
  Rng rng(seed);
  for (;;) {
    std::vector<std::pair<int, std::uint64_t>> places;
    std::vector<ResultBlock> blocks;
    for (std::uint64_t n = 1 + rng.below(4); n > 0; --n) {
      places.emplace_back(static_cast<int>(rng.below(2)), rng.below(kCrashBlocks));
      blocks.push_back(crash_block(places.back().first, places.back().second));
    }
    std::vector<BlockCommit> group;
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      group.push_back(commit_of(kCrashSweeps[places[i].first], blocks[i]));
    }
    const auto outcomes = store.commit(group, kNow);
    if (!outcomes.ok()) {
      say("error " + outcomes.error().text());
      return 1;
    }
    for (const auto& [sweep, block] : places) {
      say("ack " + std::to_string(sweep) + " " + std::to_string(block));
    }
  }
}

inline constexpr std::uint64_t kDeletedBlocks = 12;

/// Says `whole` when all blocks of a sweep are acknowledged and `deleted` when it is gone, over and
/// over; keys go to files of the index in between.
inline int delete_until_killed(const std::filesystem::path& dir,
                               const std::function<void(const std::string&)>& say) {
  StoreOptions options;
  options.index_run_keys = 50;
  options.cache_bytes = std::size_t{8} << 20;
  auto opened = Store::open(dir, options);
  const auto failed = [&](const Error& error) {
    say("error " + error.text());
    return 1;
  };
  if (!opened.ok()) return failed(opened.error());
  Store& store = **opened;
  for (;;) {
    if (const Status put = store.put_sweep(make_sweep("s", kDeletedBlocks)); !put.ok()) {
      return failed(put.error());
    }
    for (std::uint64_t b = 0; b < kDeletedBlocks; ++b) {
      const ResultBlock block = make_block(9, b);
      const BlockCommit commit = commit_of("s", block);
      if (const auto done = store.commit({&commit, 1}, kNow); !done.ok()) {
        return failed(done.error());
      }
    }
    say("whole");
    if (const Status gone = store.delete_sweep("s", {"ann", kNow, {}}); !gone.ok()) {
      return failed(gone.error());
    }
    say("deleted");
  }
}

}  // namespace winnow::store
