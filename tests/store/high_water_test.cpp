// F6: a log that was cut at the end of a record, or is gone, looks to RocksDB as if nothing had
// been written after it. What was acknowledged is known outside the log.

#include "store/high_water.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "tests/store/store_fixture.hpp"

namespace winnow::store {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kBlocks = 6;

/// A store of six blocks, closed; all of them are in the log only.
void make_whole(const fs::path& dir) {
  const auto store = open_store(dir);
  must(store->put_sweep(make_sweep("s", kBlocks)));
  for (std::uint64_t b = 0; b < kBlocks; ++b) {
    const ResultBlock block = make_block(1, b);
    commit_one(*store, commit_of("s", block));
  }
}

fs::path newest_log(const fs::path& dir) {
  fs::path newest;
  for (const auto& entry : fs::directory_iterator(dir)) {
    if (entry.path().extension() == ".log" && entry.path() > newest) newest = entry.path();
  }
  return newest;
}

std::string refusal(const fs::path& dir, bool read_only) {
  StoreOptions options;
  options.read_only = read_only;
  const auto store = Store::open(dir, options);
  if (store) return "";
  EXPECT_EQ(store.error().code(), ErrorCode::Corrupt);
  return store.error().text();
}

TEST(HighWater, F6ARemovedNewestLogIsNoticedAndWhatIsMissingNamed) {
  TempDir dir;
  make_whole(dir.path());
  const fs::path log = newest_log(dir.path());
  const fs::path aside = dir.path().string() + ".log-aside";
  fs::rename(log, aside);
  for (const bool read_only : {true, false, false}) {
    const std::string why = refusal(dir.path(), read_only);
    EXPECT_NE(why.find("6 acknowledged blocks: sweep s, blocks 0 to 5"), std::string::npos) << why;
    EXPECT_NE(why.find(log.filename().string()), std::string::npos) << why;
  }
  // Nothing was changed by asking: with its log it is whole again.
  fs::rename(aside, log);
  const auto store = open_store(dir.path());
  for (std::uint64_t b = 0; b < kBlocks; ++b) expect_stored(*store, "s", make_block(1, b));
}

TEST(HighWater, F6ALogCutAnywhereIsNoticedBeforeItIsReplaced) {
  TempDir dir;
  const fs::path whole = dir.path() / "whole";
  make_whole(whole);
  const std::uintmax_t bytes = fs::file_size(newest_log(whole));
  int seen = 0;
  for (std::uintmax_t left = bytes / 7; left < bytes; left += bytes / 7) {
    const fs::path copy = dir.path() / "copy";
    fs::remove_all(copy);
    fs::copy(whole, copy, fs::copy_options::recursive);
    fs::resize_file(newest_log(copy), left);
    const std::string why = refusal(copy, false);
    EXPECT_NE(why.find("acknowledged blocks: sweep s, blocks "), std::string::npos)
        << left << " of " << bytes << ": " << why;
    EXPECT_NE(why.find("5. Put the log back"), std::string::npos) << why;
    // Whoever gives them up can go on.
    fs::remove(copy / HighWater::kFileName);
    EXPECT_EQ(refusal(copy, false), "");
    ++seen;
  }
  EXPECT_GE(seen, 6);
}

TEST(HighWater, F6WhatIsWholeOpensHoweverItsLogsWereReplaced) {
  TempDir dir;
  make_whole(dir.path());
  for (int again = 0; again < 3; ++again) {
    const auto store = open_store(dir.path());
    must(store->put_document("kind", "key", "{}"));
    EXPECT_EQ(refusal(dir.path(), true), "") << "beside a writer";
    if (again == 1) must(store->compact());
  }
  EXPECT_EQ(refusal(dir.path(), true), "");
  EXPECT_EQ(refusal(dir.path(), false), "");
}

TEST(HighWater, ADamagedMarkClaimsNothing) {
  TempDir dir;
  make_whole(dir.path());
  ASSERT_TRUE(HighWater::read(dir.path()));
  fs::resize_file(dir.path() / HighWater::kFileName, 20);
  EXPECT_FALSE(HighWater::read(dir.path()));
  EXPECT_EQ(refusal(dir.path(), false), "");
  EXPECT_FALSE(HighWater::read(dir.path())) << "nothing is acknowledged since";
  const auto store = open_store(dir.path());
  must(store->put_document("kind", "key", "{}"));
  EXPECT_TRUE(HighWater::read(dir.path()));
}

TEST(HighWater, NamesTheLatestOfManyBlocks) {
  TempDir dir;
  const auto mark = HighWater::open(dir.path());
  ASSERT_NE(mark, nullptr);
  for (std::uint64_t b = 0; b < HighWater::kNamesMax + 10; ++b) {
    const NamedBlock block{"sweep", b};
    mark->note({b + 1, {3, 100}}, {&block, 1});
  }
  const auto read = HighWater::read(dir.path());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->sequence, HighWater::kNamesMax + 10);
  const std::string last = HighWater::missing(dir.path(), *read, HighWater::kNamesMax + 7).text();
  EXPECT_NE(last.find("Missing are 3 acknowledged blocks: sweep sweep, blocks 4103 to 4105"),
            std::string::npos)
      << last;
  const std::string all = HighWater::missing(dir.path(), *read, 0).text();
  EXPECT_NE(all.find("at least 4096 acknowledged blocks"), std::string::npos) << all;
}

}  // namespace
}  // namespace winnow::store
