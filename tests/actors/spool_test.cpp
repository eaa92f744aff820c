#include "actors/spool.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <map>

#include "actors/spool_keeper.hpp"
#include "base/rng.hpp"
#include "store/dataset_files.hpp"

namespace winnow::actors {
namespace {

namespace fs = std::filesystem;

class SpoolTest : public testing::Test {
 protected:
  SpoolTest() {
    std::string name = (fs::temp_directory_path() / "winnow-spool-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~SpoolTest() override {
    std::error_code ec;
    fs::remove_all(folder_, ec);
  }
  std::unique_ptr<Spool> open(const SpoolOptions& options = {}) {
    auto spool = Spool::open(folder_, options);
    EXPECT_TRUE(spool.ok()) << spool.error().text();
    return std::move(*spool);
  }
  fs::path slot() const { return folder_ / "0"; }
  fs::path only_segment() const {
    fs::path found;
    for (const auto& entry : fs::directory_iterator(slot())) {
      if (entry.path().extension() == ".spool") {
        EXPECT_TRUE(found.empty()) << "more than one segment";
        found = entry.path();
      }
    }
    return found;
  }
  fs::path folder_;
};

void write_file(const fs::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary) << bytes;
}

BlockResult sample(std::uint64_t block, std::size_t bytes = 200) {
  BlockResult result;
  result.sweep = "sweep-a";
  result.block = block;
  result.work_ns = static_cast<std::int64_t>(block) * 3;
  Rng rng(11, block);
  for (std::size_t i = 0; i < bytes; ++i) {
    result.block_bytes += static_cast<char>(rng.below(256));
  }
  return result;
}

void expect_same(const Result<BlockResult>& got, const BlockResult& want) {
  ASSERT_TRUE(got.ok()) << got.error().text();
  EXPECT_EQ(got->sweep, want.sweep);
  EXPECT_EQ(got->block, want.block);
  EXPECT_EQ(got->work_ns, want.work_ns);
  EXPECT_TRUE(got->block_bytes == want.block_bytes);
}

TEST_F(SpoolTest, KeepsBlocksForTheNextProcess) {
  {
    auto spool = open();
    for (std::uint64_t b = 0; b < 40; ++b) ASSERT_TRUE(spool->put(sample(b)).ok());
    for (std::uint64_t b = 0; b < 40; b += 2) spool->forget({"sweep-a", b});
    EXPECT_EQ(spool->blocks(), 20u);
  }
  auto spool = open();
  // Forgetting is not written: all are there again, and all are right.
  ASSERT_EQ(spool->blocks(), 40u);
  for (std::uint64_t b = 0; b < 40; ++b) expect_same(spool->read({"sweep-a", b}), sample(b));
  EXPECT_TRUE(spool->refused().empty());
}

TEST_F(SpoolTest, ForgottenSegmentsLeaveTheDiskAndAnEmptySpoolLeavesNoFolder) {
  {
    auto spool = open({.segment_bytes = 1000});
    for (std::uint64_t b = 0; b < 40; ++b) ASSERT_TRUE(spool->put(sample(b)).ok());
    const std::uint64_t full = spool->bytes();
    for (std::uint64_t b = 0; b < 20; ++b) spool->forget({"sweep-a", b});
    EXPECT_LT(spool->bytes(), full * 6 / 10);
    std::uint64_t on_disk = 0;
    for (const auto& entry : fs::directory_iterator(slot())) on_disk += entry.file_size();
    EXPECT_EQ(on_disk, spool->bytes());
    for (std::uint64_t b = 20; b < 40; ++b) spool->forget({"sweep-a", b});
    EXPECT_EQ(spool->bytes(), 0u);
    ASSERT_TRUE(spool->put(sample(99)).ok());
    expect_same(spool->read({"sweep-a", 99}), sample(99));
    spool->forget({"sweep-a", 99});
  }
  EXPECT_FALSE(fs::exists(folder_));
}

TEST_F(SpoolTest, RefusesMoreThanItsLimitAndGoesOnBelowIt) {
  auto spool = open({.bytes_max = 2000, .segment_bytes = 500});
  std::uint64_t b = 0;
  Status put;
  while ((put = spool->put(sample(b))).ok()) ++b;
  EXPECT_EQ(put.error().code(), ErrorCode::Refused);
  EXPECT_NE(put.error().text().find("2000"), std::string::npos) << put.error().text();
  EXPECT_LE(spool->bytes(), 2000u);
  EXPECT_EQ(spool->blocks(), b);
  for (std::uint64_t i = 0; i < b; ++i) spool->forget({"sweep-a", i});
  EXPECT_TRUE(spool->put(sample(1)).ok());
}

TEST_F(SpoolTest, ATornEndAnywhereLosesOnlyTheLastBlock) {
  std::vector<std::uint64_t> ends;
  {
    auto spool = open();
    for (std::uint64_t b = 0; b < 3; ++b) {
      ASSERT_TRUE(spool->put(sample(b, 50)).ok());
      ends.push_back(spool->bytes());
    }
  }
  const std::string whole = *store::read_whole_file(only_segment());
  const fs::path file = only_segment();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    write_file(file, whole.substr(0, size));
    auto spool = open();
    std::size_t complete = 0;
    for (const std::uint64_t end : ends) complete += end <= size ? 1 : 0;
    ASSERT_EQ(spool->blocks(), complete) << "cut at " << size;
    EXPECT_TRUE(spool->refused().empty()) << spool->refused()[0];
    ASSERT_TRUE(spool->put(sample(7)).ok());  // it can be written on
    expect_same(spool->read({"sweep-a", 7}), sample(7));
    for (const auto& key : spool->keys()) spool->forget(key);
    spool.reset();
    fs::create_directories(slot());
  }
}

TEST_F(SpoolTest, GarbageIsRefusedWithFileAndOffsetAndTheRestIsKept) {
  std::uint64_t second = 0;
  {
    auto spool = open();
    ASSERT_TRUE(spool->put(sample(0)).ok());
    second = spool->bytes();
    ASSERT_TRUE(spool->put(sample(1)).ok());
    ASSERT_TRUE(spool->put(sample(2)).ok());
  }
  const fs::path file = only_segment();
  std::string bytes = *store::read_whole_file(file);
  bytes[second + 60] ^= 1;
  write_file(file, bytes);
  auto spool = open();
  EXPECT_EQ(spool->blocks(), 1u);
  expect_same(spool->read({"sweep-a", 0}), sample(0));
  ASSERT_EQ(spool->refused().size(), 1u);
  const std::string& told = spool->refused()[0];
  EXPECT_NE(told.find(file.string()), std::string::npos) << told;
  EXPECT_NE(told.find("at byte " + std::to_string(second) + ":"), std::string::npos) << told;
  EXPECT_TRUE(fs::exists(file.string() + ".refused"));
}

TEST_F(SpoolTest, RandomDamageIsNeverFatalAndNeverBelieved) {
  std::map<std::uint64_t, BlockResult> truth;
  {
    auto spool = open();
    for (std::uint64_t b = 0; b < 5; ++b) {
      truth[b] = sample(b, 80);
      ASSERT_TRUE(spool->put(truth[b]).ok());
    }
  }
  const fs::path file = only_segment();
  const std::string whole = *store::read_whole_file(file);
  Rng rng(5);
  for (int i = 0; i < 100; ++i) {
    std::string bad = whole;
    const std::uint64_t flips = 1 + rng.below(3);
    for (std::uint64_t f = 0; f < flips; ++f) {
      bad[rng.below(bad.size())] ^= static_cast<char>(1 + rng.below(255));
    }
    fs::remove_all(slot());
    fs::create_directories(slot());
    write_file(file, bad);
    auto spool = open();
    for (const auto& key : spool->keys()) expect_same(spool->read(key), truth.at(key.second));
  }
}

TEST_F(SpoolTest, TwoSpoolsNeverShareAndTheNextAdoptsBoth) {
  auto first = open();
  auto second = open();
  EXPECT_NE(first->folder(), second->folder());
  ASSERT_TRUE(first->put(sample(1)).ok());
  ASSERT_TRUE(second->put(sample(2)).ok());
  first.reset();
  second.reset();
  auto third = open();
  ASSERT_EQ(third->blocks(), 2u);
  expect_same(third->read({"sweep-a", 1}), sample(1));
  expect_same(third->read({"sweep-a", 2}), sample(2));
  auto fourth = open();
  EXPECT_EQ(fourth->blocks(), 0u) << "a live spool was adopted";
}

TEST_F(SpoolTest, AKilledProcessLeavesItsBlocks) {
  const pid_t child = ::fork();
  if (child == 0) {
    auto spool = Spool::open(folder_);
    bool good = spool.ok();
    for (std::uint64_t b = 0; good && b < 10; ++b) good = (*spool)->put(sample(b)).ok();
    ::kill(::getpid(), good ? SIGKILL : SIGTERM);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  ASSERT_EQ(WTERMSIG(status), SIGKILL);
  auto spool = open();
  EXPECT_EQ(spool->blocks(), 10u);
}

TEST_F(SpoolTest, KeeperHandsOutAWindowAndTheRestAsBlocksAreForgotten) {
  constexpr std::uint64_t kBlocks = 3 * SpoolKeeper::kAdoptedAtOnceMax;
  {
    auto spool = open();
    for (std::uint64_t b = 0; b < kBlocks; ++b) ASSERT_TRUE(spool->put(sample(b)).ok());
  }
  std::mutex mutex;
  std::condition_variable arrived;
  std::vector<std::uint64_t> got;
  {
    SpoolKeeper keeper(open(), [&](BlockResult result) {
      const std::lock_guard lock(mutex);
      got.push_back(result.block);
      arrived.notify_one();
    });
    for (std::uint64_t b = 0; b < kBlocks; ++b) {
      std::unique_lock lock(mutex);
      ASSERT_TRUE(arrived.wait_for(lock, std::chrono::seconds(20), [&] { return got.size() > b; }));
      EXPECT_LE(got.size(), b + SpoolKeeper::kAdoptedAtOnceMax);
      const std::uint64_t block = got[b];
      lock.unlock();
      keeper.forget({"sweep-a", block});
    }
  }
  EXPECT_EQ(got.size(), kBlocks);
  EXPECT_FALSE(fs::exists(folder_)) << "everything was acknowledged";
}

TEST_F(SpoolTest, KeeperWritesWhatWasPutBeforeItEnds) {
  {
    SpoolKeeper keeper(open(), [](BlockResult) {});
    for (std::uint64_t b = 0; b < 100; ++b) keeper.put(sample(b));
    keeper.forget({"sweep-a", 3});
  }
  auto spool = open();
  EXPECT_GE(spool->blocks(), 99u);
  expect_same(spool->read({"sweep-a", 99}), sample(99));
}

}  // namespace
}  // namespace winnow::actors
