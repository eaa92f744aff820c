#include <unistd.h>

#include <atomic>
#include <thread>

#include "child.hpp"
#include "store/reader_gate.hpp"
#include "store_fixture.hpp"

namespace winnow::store {
namespace {

constexpr BlockShape kShape{.rows = 32, .metrics = 3, .periods = 200};

TEST(StoreProcesses, ReaderBesideAWriterSeesAllAcknowledged) {
  TempDir dir;
  auto writer = open_store(dir.path());
  must(writer->put_sweep(make_sweep("s", 60, kShape)));
  std::vector<std::string> expected;
  for (std::uint64_t b = 0; b < 60; ++b) {
    const ResultBlock block = make_block(1, b, kShape);
    commit_one(*writer, commit_of("s", block));
    expected.push_back(std::to_string(b) + " " + block.content_hash().hex());
    if (b == 20) must(writer->compact());  // so that tables, blob files and the log all have some
    if (b % 20 != 0) continue;
    Child reader({"read", dir.path().string(), "s"});
    std::vector<std::string> lines = reader.rest();
    EXPECT_EQ(reader.wait(), 0);
    ASSERT_FALSE(lines.empty());
    EXPECT_EQ(lines.back(), "ledger " + std::to_string((b + 1) * kShape.rows));
    lines.pop_back();
    EXPECT_EQ(lines, expected);
  }
}

TEST(StoreProcesses, ReadersOpenWhileTheWriterRewritesItsFiles) {
  TempDir dir;
  StoreOptions options;
  options.index_run_keys = 100;  // a file about every third commit
  constexpr std::uint64_t kCompactEvery = 50;
  auto writer = must(Store::open(dir.path(), options));
  constexpr std::uint64_t kBlocks = 20'000;
  constexpr int kOpens = 8;
  must(writer->put_sweep(make_sweep("s", kBlocks, kShape)));
  std::atomic<std::uint64_t> acknowledged{0};
  std::atomic<bool> enough{false};
  std::thread committing([&] {
    for (std::uint64_t b = 0; b < kBlocks && !enough; ++b) {
      const ResultBlock block = make_block(1, b, kShape);
      if (commit_one(*writer, commit_of("s", block)).kind != CommitKind::Fresh) std::abort();
      if (b % kCompactEvery == kCompactEvery - 1) must(writer->compact());
      acknowledged = b + 1;
    }
  });
  for (int opens = 0; opens < kOpens; ++opens) {
    const std::uint64_t before = acknowledged;
    const auto reader = open_store(dir.path(), /*read_only=*/true);
    const auto flags = must(reader->committed("s", kBlocks));
    for (std::uint64_t b = 0; b < before; ++b) EXPECT_TRUE(flags[b]) << b << " of " << before;
    if (before == 0) continue;
    const ResultBlock block = make_block(1, before - 1, kShape);
    expect_stored(*reader, "s", block);
    const auto places = must(reader->find(block.keys));
    for (std::size_t row = 0; row < places.size(); ++row) {
      ASSERT_TRUE(places[row].has_value()) << "block " << before - 1 << ", row " << row;
      EXPECT_EQ(places[row]->trial, block.first_trial + row);
    }
  }
  enough = true;
  committing.join();
  EXPECT_GT(acknowledged, 0u);
  must(writer->verify([](std::string_view) {}));
}

// A reader that froze while it was opening the store: every wait for it ends.
TEST(StoreProcesses, FrozenReaderDoesNotHoldTheWriterForever) {
  TempDir dir;
  StoreOptions options;
  options.index_run_keys = 100;
  auto writer = must(Store::open(dir.path(), options));
  must(writer->put_sweep(make_sweep("s", 60, kShape)));
  ReaderGate frozen(dir.path(), ReaderGate::Side::Reader);
  frozen.request();
  ReaderGate witness(dir.path(), ReaderGate::Side::Writer);
  EXPECT_TRUE(witness.requested());
  for (std::uint64_t b = 0; b < 60; ++b) {
    commit_one(*writer, commit_of("s", make_block(1, b, kShape)));
  }
  must(writer->compact());
  EXPECT_FALSE(witness.requested());  // asked for too long
  must(writer->verify([](std::string_view) {}));
}

TEST(StoreProcesses, SecondWriterIsRefusedWithTheHolder) {
  TempDir dir;
  auto writer = open_store(dir.path());
  Child other({"open", dir.path().string()});
  const std::string text = other.line();
  EXPECT_EQ(other.wait(), 1);
  EXPECT_NE(text.find(dir.path().string()), std::string::npos) << text;
  EXPECT_NE(text.find("process " + std::to_string(::getpid())), std::string::npos) << text;

  const auto again = Store::open(dir.path());
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code(), ErrorCode::Unavailable);
  EXPECT_NE(again.error().text().find("this process"), std::string::npos) << again.error().text();
  // The refusal did not cost the holder its lock.
  Child third({"open", dir.path().string()});
  EXPECT_NE(third.line(), "opened");
  third.wait();
}

TEST(StoreProcesses, ReaderCannotWrite) {
  TempDir dir;
  EXPECT_EQ(Store::open(dir.path() / "none", {.read_only = true}).error().code(),
            ErrorCode::NotFound);
  EXPECT_FALSE(std::filesystem::exists(dir.path() / "none"));
  { must(open_store(dir.path() / "s")->put_sweep(make_sweep("a", 1))); }
  auto reader = open_store(dir.path() / "s", /*read_only=*/true);
  EXPECT_EQ(reader->put_sweep(make_sweep("b", 1)).error().code(), ErrorCode::Refused);
  const ResultBlock block = make_block(1, 0);
  const BlockCommit commit = commit_of("a", block);
  EXPECT_EQ(reader->commit({&commit, 1}, kNow).error().code(), ErrorCode::Refused);
}

}  // namespace
}  // namespace winnow::store
