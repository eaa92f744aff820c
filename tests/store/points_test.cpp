#include <rocksdb/db.h>

#include <cstring>

#include "store_fixture.hpp"

// What not every block has: learning curves, exposures, and rows that a limit cut off.
namespace winnow::store {
namespace {

constexpr BlockShape kShape{.rows = 8, .metrics = 2, .periods = 3};

ResultBlock with_points(std::uint64_t block, std::uint32_t metrics = 2, std::uint32_t steps = 5) {
  ResultBlock b = make_block(1, block, kShape);
  b.point_metrics = metrics;
  b.point_steps = steps;
  Rng rng(block, 5);
  for (std::size_t i = 0; i < std::size_t{metrics} * steps * b.rows; ++i) {
    b.points.push_back(rng.uniform());
  }
  return b;
}

/// The row as a limit leaves it.
void cut_row(ResultBlock& block, std::uint32_t row, const std::string& why) {
  ASSERT_EQ(block.status[row], TrialStatus::Ok);
  std::size_t failed_before = 0;
  for (std::uint32_t r = 0; r < row; ++r) failed_before += has_failed(block.status[r]) ? 1 : 0;
  block.errors.insert(block.errors.begin() + static_cast<long>(failed_before), why);
  block.status[row] = TrialStatus::Cut;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (std::uint32_t m = 0; m < block.metric_count; ++m) block.metrics[m * block.rows + row] = nan;
  for (std::uint32_t p = 0; p < block.periods; ++p) {
    block.returns[row * block.periods + p] = static_cast<float>(nan);
  }
  for (std::size_t c = 0; c < std::size_t{block.point_metrics} * block.point_steps; ++c) {
    block.points[c * block.rows + row] = nan;
  }
}

std::unique_ptr<Store> store_with_sweep(const TempDir& dir, const std::string& id = "s") {
  auto store = open_store(dir.path());
  must(store->put_sweep(make_sweep(id, 4, kShape)));
  return store;
}

std::vector<double> stored_points(const Store& store, std::uint64_t block) {
  return must(store.read_block("s", block, {.points = true})).points;
}

TEST(StoredPoints, ComeBackBitForBitAfterARestart) {
  const TempDir dir;
  const ResultBlock block = with_points(1);
  {
    const auto store = store_with_sweep(dir);
    EXPECT_EQ(commit_one(*store, commit_of("s", block)).kind, CommitKind::Fresh);
  }
  const auto store = open_store(dir.path());
  const ResultBlock back = must(store->read_block("s", 1, Store::kAllParts));
  EXPECT_EQ(back.point_metrics, 2u);
  EXPECT_EQ(back.point_steps, 5u);
  EXPECT_EQ(back.content_hash(), block.content_hash());
  must(store->verify([](std::string_view) {}));
}

TEST(StoredPoints, OfABlockThatComesTwiceAreThereOnce) {
  const TempDir dir;
  const auto store = store_with_sweep(dir);
  const ResultBlock block = with_points(1);
  (void)commit_one(*store, commit_of("s", block));
  EXPECT_EQ(commit_one(*store, commit_of("s", block)).kind, CommitKind::Duplicate);
  EXPECT_EQ(stored_points(*store, 1), block.points);
  EXPECT_TRUE(must(store->alarms()).empty());
  ResultBlock other = block;
  other.points[13] += 1;
  EXPECT_EQ(commit_one(*store, commit_of("s", other)).kind, CommitKind::Mismatch);
  EXPECT_EQ(stored_points(*store, 1), block.points) << "the first stays";
  const auto alarms = must(store->alarms());
  ASSERT_EQ(alarms.size(), 1u);
  EXPECT_NE(alarms[0].text.find("point 1"), std::string::npos) << alarms[0].text;
}

TEST(StoredPoints, OfTheWrongLengthAreRefused) {
  const TempDir dir;
  const auto store = store_with_sweep(dir);
  ResultBlock block = with_points(1);
  block.points.pop_back();
  const BlockCommit commit = commit_of("s", block);
  const auto done = store->commit({&commit, 1}, kNow);
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code(), ErrorCode::InvalidInput);
}

// A store from before there were points has no such column family.
TEST(StoredPoints, StoresWithoutThemOpenReadOnlyAndForWriting) {
  const TempDir dir;
  const ResultBlock plain = make_block(1, 0, kShape);
  {
    const auto store = store_with_sweep(dir);
    (void)commit_one(*store, commit_of("s", plain));
  }
  {
    std::vector<std::string> names;
    ASSERT_TRUE(rocksdb::DB::ListColumnFamilies({}, dir.path().string(), &names).ok());
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (const std::string& name : names)
      families.emplace_back(name, rocksdb::ColumnFamilyOptions());
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* db = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open({}, dir.path().string(), families, &handles, &db).ok());
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i] != "points") continue;
      EXPECT_TRUE(db->DropColumnFamily(handles[i]).ok());
    }
    for (auto* handle : handles) EXPECT_TRUE(db->DestroyColumnFamilyHandle(handle).ok());
    delete db;
  }
  {
    const auto reader = open_store(dir.path(), true);
    expect_stored(*reader, "s", plain);
    EXPECT_TRUE(stored_points(*reader, 0).empty());
    must(reader->verify([](std::string_view) {}));
    (void)reader->health();
  }
  const auto store = open_store(dir.path());
  const ResultBlock block = with_points(1);
  EXPECT_EQ(commit_one(*store, commit_of("s", block)).kind, CommitKind::Fresh);
  EXPECT_EQ(stored_points(*store, 1), block.points);
}

ResultBlock with_exposures(std::uint64_t block) {
  ResultBlock b = make_block(1, block, kShape);
  Rng rng(block, 6);
  for (std::size_t i = 0; i < b.returns.size(); ++i) {
    b.exposures.push_back(static_cast<float>(2 * rng.uniform() - 1));
  }
  return b;
}

TEST(StoredExposures, ComeBackBitForBitAndAreReadWhereTheyAreWanted) {
  const TempDir dir;
  const ResultBlock block = with_exposures(1);
  EXPECT_NE(block.content_hash(), make_block(1, 1, kShape).content_hash());
  {
    const auto store = store_with_sweep(dir);
    EXPECT_EQ(commit_one(*store, commit_of("s", block)).kind, CommitKind::Fresh);
    EXPECT_EQ(commit_one(*store, commit_of("s", block)).kind, CommitKind::Duplicate);
  }
  const auto store = open_store(dir.path());
  expect_stored(*store, "s", block);
  EXPECT_EQ(must(store->read_block("s", 1, {.exposures = true})).exposures, block.exposures);
  EXPECT_TRUE(must(store->read_block("s", 1, {.returns = true})).exposures.empty());
  must(store->verify([](std::string_view) {}));
}

TEST(StoredExposures, AnotherContentUnderTheSamePlaceIsAMismatch) {
  const TempDir dir;
  const auto store = store_with_sweep(dir);
  const ResultBlock block = with_exposures(1);
  (void)commit_one(*store, commit_of("s", block));
  ResultBlock other = block;
  other.exposures[kShape.periods + 1] += 0.5F;
  EXPECT_EQ(commit_one(*store, commit_of("s", other)).kind, CommitKind::Mismatch);
  const auto alarms = must(store->alarms());
  ASSERT_FALSE(alarms.empty());
  EXPECT_NE(alarms.back().text.find("exposure of period 1"), std::string::npos)
      << alarms.back().text;
  ResultBlock short_one = block;
  short_one.block = 2;
  short_one.exposures.pop_back();
  const BlockCommit commit = commit_of("s", short_one);
  EXPECT_FALSE(store->commit({&commit, 1}, TimestampNs{1}).ok());
}

TEST(StoredExposures, AreMissedByVerifyWhereTheyWereLost) {
  const TempDir dir;
  {
    const auto store = store_with_sweep(dir);
    (void)commit_one(*store, commit_of("s", with_exposures(1)));
  }
  rocksdb::DBOptions options;
  std::vector<std::string> names;
  ASSERT_TRUE(rocksdb::DB::ListColumnFamilies(options, dir.path().string(), &names).ok());
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (const std::string& name : names) families.emplace_back(name, rocksdb::ColumnFamilyOptions{});
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  ASSERT_TRUE(rocksdb::DB::Open(options, dir.path().string(), families, &handles, &db).ok());
  for (auto* handle : handles) {
    if (handle->GetName() == "exposures") {
      ASSERT_TRUE(db->DropColumnFamily(handle).ok());
    }
    db->DestroyColumnFamilyHandle(handle);
  }
  delete db;
  const auto store = open_store(dir.path());
  const Status checked = store->verify([](std::string_view) {});
  EXPECT_EQ(checked.error().code(), ErrorCode::Corrupt);
}

TEST(CutRows, AreCountedAsFailuresAndHaveTheirReason) {
  const TempDir dir;
  const auto store = store_with_sweep(dir);
  ResultBlock block = with_points(1);
  cut_row(block, 3, "over its limit");
  (void)commit_one(*store, commit_of("s", block));
  expect_stored(*store, "s", block);
  EXPECT_EQ(must(store->ledger_entries()).at(0).failed, 1u);
  EXPECT_EQ(must(store->ledger_entries()).at(0).trials, 8u);
  must(store->verify([](std::string_view) {}));
}

TEST(CutRows, ContradictNoOtherExecutionOfTheirBlock) {
  const TempDir dir;
  const auto store = store_with_sweep(dir);
  const ResultBlock whole = with_points(1);
  ResultBlock here = whole;
  ResultBlock there = whole;
  cut_row(here, 3, "over its limit on node a");
  cut_row(there, 3, "over its limit on node b");
  cut_row(there, 5, "over its limit on node b");
  EXPECT_EQ(commit_one(*store, commit_of("s", here)).kind, CommitKind::Fresh);
  EXPECT_EQ(commit_one(*store, commit_of("s", there)).kind, CommitKind::Duplicate);
  EXPECT_EQ(commit_one(*store, commit_of("s", whole)).kind, CommitKind::Duplicate);
  EXPECT_TRUE(must(store->alarms()).empty());
  expect_stored(*store, "s", here);
  // But what both computed must agree.
  there.metrics[0] += 1;
  EXPECT_EQ(commit_one(*store, commit_of("s", there)).kind, CommitKind::Mismatch);
}

TEST(CutRows, ContradictNoOtherSweepsResultOfTheirTrial) {
  const TempDir dir;
  const auto store = store_with_sweep(dir);
  must(store->put_sweep(make_sweep("t", 4, kShape)));
  ResultBlock cut = make_block(1, 1, kShape);
  cut_row(cut, 3, "over its limit");
  (void)commit_one(*store, commit_of("s", cut));
  (void)commit_one(*store, commit_of("t", make_block(1, 1, kShape)));
  EXPECT_TRUE(must(store->alarms()).empty());
}

}  // namespace
}  // namespace winnow::store
